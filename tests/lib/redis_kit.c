#include "tests/lib/redis_kit.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

struct redis_kit kit;

int redis_kit_setup(void **state)
{
	(void)state;
	test_redis_start(&kit.server, NULL);
	kit.config = test_redis_config(&kit.server);
	kit.route = &users_mapping()->routes[0];
	kit.plain = test_redis_plain(&kit.server);
	return 0;
}

int redis_kit_setup_scripts(void **state)
{
	int code = redis_kit_setup(state);

	kit.config.scripts_only = true;
	return code;
}

int redis_kit_teardown(void **state)
{
	(void)state;
	redisFree(kit.plain);
	test_server_stop(&kit.server);
	return 0;
}

struct redis_store *opened(void)
{
	struct redis_store *store = redis_store_new(&kit.config);

	is(redis_store_connect(store, &kit.error), VERDICT_DONE);
	return store;
}

enum verdict make_fence(struct redis_store *store, int64_t next, const char *rebuild)
{
	struct fence none = {.exists = false}, wanted = {.next = next};

	snprintf(wanted.rebuild, sizeof(wanted.rebuild), "%s", rebuild);
	return redis_store_create_fence(store, kit.route, 0, &none, &wanted, &kit.error);
}

struct redis_store *at(int64_t next)
{
	struct redis_store *store = opened();

	ask("FLUSHALL");
	is(make_fence(store, next, ""), VERDICT_DONE);
	return store;
}

void fence_is(struct redis_store *store, int64_t next, int64_t seen, const char *rebuild)
{
	struct fence fence;

	is(redis_store_fence(store, kit.route, 0, &fence, &kit.error), VERDICT_DONE);
	assert_true(fence.exists);
	assert_int_equal(fence.next, next);
	assert_int_equal(fence.seen, seen);
	assert_string_equal(fence.rebuild, rebuild);
}

enum verdict apply_one(
	struct redis_store *store, int64_t from, const char *id, const char *name)
{
	struct users *users = users_new(kit.route, from, from + 1);
	enum verdict v;

	users_put(users, id, name, 1, "w");
	v = test_redis_apply(store, &users->batch, &kit.error);
	users_free(users);
	return v;
}

enum verdict refresh_one(struct redis_store *store, int64_t snapshot, int64_t from, int64_t to,
	const char *id, const char *name)
{
	struct users *users = users_new(kit.route, 0, 1);
	struct row *row = name ? users_put(users, id, name, 1, "w") : users_delete(users, id);
	struct refresh refresh = {.route = kit.route,
		.snapshot = snapshot,
		.advance_from = from,
		.advance_to = to,
		.rows = &row,
		.count = 1};
	enum verdict v = redis_store_refresh(store, &refresh, &kit.error);

	users_free(users);
	return v;
}
