/*
 * consumer/pipeline/mysql_store when the server or somebody else is in the way: lost connections
 * at each step, foreign locks, wrong credentials.  needs: mariadb
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "consumer/pipeline/mysql_store.h"
#include "tests/lib/stores.h"
#include "tests/lib/users.h"

static struct test_server server;
static struct mysql_config config;
static const struct route *route;
static MYSQL *root;
static struct store_error error;

#define is(expression, verdict) test_is(expression, verdict, &error)

static struct mysql_store *at(int64_t next)
{
	struct mysql_store *store = mysql_store_new(&config);

	test_sql(root, "DELETE FROM users; DELETE FROM writethrough_ledger");
	is(mysql_store_connect(store, &error), VERDICT_DONE);
	is(mysql_store_create_position(store, route, 0, next, &error), VERDICT_DONE);
	return store;
}

static long position(void)
{
	return test_sql_long(root, -1, "SELECT next_offset FROM writethrough_ledger");
}

/* Every connection but root's. */
static void kill_the_connection(void)
{
	long id = test_sql_long(root, 0,
		"SELECT ID FROM information_schema.PROCESSLIST WHERE USER='root' AND DB='wt' "
		"AND "
		"ID<>CONNECTION_ID() ORDER BY ID DESC LIMIT 1");

	assert_true(id > 0);
	test_sql(root, "KILL %ld", id);
	for (int i = 0; i < 200; i++) {
		if (!test_sql_long(root, 0,
			    "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID=%ld",
			    id))
			return;
		usleep(5000);
	}
	fail_msg("connection %ld does not die", id);
}

static void a_connection_lost_at_any_step_is_reconnect(void **state)
{
	struct mysql_store *store = at(0);
	struct users *users = users_new(route, 0, 2);
	struct ledger ledger;
	struct row_list list = {0};

	(void)state;
	users_put_many(users, 0, 2, 1);
	kill_the_connection();
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_RECONNECT);
	assert_string_equal(error.class, "connection");
	is(mysql_store_rollback(store, &error), VERDICT_RECONNECT);
	is(mysql_store_connect(store, &error), VERDICT_DONE);

	is(mysql_store_execute(store, &users->batch, &error), VERDICT_DONE);
	kill_the_connection();
	is(mysql_store_commit(store, &error), VERDICT_RECONNECT);
	assert_int_equal(position(), 0);
	is(mysql_store_connect(store, &error), VERDICT_DONE);

	kill_the_connection();
	is(mysql_store_position(store, route, 0, &ledger, &error), VERDICT_RECONNECT);
	is(mysql_store_connect(store, &error), VERDICT_DONE);

	is(mysql_store_snapshot_begin(store, &error), VERDICT_DONE);
	kill_the_connection();
	is(mysql_store_snapshot_scan(store, route, NULL, 10, &list, &error), VERDICT_RECONNECT);
	is(mysql_store_connect(store, &error), VERDICT_DONE);

	kill_the_connection();
	is(mysql_store_probe(store, route, users->selected, 2, &error), VERDICT_RECONNECT);
	is(mysql_store_connect(store, &error), VERDICT_DONE);

	is(mysql_store_execute(store, &users->batch, &error), VERDICT_DONE);
	is(mysql_store_commit(store, &error), VERDICT_DONE);
	assert_int_equal(position(), 2);
	row_list_release(&list);
	users_free(users);
	mysql_store_free(store);
}

static void without_a_connection_every_call_says_so(void **state)
{
	struct mysql_store *store = mysql_store_new(&config);
	struct users *users = users_new(route, 0, 2);
	struct row_list list = {0};
	struct ledger ledger;
	int64_t next;

	(void)state;
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_RECONNECT);
	is(mysql_store_commit(store, &error), VERDICT_RECONNECT);
	is(mysql_store_rollback(store, &error), VERDICT_RECONNECT);
	is(mysql_store_position(store, route, 0, &ledger, &error), VERDICT_RECONNECT);
	is(mysql_store_create_position(store, route, 0, 0, &error), VERDICT_RECONNECT);
	is(mysql_store_snapshot_begin(store, &error), VERDICT_RECONNECT);
	is(mysql_store_snapshot_positions(store, route, &next, NULL, 1, &error),
		VERDICT_RECONNECT);
	is(mysql_store_snapshot_scan(store, route, NULL, 1, &list, &error), VERDICT_RECONNECT);
	is(mysql_store_snapshot_end(store, &error), VERDICT_RECONNECT);
	mysql_store_interrupt(store);
	row_list_release(&list);
	users_free(users);
	mysql_store_free(store);
	mysql_store_free(NULL);
}

static void a_foreign_lock_is_retry_not_poison(void **state)
{
	struct mysql_config brief = config;
	struct mysql_store *store;
	struct users *users = users_new(route, 0, 3);
	MYSQL *foreign = test_mysql_root(&server);

	(void)state;
	mysql_store_free(at(0));
	brief.io_timeout_ms = 3000; /* so the lock wait is 2 s */
	store = mysql_store_new(&brief);
	is(mysql_store_connect(store, &error), VERDICT_DONE);
	test_sql(foreign, "INSERT INTO users VALUES ('k00001','x',1,'y'); BEGIN; "
			  "UPDATE users SET age=2 WHERE id='k00001'");
	users_put_many(users, 0, 3, 1);
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_RETRY);
	assert_string_equal(error.class, "lock_timeout");
	assert_int_equal(position(), 0);
	test_sql(foreign, "ROLLBACK");
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_DONE);
	is(mysql_store_commit(store, &error), VERDICT_DONE);
	mysql_close(foreign);
	users_free(users);
	mysql_store_free(store);
}

struct foreigner {
	MYSQL *mysql;
	int failed;
};

static void *take_b_then_a(void *context)
{
	struct foreigner *foreigner = context;

	foreigner->failed =
		mysql_query(foreigner->mysql, "UPDATE users SET age=age+1 WHERE id='a'") != 0;
	return NULL;
}

/* The foreigner holds many rows, so the server chooses us as the victim. */
static void a_deadlock_is_retry_not_poison(void **state)
{
	struct mysql_store *store = at(0);
	struct users *users = users_new(route, 0, 1), *second = users_new(route, 0, 1);
	struct foreigner foreigner = {test_mysql_root(&server), 0};
	pthread_t thread;

	(void)state;
	test_sql(root, "INSERT INTO users VALUES ('a','x',1,'y'),('b','x',1,'y')");
	for (int i = 0; i < 50; i++)
		test_sql(root, "INSERT INTO users VALUES ('f%d','x',1,'y')", i);
	users_put(users, "a", "ours", 5, "");
	users_put(second, "b", "ours", 5, "");
	test_sql(foreigner.mysql,
		"BEGIN; UPDATE users SET age=age+1 WHERE id='b' OR id LIKE 'f%%'");
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_DONE);
	pthread_create(&thread, NULL, take_b_then_a, &foreigner);
	usleep(300000);
	is(mysql_store_probe(store, route, second->selected, 1, &error), VERDICT_RETRY);
	assert_string_equal(error.class, "deadlock");
	pthread_join(thread, NULL);
	assert_false(foreigner.failed);
	test_sql(foreigner.mysql, "COMMIT");
	assert_int_equal(position(), 0);
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_DONE);
	is(mysql_store_commit(store, &error), VERDICT_DONE);
	mysql_close(foreigner.mysql);
	users_free(users);
	users_free(second);
	mysql_store_free(store);
}

static void a_read_only_server_is_retry(void **state)
{
	struct mysql_config other = config;
	struct mysql_store *store;
	struct users *users = users_new(route, 0, 1);

	(void)state;
	mysql_store_free(at(0));
	test_sql(root, "DROP USER IF EXISTS plain; CREATE USER plain IDENTIFIED BY 'p'; "
		       "GRANT SELECT, INSERT, UPDATE, DELETE ON wt.* TO plain");
	other.user = "plain";
	other.password = "p";
	store = mysql_store_new(&other);
	is(mysql_store_connect(store, &error), VERDICT_DONE);
	test_sql(root, "SET GLOBAL read_only=1");
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_RETRY);
	assert_string_equal(error.class, "read_only");
	test_sql(root, "SET GLOBAL read_only=0");
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_DONE);
	is(mysql_store_rollback(store, &error), VERDICT_DONE);
	users_free(users);
	mysql_store_free(store);
}

static void wrong_password_database_or_rights_are_fatal(void **state)
{
	struct mysql_config wrong = config;
	struct mysql_store *store = mysql_store_new(&wrong);
	struct ledger ledger;

	(void)state;
	wrong.password = "wrong";
	is(mysql_store_connect(store, &error), VERDICT_FATAL);
	assert_string_equal(error.class, "rights");
	assert_non_null(strstr(error.msg.text, "Access denied"));
	assert_null(strstr(error.msg.text, "wrong"));
	wrong.password = NULL;
	wrong.database = "nowhere";
	is(mysql_store_connect(store, &error), VERDICT_FATAL);
	assert_string_equal(error.class, "schema");
	test_sql(root, "DROP USER IF EXISTS poor; CREATE USER poor IDENTIFIED BY 'p'; "
		       "GRANT SELECT ON wt.users TO poor");
	wrong.database = "wt";
	wrong.user = "poor";
	wrong.password = "p";
	is(mysql_store_connect(store, &error), VERDICT_DONE);
	is(mysql_store_position(store, route, 0, &ledger, &error), VERDICT_FATAL);
	assert_string_equal(error.class, "rights");
	mysql_store_free(store);
}

static void a_server_that_is_not_there_is_reconnect(void **state)
{
	struct mysql_config nobody = config;
	struct mysql_store *store = mysql_store_new(&nobody);

	(void)state;
	nobody.port = 1;
	is(mysql_store_connect(store, &error), VERDICT_RECONNECT);
	assert_non_null(strstr(error.msg.text, "127.0.0.1:1"));
	nobody.host = "no.such.host.invalid";
	is(mysql_store_connect(store, &error), VERDICT_RECONNECT);
	mysql_store_free(store);
}

static void a_table_that_vanished_is_fatal(void **state)
{
	struct mysql_store *store = at(0);
	struct users *users = users_new(route, 0, 1);

	(void)state;
	users_put(users, "a", "x", 1, "");
	test_sql(root, "RENAME TABLE users TO users_away");
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_FATAL);
	assert_string_equal(error.class, "schema");
	test_sql(root, "RENAME TABLE users_away TO users");
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_DONE);
	is(mysql_store_rollback(store, &error), VERDICT_DONE);
	users_free(users);
	mysql_store_free(store);
}

static void *interrupt_soon(void *store)
{
	usleep(200000);
	mysql_store_interrupt(store);
	return NULL;
}

static void an_interrupt_ends_a_blocked_call(void **state)
{
	struct mysql_config slow = config;
	struct mysql_store *store;
	struct ledger ledger;
	MYSQL *foreign = test_mysql_root(&server);
	pthread_t thread;
	int64_t start_ms;

	(void)state;
	mysql_store_free(at(0));
	slow.io_timeout_ms = 30000;
	store = mysql_store_new(&slow);
	is(mysql_store_connect(store, &error), VERDICT_DONE);
	test_sql(foreign, "BEGIN; SELECT * FROM writethrough_ledger FOR UPDATE");
	pthread_create(&thread, NULL, interrupt_soon, store);
	start_ms = clock_mono_ms();
	is(mysql_store_position(store, route, 0, &ledger, &error), VERDICT_RECONNECT);
	assert_true(clock_mono_ms() - start_ms < 3000);
	pthread_join(thread, NULL);
	test_sql(foreign, "ROLLBACK");
	is(mysql_store_connect(store, &error), VERDICT_DONE);
	is(mysql_store_position(store, route, 0, &ledger, &error), VERDICT_DONE);
	mysql_close(foreign);
	mysql_store_free(store);
}

static void the_position_waits_for_a_transaction_that_still_finishes(void **state)
{
	struct mysql_store *first = at(0), *second = mysql_store_new(&config);
	struct users *users = users_new(route, 0, 5);
	struct ledger ledger;

	(void)state;
	is(mysql_store_connect(second, &error), VERDICT_DONE);
	is(mysql_store_execute(first, &users->batch, &error), VERDICT_DONE);
	is(mysql_store_position(second, route, 0, &ledger, &error), VERDICT_RETRY);
	assert_string_equal(error.class, "lock_timeout");
	is(mysql_store_commit(first, &error), VERDICT_DONE);
	is(mysql_store_position(second, route, 0, &ledger, &error), VERDICT_DONE);
	assert_int_equal(ledger.next, 5);
	users_free(users);
	mysql_store_free(first);
	mysql_store_free(second);
}

static int setup(void **state)
{
	(void)state;
	test_mysql_start(&server);
	root = test_mysql_root(&server);
	config = test_mysql_config(&server);
	route = &config.mapping->routes[0];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mysql_close(root);
	test_server_stop(&server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_lost_at_any_step_is_reconnect),
		cmocka_unit_test(without_a_connection_every_call_says_so),
		cmocka_unit_test(a_foreign_lock_is_retry_not_poison),
		cmocka_unit_test(a_deadlock_is_retry_not_poison),
		cmocka_unit_test(a_read_only_server_is_retry),
		cmocka_unit_test(wrong_password_database_or_rights_are_fatal),
		cmocka_unit_test(a_server_that_is_not_there_is_reconnect),
		cmocka_unit_test(a_table_that_vanished_is_fatal),
		cmocka_unit_test(an_interrupt_ends_a_blocked_call),
		cmocka_unit_test(the_position_waits_for_a_transaction_that_still_finishes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
