/*
 * servers: real MariaDB and Redis for component tests, in temporary folders on free ports. A
 * server ends with the test program, however that ends. Whatever goes wrong here fails the test
 * program: a missing server is never a skipped test.
 *
 * WT_TEST_MYSQL=HOST:PORT (user root, no password) uses that server instead of starting one: how
 * the same tests run against MySQL.
 */
#ifndef TESTS_LIB_SERVERS_H
#define TESTS_LIB_SERVERS_H

#include <mysql.h>
#include <sys/types.h>

struct test_server {
	pid_t pid; /* 0: not ours */
	char host[64];
	int port;
	char folder[64];
};

/* With an empty database `wt` and the tables of sql/. MariaDB has a certificate of its own, for
 * 127.0.0.1, in FOLDER/cert.pem. */
void test_mysql_start(struct test_server *server);
/* The same without TLS; always MariaDB, whatever WT_TEST_MYSQL says. */
void test_mysql_start_plain(struct test_server *server);
/* `options`: NULL, or further words of the command line, NULL-terminated. */
void test_redis_start(struct test_server *server, const char *const *options);
void test_server_stop(struct test_server *server);

/* root's connection to `wt`; close with mysql_close(). */
MYSQL *test_mysql_root(const struct test_server *server);
/* Any statements; fails the program on an error. */
__attribute__((format(printf, 2, 3))) void test_sql(MYSQL *mysql, const char *format, ...);
/* The first field of the first row as a number, or `none`. */
__attribute__((format(printf, 3, 4))) long test_sql_long(
	MYSQL *mysql, long none, const char *format, ...);
/* The same as text, "" when there is no row; in a static buffer. */
__attribute__((format(printf, 2, 3))) const char *test_sql_text(
	MYSQL *mysql, const char *format, ...);
void test_sql_file(MYSQL *mysql, const char *path);

#endif
