/*
 * consumer/pipeline/redis_store on a real server: every line of the scripts, a batch with and
 * without one, and what Redis may answer instead.  needs: redis
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/redis_kit.h"

static void a_batch_moves_fence_and_keys_together(void **state)
{
	struct redis_store *store = at(10);
	struct users *users = users_new(kit.route, 10, 13);

	(void)state;
	ask("SET user:gone x");
	users_put(users, "a", "Anna", 30, "miller");
	users_put(users, "b", "B \"q\" \n", 1, "");
	users_delete(users, "gone");
	is(test_redis_apply(store, &users->batch, &kit.error), VERDICT_DONE);
	assert_string_equal(ask("GET user:a"),
		"{\"id\":\"a\",\"name\":\"Anna\",\"age\":30,\"occupation\":\"miller\"}");
	assert_string_equal(ask("GET user:b"),
		"{\"id\":\"b\",\"name\":\"B \\\"q\\\" \\n\",\"age\":1,\"occupation\":\"\"}");
	assert_string_equal(ask("EXISTS user:gone"), "0");
	fence_is(store, 13, 13, "");
	assert_string_equal(ask("HGET writethrough:{g:users:0} next"), "00000000000000000013");
	assert_string_equal(ask("TTL writethrough:{g:users:0}"), "-1");
	users_free(users);
	redis_store_free(store);
}

static void a_batch_from_elsewhere_is_refused(void **state)
{
	struct redis_store *store = at(10);

	(void)state;
	is(apply_one(store, 9, "a", "late"), VERDICT_MOVED);
	assert_string_equal(kit.error.class, "moved");
	is(apply_one(store, 11, "a", "early"), VERDICT_MOVED);
	is(apply_one(store, 10, "a", "right"), VERDICT_DONE);
	is(apply_one(store, 10, "a", "again"), VERDICT_MOVED);
	assert_non_null(strstr(ask("GET user:a"), "right"));
	ask("DEL writethrough:{g:users:0}");
	is(apply_one(store, 11, "a", "no fence"), VERDICT_MOVED);
	assert_string_equal(kit.error.class, "no_fence");
	assert_string_equal(ask("EXISTS writethrough:{g:users:0}"), "0");
	assert_non_null(strstr(ask("GET user:a"), "right"));
	redis_store_free(store);
}

static void newer_rows_in_the_cache_refuse_an_older_batch(void **state)
{
	struct redis_store *store = at(10);

	(void)state;
	is(refresh_one(store, 20, -1, -1, "a", "at 20"), VERDICT_DONE);
	fence_is(store, 10, 20, "");
	is(apply_one(store, 10, "a", "at 11"), VERDICT_MOVED);
	assert_string_equal(kit.error.class, "newer");
	assert_non_null(strstr(ask("GET user:a"), "at 20"));
	redis_store_free(store);
}

static void offsets_compare_as_numbers_far_beyond_a_double(void **state)
{
	int64_t big = INT64_MAX - 3;
	struct redis_store *store = at(big);

	(void)state;
	is(apply_one(store, big - 1, "a", "x"), VERDICT_MOVED);
	is(apply_one(store, big, "a", "x"), VERDICT_DONE);
	fence_is(store, big + 1, big + 1, "");
	redis_store_free(store);
	store = at(9);
	is(refresh_one(store, 10, -1, -1, "a", "x"), VERDICT_DONE);
	is(apply_one(store, 9, "a", "x"), VERDICT_DONE);
	redis_store_free(store);
}

static void a_fence_is_made_once(void **state)
{
	struct redis_store *store = opened();
	struct fence fence;

	(void)state;
	ask("FLUSHALL");
	is(redis_store_fence(store, kit.route, 0, &fence, &kit.error), VERDICT_DONE);
	assert_false(fence.exists);
	is(make_fence(store, 5, "r1"), VERDICT_DONE);
	is(make_fence(store, 6, "r2"), VERDICT_MOVED);
	fence_is(store, 5, 5, "r1");
	is(redis_store_rebuilt(store, kit.route, 0, "r2", &kit.error), VERDICT_MOVED);
	fence_is(store, 5, 5, "r1");
	is(redis_store_rebuilt(store, kit.route, 0, "r1", &kit.error), VERDICT_DONE);
	fence_is(store, 5, 5, "");
	is(redis_store_rebuilt(store, kit.route, 0, "r1", &kit.error), VERDICT_MOVED);
	redis_store_free(store);
}

static enum verdict jump(struct redis_store *store, int64_t from, int64_t to)
{
	struct fence read = {.exists = true, .next = from};

	return redis_store_jump(store, kit.route, 0, &read, to, "r", &kit.error);
}

static void a_jump_needs_the_fence_where_it_was(void **state)
{
	struct redis_store *store = at(5);

	(void)state;
	is(jump(store, 4, 9), VERDICT_MOVED);
	fence_is(store, 5, 5, "");
	is(jump(store, 5, 9), VERDICT_DONE);
	fence_is(store, 9, 9, "r");
	ask("FLUSHALL");
	is(jump(store, 9, 12), VERDICT_MOVED);
	redis_store_free(store);
}

static void refresh_writes_only_what_cannot_be_older(void **state)
{
	struct redis_store *store = at(10);

	(void)state;
	is(refresh_one(store, 9, -1, -1, "a", "older"), VERDICT_MOVED);
	assert_string_equal(kit.error.class, "newer");
	is(refresh_one(store, -1, -1, -1, "a", "no ledger"), VERDICT_MOVED);
	ask("HSET writethrough:{g:users:0} seen 00000000000000000003");
	is(refresh_one(store, 9, -1, -1, "a", "below next"), VERDICT_MOVED);
	assert_string_equal(ask("EXISTS user:a"), "0");
	is(refresh_one(store, 10, -1, -1, "a", "same"), VERDICT_DONE);
	is(refresh_one(store, 15, -1, -1, "a", "newer"), VERDICT_DONE);
	fence_is(store, 10, 15, "");
	is(refresh_one(store, 12, -1, -1, "a", "older than seen"), VERDICT_MOVED);
	assert_non_null(strstr(ask("GET user:a"), "\"newer\""));
	is(refresh_one(store, 15, -1, -1, "a", NULL), VERDICT_DONE);
	assert_string_equal(ask("EXISTS user:a"), "0");
	ask("DEL writethrough:{g:users:0}");
	is(refresh_one(store, 99, -1, -1, "a", "no fence"), VERDICT_MOVED);
	assert_string_equal(ask("EXISTS user:a"), "0");
	redis_store_free(store);
}

static void catch_up_moves_the_fence_at_most_to_its_snapshot(void **state)
{
	struct redis_store *store = at(10);

	(void)state;
	is(refresh_one(store, 20, 9, 15, "a", "x"), VERDICT_MOVED);
	is(refresh_one(store, 20, 10, 21, "a", "x"), VERDICT_MOVED);
	assert_string_equal(ask("EXISTS user:a"), "0");
	is(refresh_one(store, 20, 10, 15, "a", "x"), VERDICT_DONE);
	fence_is(store, 15, 20, "");
	is(refresh_one(store, 20, 15, 20, "b", "x"), VERDICT_DONE);
	fence_is(store, 20, 20, "");
	is(apply_one(store, 20, "a", "y"), VERDICT_DONE);
	redis_store_free(store);
}

static void a_fence_of_another_generation_is_replaced_and_never_used(void **state)
{
	struct redis_store *store = at(10);
	struct fence read = {.exists = true, .next = 10}, wanted = {.next = 3, .generation = 8};
	struct users *users = users_new(kit.route, 3, 4);

	(void)state;
	users->batch.generation = 8;
	is(test_redis_apply(store, &users->batch, &kit.error), VERDICT_MOVED);
	read.next = 9;
	is(redis_store_create_fence(store, kit.route, 0, &read, &wanted, &kit.error),
		VERDICT_MOVED);
	read.next = 10;
	is(redis_store_create_fence(store, kit.route, 0, &read, &wanted, &kit.error),
		VERDICT_DONE);
	is(redis_store_create_fence(store, kit.route, 0, &read, &wanted, &kit.error),
		VERDICT_MOVED);
	fence_is(store, 3, 3, "");
	is(apply_one(store, 3, "a", "old generation"), VERDICT_MOVED);
	is(refresh_one(store, 99, -1, -1, "a", "old generation"), VERDICT_MOVED);
	is(test_redis_apply(store, &users->batch, &kit.error), VERDICT_DONE);
	fence_is(store, 4, 4, "");
	users_free(users);
	redis_store_free(store);
}

static void a_rebuild_mark_outlives_batches(void **state)
{
	struct redis_store *store = opened();

	(void)state;
	ask("FLUSHALL");
	is(make_fence(store, 0, "r"), VERDICT_DONE);
	is(apply_one(store, 0, "a", "x"), VERDICT_DONE);
	fence_is(store, 1, 1, "r");
	redis_store_free(store);
}

static void large_batches_are_written_whole(void **state)
{
	struct redis_store *store = at(0);
	struct users *users;

	(void)state;
	for (int round = 0; round < 2; round++) { /* hashes, too */
		kit.route->cache = round ? CACHE_HASH : CACHE_JSON;
		ask("FLUSHALL");
		is(make_fence(store, 0, ""), VERDICT_DONE);
		users = users_new(kit.route, 0, 5000);
		users_put_many(users, 0, USERS_ROWS, 1);
		is(test_redis_apply(store, &users->batch, &kit.error), VERDICT_DONE);
		assert_string_equal(ask("DBSIZE"), "2001");
		for (int i = 0; i < USERS_ROWS; i++)
			users->rows[i].tombstone = i % 2;
		users->batch.from = 5000;
		users->batch.to = 5001;
		is(test_redis_apply(store, &users->batch, &kit.error), VERDICT_DONE);
		assert_string_equal(ask("DBSIZE"), "1001");
		users_free(users);
	}
	kit.route->cache = CACHE_JSON;
	redis_store_free(store);
}

static void a_hash_holds_exactly_its_row(void **state)
{
	struct redis_store *store = at(0);
	struct users *users = users_new(kit.route, 0, 1);

	(void)state;
	kit.route->cache = CACHE_HASH;
	ask("HSET user:a stale 1 name old");
	users_put(users, "a", "Anna", 30, "x")->cells[3].kind = CELL_NULL;
	is(test_redis_apply(store, &users->batch, &kit.error), VERDICT_DONE);
	assert_string_equal(ask("HLEN user:a"), "3");
	assert_string_equal(ask("HGET user:a name"), "Anna");
	assert_string_equal(ask("HGET user:a age"), "30");
	assert_string_equal(ask("TTL user:a"), "-1");
	kit.route->cache_ttl_s = 100;
	users->batch.from = 1;
	users->batch.to = 2;
	is(test_redis_apply(store, &users->batch, &kit.error), VERDICT_DONE);
	assert_string_equal(ask("TTL user:a"), "100");
	kit.route->cache = CACHE_JSON;
	is(apply_one(store, 2, "a", "x"), VERDICT_DONE);
	assert_string_equal(ask("TTL user:a"), "100");
	assert_string_equal(ask("TYPE user:a"), "string");
	kit.route->cache_ttl_s = 0;
	is(apply_one(store, 3, "a", "x"), VERDICT_DONE);
	assert_string_equal(ask("TTL user:a"), "-1");
	users_free(users);
	redis_store_free(store);
}

static void without_a_cache_only_the_fence_moves(void **state)
{
	struct redis_store *store = at(0);

	(void)state;
	kit.route->cache = CACHE_NONE;
	is(apply_one(store, 0, "a", "x"), VERDICT_DONE);
	kit.route->cache = CACHE_JSON;
	fence_is(store, 1, 1, "");
	assert_string_equal(ask("DBSIZE"), "1");
	redis_store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_moves_fence_and_keys_together),
		cmocka_unit_test(a_batch_from_elsewhere_is_refused),
		cmocka_unit_test(newer_rows_in_the_cache_refuse_an_older_batch),
		cmocka_unit_test(offsets_compare_as_numbers_far_beyond_a_double),
		cmocka_unit_test(a_fence_is_made_once),
		cmocka_unit_test(a_jump_needs_the_fence_where_it_was),
		cmocka_unit_test(refresh_writes_only_what_cannot_be_older),
		cmocka_unit_test(catch_up_moves_the_fence_at_most_to_its_snapshot),
		cmocka_unit_test(a_fence_of_another_generation_is_replaced_and_never_used),
		cmocka_unit_test(a_rebuild_mark_outlives_batches),
		cmocka_unit_test(large_batches_are_written_whole),
		cmocka_unit_test(a_hash_holds_exactly_its_row),
		cmocka_unit_test(without_a_cache_only_the_fence_moves),
	};
	return cmocka_run_group_tests_name(
		       "by WATCH", tests, redis_kit_setup, redis_kit_teardown) +
	       cmocka_run_group_tests_name(
		       "by script", tests, redis_kit_setup_scripts, redis_kit_teardown);
}
