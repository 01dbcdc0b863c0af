/*
 * bench_stores: connections of the yardsticks, from the environment (MYSQL_HOST .. REDIS_PORT,
 * REDIS_DATABASE as in run/env), and what ends a yardstick that cannot go on: it says why on stderr
 * and exits with 1. Every thread opens its own.
 */
#ifndef TESTS_BENCH_STORES_H
#define TESTS_BENCH_STORES_H

#include "tests/bench/bench_rows.h"

#include <hiredis/hiredis.h>
#include <mysql.h>

const char *bench_env(const char *name);
/* "--NAME=VALUE" among the arguments, or the default. */
long bench_option(int argc, char **argv, const char *name, long normal);
/* --keys=20000 --hot=PERCENT --value-bytes=N */
struct bench_shape bench_shape_of(int argc, char **argv);
void bench_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Ends the program where `code` is not 0. */
void bench_mysql_ok(MYSQL *mysql, int code, const char *what);
void bench_stmt_ok(MYSQL_STMT *stmt, int code, const char *what);
MYSQL *bench_mysql_open(void);
/* INSERT .. ON DUPLICATE KEY UPDATE of `rows` rows of the table users. */
MYSQL_STMT *bench_upsert(MYSQL *mysql, unsigned rows);
redisContext *bench_redis_open(void);

/* Sleeps until step `i` is due, `rate` a second from start_ns (clock_mono_ns) on; late = at once. */
void bench_pace(int64_t start_ns, long i, long rate);
/* Sorts the values; the smallest that `share` of them do not exceed. */
double bench_quantile(double *values, size_t count, double share);

#endif
