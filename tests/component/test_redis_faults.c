/*
 * consumer/pipeline/redis_store when Redis says no, or nothing: each answer has its verdict.
 * needs: redis
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "consumer/pipeline/redis_store.h"
#include "tests/lib/stores.h"
#include "tests/lib/users.h"

static struct test_server server;
static struct redis_config config;
static struct route *route;
static redisContext *plain;
static struct store_error error;

#define is(expression, verdict) test_is(expression, verdict, &error)

__attribute__((format(printf, 1, 2))) static void ask(const char *format, ...)
{
	va_list args;
	redisReply *reply;

	va_start(args, format);
	reply = redisvCommand(plain, format, args);
	va_end(args);
	assert_non_null(reply);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", format, reply->str);
	freeReplyObject(reply);
}

/* The first fence of partition 0. */
static enum verdict make_fence(struct redis_store *store, int64_t next, const char *rebuild)
{
	struct fence none = {.exists = false}, wanted = {.next = next};

	snprintf(wanted.rebuild, sizeof(wanted.rebuild), "%s", rebuild);
	return redis_store_create_fence(store, route, 0, &none, &wanted, &error);
}

static struct redis_store *at(int64_t next)
{
	struct redis_store *store = redis_store_new(&config);

	ask("FLUSHALL");
	is(redis_store_connect(store, &error), VERDICT_DONE);
	is(make_fence(store, next, ""), VERDICT_DONE);
	return store;
}

static enum verdict apply_one(struct redis_store *store, int64_t from)
{
	struct users *users = users_new(route, from, from + 1);
	enum verdict v;

	users_put(users, "a", "Anna", 1, "w");
	v = test_redis_apply(store, &users->batch, &error);
	users_free(users);
	return v;
}

static void scripts_that_redis_forgot_are_loaded_again(void **state)
{
	struct redis_store *store = at(0);

	(void)state;
	ask("SCRIPT FLUSH");
	is(apply_one(store, 0), VERDICT_DONE);
	is(apply_one(store, 1), VERDICT_DONE);
	redis_store_free(store);
}

static void full_memory_is_retry_and_writes_nothing(void **state)
{
	struct redis_store *store = at(0);
	struct fence fence;

	(void)state;
	ask("CONFIG SET maxmemory 1");
	is(apply_one(store, 0), VERDICT_RETRY);
	assert_string_equal(error.class, "oom");
	ask("CONFIG SET maxmemory 0");
	is(redis_store_fence(store, route, 0, &fence, &error), VERDICT_DONE);
	assert_int_equal(fence.next, 0);
	is(apply_one(store, 0), VERDICT_DONE);
	redis_store_free(store);
}

static void a_replica_is_not_written_to(void **state)
{
	struct redis_store *store = at(0);
	struct errmsg warning;

	(void)state;
	ask("REPLICAOF 127.0.0.1 1");
	is(apply_one(store, 0), VERDICT_RECONNECT);
	assert_string_equal(error.class, "read_only");
	is(redis_store_check(store, &warning, &error), VERDICT_RECONNECT);
	ask("REPLICAOF NO ONE");
	is(apply_one(store, 0), VERDICT_DONE);
	redis_store_free(store);
}

static void a_fence_that_is_no_fence_is_fatal(void **state)
{
	struct redis_store *store = at(0);
	struct fence fence;

	(void)state;
	ask("SET writethrough:{g:users:0} x");
	is(redis_store_fence(store, route, 0, &fence, &error), VERDICT_FATAL);
	assert_string_equal(error.class, "schema");
	is(apply_one(store, 0), VERDICT_FATAL);
	is(make_fence(store, 0, ""), VERDICT_FATAL);
	ask("DEL writethrough:{g:users:0}");
	ask("HSET writethrough:{g:users:0} next 12");
	is(redis_store_fence(store, route, 0, &fence, &error), VERDICT_FATAL);
	ask("HSET writethrough:{g:users:0} next 0000000000000000001x");
	is(redis_store_fence(store, route, 0, &fence, &error), VERDICT_FATAL);
	redis_store_free(store);
}

static void a_lost_connection_is_reconnect(void **state)
{
	struct redis_store *store = at(0);
	struct fence fence;

	(void)state;
	ask("CLIENT KILL TYPE normal SKIPME yes");
	is(apply_one(store, 0), VERDICT_RECONNECT);
	assert_string_equal(error.class, "connection");
	is(redis_store_fence(store, route, 0, &fence, &error), VERDICT_RECONNECT);
	is(redis_store_connect(store, &error), VERDICT_DONE);
	is(apply_one(store, 0), VERDICT_DONE);
	redis_store_free(store);
}

static void without_a_connection_every_call_says_so(void **state)
{
	struct redis_store *store = redis_store_new(&config);
	struct fence fence;
	struct errmsg warning;

	(void)state;
	is(apply_one(store, 0), VERDICT_RECONNECT);
	is(redis_store_fence(store, route, 0, &fence, &error), VERDICT_RECONNECT);
	is(redis_store_check(store, &warning, &error), VERDICT_RECONNECT);
	redis_store_interrupt(store);
	redis_store_free(store);
	redis_store_free(NULL);
}

static void nobody_there_is_reconnect(void **state)
{
	struct redis_config nobody = config;
	struct redis_store *store = redis_store_new(&nobody);

	(void)state;
	nobody.port = 1;
	is(redis_store_connect(store, &error), VERDICT_RECONNECT);
	assert_non_null(strstr(error.msg.text, "127.0.0.1:1"));
	redis_store_free(store);
}

static void a_server_that_hangs_costs_the_timeout(void **state)
{
	struct redis_config brief = config;
	struct redis_store *store;
	int64_t start_ms;

	(void)state;
	brief.io_timeout_ms = 300;
	redis_store_free(at(0));
	store = redis_store_new(&brief);
	is(redis_store_connect(store, &error), VERDICT_DONE);
	kill(server.pid, SIGSTOP);
	start_ms = clock_mono_ms();
	is(apply_one(store, 0), VERDICT_RECONNECT);
	kill(server.pid, SIGCONT);
	assert_true(clock_mono_ms() - start_ms < 2000);
	redis_store_free(store);
}

static void *interrupt_soon(void *store)
{
	usleep(200000);
	redis_store_interrupt(store);
	return NULL;
}

static void an_interrupt_ends_a_blocked_call(void **state)
{
	struct redis_config slow = config;
	struct redis_store *store;
	pthread_t thread;
	int64_t start_ms;

	(void)state;
	slow.io_timeout_ms = 30000;
	redis_store_free(at(0));
	store = redis_store_new(&slow);
	is(redis_store_connect(store, &error), VERDICT_DONE);
	kill(server.pid, SIGSTOP);
	pthread_create(&thread, NULL, interrupt_soon, store);
	start_ms = clock_mono_ms();
	is(apply_one(store, 0), VERDICT_RECONNECT);
	kill(server.pid, SIGCONT);
	assert_true(clock_mono_ms() - start_ms < 5000);
	pthread_join(thread, NULL);
	redis_store_free(store);
}

static void passwords_users_and_databases_are_used(void **state)
{
	struct redis_config with = config;
	struct redis_store *store = redis_store_new(&with);

	(void)state;
	ask("FLUSHALL");
	ask("ACL SETUSER poor on >secret ~nothing +@all");
	ask("ACL SETUSER rich on >secret ~* +@all");
	with.user = "poor";
	with.password = "wrong!";
	is(redis_store_connect(store, &error), VERDICT_FATAL);
	assert_string_equal(error.class, "rights");
	assert_null(strstr(error.msg.text, "wrong!"));
	with.password = "secret";
	is(redis_store_connect(store, &error), VERDICT_DONE);
	is(apply_one(store, 0), VERDICT_FATAL);
	assert_string_equal(error.class, "rights");
	with.user = "rich";
	with.database = 3;
	is(redis_store_connect(store, &error), VERDICT_DONE);
	is(make_fence(store, 0, ""), VERDICT_DONE);
	is(apply_one(store, 0), VERDICT_DONE);
	ask("SELECT 3");
	ask("RENAME user:a user:b"); /* an error when it is not there */
	ask("SELECT 0");
	with.database = 99;
	is(redis_store_connect(store, &error), VERDICT_FATAL);
	with.database = 0;
	ask("CONFIG SET requirepass topsecret");
	with.user = NULL;
	with.password = NULL;
	is(redis_store_connect(store, &error), VERDICT_FATAL);
	with.password = "topsecret";
	is(redis_store_connect(store, &error), VERDICT_DONE);
	ask("CONFIG SET requirepass %s", "");
	redis_store_free(store);
}

static void an_eviction_policy_that_may_take_the_fence_is_a_warning(void **state)
{
	struct redis_store *store = at(0);
	struct errmsg warning;

	(void)state;
	is(redis_store_check(store, &warning, &error), VERDICT_DONE);
	assert_string_equal(warning.text, "");
	ask("CONFIG SET maxmemory 100000000");
	ask("CONFIG SET maxmemory-policy allkeys-lru");
	is(redis_store_check(store, &warning, &error), VERDICT_DONE);
	assert_non_null(strstr(warning.text, "allkeys-lru"));
	ask("CONFIG SET maxmemory-policy volatile-ttl");
	is(redis_store_check(store, &warning, &error), VERDICT_DONE);
	assert_string_equal(warning.text, "");
	ask("CONFIG SET maxmemory-policy noeviction");
	ask("CONFIG SET maxmemory 0");
	redis_store_free(store);
}

#ifndef WT_REDIS_TLS
static void tls_that_was_not_built_in_is_said(void **state)
{
	struct redis_config tls = config;
	struct redis_store *store = redis_store_new(&tls);

	(void)state;
	tls.tls = true;
	is(redis_store_connect(store, &error), VERDICT_FATAL);
	assert_non_null(strstr(error.msg.text, "built without"));
	redis_store_free(store);
}
#endif

static int setup(void **state)
{
	(void)state;
	test_redis_start(&server, NULL);
	config = test_redis_config(&server);
	route = &users_mapping()->routes[0];
	plain = test_redis_plain(&server);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	redisFree(plain);
	test_server_stop(&server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_that_redis_forgot_are_loaded_again),
		cmocka_unit_test(full_memory_is_retry_and_writes_nothing),
		cmocka_unit_test(a_replica_is_not_written_to),
		cmocka_unit_test(a_fence_that_is_no_fence_is_fatal),
		cmocka_unit_test(a_lost_connection_is_reconnect),
		cmocka_unit_test(without_a_connection_every_call_says_so),
		cmocka_unit_test(nobody_there_is_reconnect),
		cmocka_unit_test(a_server_that_hangs_costs_the_timeout),
		cmocka_unit_test(an_interrupt_ends_a_blocked_call),
		cmocka_unit_test(passwords_users_and_databases_are_used),
		cmocka_unit_test(an_eviction_policy_that_may_take_the_fence_is_a_warning),
#ifndef WT_REDIS_TLS
		cmocka_unit_test(tls_that_was_not_built_in_is_said),
#endif
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
