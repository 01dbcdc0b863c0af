/*
 * consumer/pipeline/redis_watch on a real server: a batch without a script, and everybody who may
 * come between two of them.  needs: redis
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/redis_kit.h"

/* Answers of INFO commandstats: how often `command` ran. */
static long calls(const char *command)
{
	char line[64], *at;
	redisReply *reply = redisCommand(kit.plain, "INFO commandstats");
	long count = 0;

	snprintf(line, sizeof(line), "cmdstat_%s:calls=", command);
	at = strstr(reply->str, line);
	if (at)
		count = strtol(at + strlen(line), NULL, 10);
	freeReplyObject(reply);
	return count;
}

static void a_batch_is_one_trip_without_a_script(void **state)
{
	struct redis_store *store = at(0);

	(void)state;
	is(apply_one(store, 0, "a", "x"), VERDICT_DONE);
	ask("CONFIG RESETSTAT");
	for (int64_t from = 1; from < 4; from++)
		is(apply_one(store, from, "a", "x"), VERDICT_DONE);
	assert_int_equal(calls("exec"), 3);
	assert_int_equal(calls("watch"), 3); /* behind each: none of its own */
	assert_int_equal(calls("evalsha"), 0);
	redis_store_free(store);
}

static void another_owner_between_two_batches_is_noticed(void **state)
{
	struct redis_store *store = at(0), *other = opened();

	(void)state;
	is(apply_one(store, 0, "a", "first"), VERDICT_DONE);
	is(apply_one(other, 1, "a", "second"), VERDICT_DONE);
	is(apply_one(store, 1, "a", "late"), VERDICT_MOVED);
	assert_string_equal(kit.error.class, "moved");
	assert_non_null(strstr(ask("GET user:a"), "second"));
	is(apply_one(store, 2, "a", "third"), VERDICT_DONE);
	is(apply_one(other, 2, "a", "late"), VERDICT_MOVED);
	assert_non_null(strstr(ask("GET user:a"), "third"));
	ask("FLUSHDB");
	is(apply_one(store, 3, "a", "no fence"), VERDICT_MOVED);
	assert_string_equal(kit.error.class, "no_fence");
	assert_string_equal(ask("DBSIZE"), "0");
	redis_store_free(other);
	redis_store_free(store);
}

static void a_refill_between_two_batches_costs_a_look_at_most(void **state)
{
	struct redis_store *store = at(0), *reader = opened();

	(void)state;
	is(apply_one(store, 0, "a", "x"), VERDICT_DONE);
	ask("CONFIG RESETSTAT");
	is(refresh_one(reader, 1, -1, -1, "b", "as old as the fence"), VERDICT_DONE);
	is(apply_one(store, 1, "a", "y"), VERDICT_DONE);
	assert_int_equal(calls("exec"), 1); /* it did not write the fence */
	is(refresh_one(reader, 3, -1, -1, "b", "MySQL is one ahead"), VERDICT_DONE);
	is(apply_one(store, 2, "a", "z"), VERDICT_DONE);
	assert_int_equal(calls("exec"), 3); /* nil, looked at again, done */
	fence_is(store, 3, 3, "");
	is(refresh_one(reader, 9, -1, -1, "b", "far ahead"), VERDICT_DONE);
	is(apply_one(store, 3, "b", "older"), VERDICT_MOVED);
	assert_string_equal(kit.error.class, "newer");
	assert_non_null(strstr(ask("GET user:b"), "far ahead"));
	redis_store_free(reader);
	redis_store_free(store);
}

static void own_refreshes_make_it_look_again(void **state)
{
	struct redis_store *store = at(0);

	(void)state;
	is(apply_one(store, 0, "a", "x"), VERDICT_DONE);
	is(refresh_one(store, 5, -1, -1, "a", "at 5"), VERDICT_DONE);
	is(apply_one(store, 1, "a", "older"), VERDICT_MOVED);
	assert_string_equal(kit.error.class, "newer");
	is(refresh_one(store, 5, 1, 5, "a", "at 5"), VERDICT_DONE);
	is(apply_one(store, 5, "a", "y"), VERDICT_DONE);
	redis_store_free(store);
}

/* An EXEC forgets every WATCH: that of another partition of the same worker, too. */
static void partitions_of_one_worker_are_watched_apart(void **state)
{
	struct redis_store *store = at(0), *other = opened();
	struct fence none = {.exists = false}, wanted = {.next = 0};
	struct users *first = users_new(kit.route, 0, 1), *second = users_new(kit.route, 0, 1);

	(void)state;
	is(redis_store_create_fence(store, kit.route, 1, &none, &wanted, &kit.error),
		VERDICT_DONE);
	second->batch.partition = 1;
	users_put(first, "a", "of 0", 1, "w");
	users_put(second, "b", "of 1", 1, "w");
	is(test_redis_apply(store, &first->batch, &kit.error), VERDICT_DONE);
	is(test_redis_apply(store, &second->batch, &kit.error), VERDICT_DONE);
	is(apply_one(other, 1, "a", "the new owner's"), VERDICT_DONE);
	first->batch.from = 1;
	first->batch.to = 2;
	is(test_redis_apply(store, &first->batch, &kit.error), VERDICT_MOVED);
	assert_non_null(strstr(ask("GET user:a"), "the new owner's"));
	second->batch.from = 1;
	second->batch.to = 2;
	is(test_redis_apply(store, &second->batch, &kit.error), VERDICT_DONE);
	users_free(first);
	users_free(second);
	redis_store_free(other);
	redis_store_free(store);
}

static _Atomic bool spoil, spoilt;

static void *spoil_fence(void *unused)
{
	redisContext *context = redisConnect(kit.server.host, kit.server.port);

	(void)unused;
	while (spoil) {
		freeReplyObject(
			redisCommand(context, "HSET writethrough:{g:users:0} rebuild r"));
		spoilt = true;
	}
	redisFree(context);
	return NULL;
}

static void a_fence_that_is_written_all_the_time_is_moved_all_the_same(void **state)
{
	struct redis_store *store = at(0);
	pthread_t thread;

	(void)state;
	spoil = true;
	pthread_create(&thread, NULL, spoil_fence, NULL);
	while (!spoilt)
		sched_yield();
	for (int64_t from = 0; from < 300; from++)
		is(apply_one(store, from, "a", "x"), VERDICT_DONE);
	spoil = false;
	pthread_join(thread, NULL);
	fence_is(store, 300, 300, "r");
	redis_store_free(store);
}

/* It cannot be, says the protocol: so here is a life time that Redis refuses when it is too late. */
static void a_fence_that_promises_what_was_not_written_is_taken_away(void **state)
{
	struct redis_store *store = at(0);

	(void)state;
	kit.route->cache_ttl_s = INT64_MAX;
	is(apply_one(store, 0, "a", "x"), VERDICT_RETRY);
	kit.route->cache_ttl_s = 0;
	assert_string_equal(ask("DBSIZE"), "0"); /* the claim makes a new one, with a rebuild */
	is(apply_one(store, 1, "a", "x"), VERDICT_MOVED);
	assert_string_equal(kit.error.class, "no_fence");
	redis_store_free(store);
}

static void who_may_not_watch_writes_by_script(void **state)
{
	struct redis_config poor = kit.config;
	struct redis_store *store = at(0);

	(void)state;
	redis_store_free(store);
	ask("ACL SETUSER poor on >secret ~* +@all -multi");
	poor.user = "poor";
	poor.password = "secret";
	store = redis_store_new(&poor);
	is(redis_store_connect(store, &kit.error), VERDICT_DONE);
	ask("CONFIG RESETSTAT");
	is(apply_one(store, 0, "a", "x"), VERDICT_DONE);
	assert_int_equal(calls("evalsha"), 1);
	ask("ACL DELUSER poor");
	redis_store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_is_one_trip_without_a_script),
		cmocka_unit_test(another_owner_between_two_batches_is_noticed),
		cmocka_unit_test(a_refill_between_two_batches_costs_a_look_at_most),
		cmocka_unit_test(own_refreshes_make_it_look_again),
		cmocka_unit_test(partitions_of_one_worker_are_watched_apart),
		cmocka_unit_test(a_fence_that_is_written_all_the_time_is_moved_all_the_same),
		cmocka_unit_test(a_fence_that_promises_what_was_not_written_is_taken_away),
		cmocka_unit_test(who_may_not_watch_writes_by_script),
	};

	return cmocka_run_group_tests(tests, redis_kit_setup, redis_kit_teardown);
}
