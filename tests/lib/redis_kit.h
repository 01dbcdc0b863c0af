/*
 * redis_kit: a Redis of a test's own, a store on it, and what a person may ask it. One test program's;
 * needs: redis
 */
#ifndef TESTS_REDIS_KIT_H
#define TESTS_REDIS_KIT_H

#include "consumer/pipeline/redis_store.h"
#include "tests/lib/stores.h"
#include "tests/lib/users.h"

struct redis_kit {
	struct test_server server;
	struct redis_config config;
	struct route *route;
	redisContext *plain; /* a person's connection */
	struct store_error error; /* of the last call */
};
extern struct redis_kit kit;

/* cmocka's group set-up and end; the second writes batches by script. */
int redis_kit_setup(void **state);
int redis_kit_setup_scripts(void **state);
int redis_kit_teardown(void **state);

#define is(expression, verdict) test_is(expression, verdict, &kit.error)
/* A command of a person; its answer as text, "(nil)" for none. */
#define ask(...) test_redis_ask(kit.plain, __VA_ARGS__)

struct redis_store *opened(void);
/* The first fence of partition 0. */
enum verdict make_fence(struct redis_store *store, int64_t next, const char *rebuild);
/* An empty Redis but for the fence of partition 0 at `next`. */
struct redis_store *at(int64_t next);
void fence_is(struct redis_store *store, int64_t next, int64_t seen, const char *rebuild);
/* Applies one row in a batch [from, from + 1). */
enum verdict apply_one(
	struct redis_store *store, int64_t from, const char *id, const char *name);
/* Refreshes one row (NULL name: it is not in MySQL) as a snapshot at `snapshot` had it. */
enum verdict refresh_one(struct redis_store *store, int64_t snapshot, int64_t from, int64_t to,
	const char *id, const char *name);

#endif
