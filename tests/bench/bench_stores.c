#include "tests/bench/bench_stores.h"

#include "common/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void bench_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

const char *bench_env(const char *name)
{
	const char *value = getenv(name);

	if (!value || !*value)
		bench_fail("%s is not set: see run/env", name);
	return value;
}

long bench_option(int argc, char **argv, const char *name, long normal)
{
	size_t length = strlen(name);

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0 && strncmp(argv[i] + 2, name, length) == 0 &&
			argv[i][2 + length] == '=')
			return strtol(argv[i] + 3 + length, NULL, 10);
	}
	return normal;
}

struct bench_shape bench_shape_of(int argc, char **argv)
{
	struct bench_shape shape = {
		.keys = (uint64_t)bench_option(argc, argv, "keys", 20000),
		.hot = (uint64_t)bench_option(argc, argv, "hot", 0),
		.value_bytes = (size_t)bench_option(argc, argv, "value-bytes", 0),
	};

	if (shape.keys == 0 || shape.value_bytes > BENCH_VALUE_BYTES_MAX)
		bench_fail("--keys=0, or records of over 1 MiB");
	return shape;
}

void bench_mysql_ok(MYSQL *mysql, int code, const char *what)
{
	if (code)
		bench_fail("mysql: %s: %s", what, mysql_error(mysql));
}

void bench_stmt_ok(MYSQL_STMT *stmt, int code, const char *what)
{
	if (code)
		bench_fail("mysql: %s: %s", what, mysql_stmt_error(stmt));
}

MYSQL *bench_mysql_open(void)
{
	MYSQL *mysql = mysql_init(NULL);

	if (!mysql_real_connect(mysql, bench_env("MYSQL_HOST"), bench_env("MYSQL_USER"),
		    bench_env("MYSQL_PASSWORD"), bench_env("MYSQL_DATABASE"),
		    (unsigned)atoi(bench_env("MYSQL_PORT")), NULL, 0))
		bench_fail("mysql: %s", mysql_error(mysql));
	bench_mysql_ok(mysql, mysql_set_character_set(mysql, "utf8mb4"), "utf8mb4");
	return mysql;
}

MYSQL_STMT *bench_upsert(MYSQL *mysql, unsigned rows)
{
	MYSQL_STMT *stmt = mysql_stmt_init(mysql);
	char *sql = NULL;
	size_t length;
	FILE *out = open_memstream(&sql, &length);

	fputs("INSERT INTO users (id,name,age,occupation) VALUES ", out);
	for (unsigned i = 0; i < rows; i++)
		fputs(i ? ",(?,?,?,?)" : "(?,?,?,?)", out);
	fputs(" ON DUPLICATE KEY UPDATE name=VALUES(name),age=VALUES(age),"
	      "occupation=VALUES(occupation)",
		out);
	fclose(out);
	bench_stmt_ok(stmt, mysql_stmt_prepare(stmt, sql, length), "prepare");
	free(sql);
	return stmt;
}

redisContext *bench_redis_open(void)
{
	struct timeval patience = {.tv_sec = 5};
	redisContext *redis = redisConnectWithTimeout(
		bench_env("REDIS_HOST"), atoi(bench_env("REDIS_PORT")), patience);
	redisReply *reply;

	if (!redis || redis->err)
		bench_fail("redis: %s", redis ? redis->errstr : "no memory");
	reply = redisCommand(redis, "SELECT %s", bench_env("REDIS_DATABASE"));
	if (!reply || reply->type == REDIS_REPLY_ERROR)
		bench_fail("redis: SELECT: %s", reply ? reply->str : redis->errstr);
	freeReplyObject(reply);
	return redis;
}

void bench_pace(int64_t start_ns, long i, long rate)
{
	int64_t left = start_ns + i * 1000000000 / rate - clock_mono_ns();
	struct timespec nap = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};

	if (left > 0)
		nanosleep(&nap, NULL);
}

static int by_value(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

double bench_quantile(double *values, size_t count, double share)
{
	size_t at = (size_t)(share * (double)count);

	qsort(values, count, sizeof(*values), by_value);
	return values[at < count ? at : count - 1];
}
