/*
 * stores: what every test of the two stores does alike: options for a started server, and
 * comparing verdicts with the line and the store's own words. For component tests.
 */
#ifndef TESTS_LIB_STORES_H
#define TESTS_LIB_STORES_H

#include "consumer/pipeline/mysql_store.h"
#include "consumer/pipeline/redis_store.h"
#include "tests/lib/servers.h"

#include <hiredis/hiredis.h>

/* Root on `wt`, group "g", the users' mapping; 3 s for everything. */
struct mysql_config test_mysql_config(const struct test_server *server);
/* Group "g"; 2 s for everything. */
struct redis_config test_redis_config(const struct test_server *server);

/* A connection of a person's own; fails the program when there is none. redisFree() it. */
redisContext *test_redis_plain(const struct test_server *server);
/* A command and its answer as text, "(nil)" for none; in a static buffer. */
__attribute__((format(printf, 2, 3))) const char *test_redis_ask(
	redisContext *redis, const char *format, ...);

/* A batch to Redis and its answer, with nothing between. */
enum verdict test_redis_apply(
	struct redis_store *store, const struct batch *batch, struct store_error *error);

/* Fails unless got == expected; says the error's text. Use it through a macro `is`. */
void test_verdict(enum verdict got, enum verdict expected, const struct store_error *error,
	const char *what, int line);
#define test_is(expression, verdict, error)                                                    \
	test_verdict(expression, verdict, error, #expression, __LINE__)

#endif
