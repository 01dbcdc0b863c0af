/*
 * consumer/pipeline/rebuild on real servers: a cache that lost its data is whole again, never
 * older than it was, and nothing is claimed that was not done.  needs: mariadb, redis
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "consumer/pipeline/key_partition.h"
#include "consumer/pipeline/rebuild.h"
#include "tests/lib/stores.h"
#include "tests/lib/users.h"

#define PARTITIONS 6
#define ROWS	   3000
#define WAIT_MS	   20000

static struct test_server mysql_server, redis_server;
static struct mysql_config mysql;
static struct redis_config redis;
static struct rebuild_config config;
static const struct route *route;
static MYSQL *root;
static redisContext *plain;
static struct store_error error;

#define ask(...) test_redis_ask(plain, __VA_ARGS__)

static int32_t partition_of(const char *id)
{
	struct cell cells[4] = {
		{.kind = CELL_TEXT, .length = (uint32_t)strlen(id), .text = id}};
	struct row row = {.cells = cells};

	return key_partition(route, &row, PARTITIONS);
}

static void id_of(int i, char id[16])
{
	snprintf(id, 16, "k%05d", i);
}

/* ROWS rows in MySQL, all ledgers at 10, an empty Redis with marked fences at 10. */
static void lose_the_cache(const char *mark)
{
	char values[ROWS * 32], *at = values;

	test_sql(root,
		"DELETE FROM users; DELETE FROM writethrough_ledger; DELETE FROM "
		"writethrough_route; INSERT INTO writethrough_route VALUES "
		"('users','g','users',%d)",
		PARTITIONS);
	for (int i = 0; i < ROWS; i++)
		at += sprintf(at, "%s('k%05d','n',%d,'w')", i ? "," : "", i, i);
	test_sql(root, "INSERT INTO users VALUES %s", values);
	ask("FLUSHALL");
	for (int p = 0; p < PARTITIONS; p++) {
		test_sql(root,
			"INSERT INTO writethrough_ledger (group_id, topic, partition_id, "
			"next_offset) VALUES ('g','users',%d,10)",
			p);
		ask("HSET writethrough:{g:users:%d} next 00000000000000000010 seen "
		    "00000000000000000010 generation 0 rebuild %s",
			p, mark);
	}
}

static struct rebuild *started(const char *mark, int partitions)
{
	struct rebuild *rebuild = rebuild_new(&config);
	struct rebuild_want wants[PARTITIONS];
	struct errmsg msg;

	for (int p = 0; p < partitions; p++)
		wants[p] = (struct rebuild_want){route, p, rebuild_mark(mark)};
	assert_int_equal(rebuild_start(rebuild, &msg), 0);
	rebuild_set_wanted(rebuild, wants, (size_t)partitions);
	return rebuild;
}

static bool is_done(struct rebuild *rebuild, const char *mark, int partition)
{
	struct rebuild_want want = {route, partition, rebuild_mark(mark)};

	return rebuild_state(rebuild, &want).done;
}

static void wait_done(struct rebuild *rebuild, const char *mark, int partitions)
{
	int64_t deadline_ms = clock_mono_ms() + WAIT_MS;

	for (int p = 0; p < partitions; p++) {
		while (!is_done(rebuild, mark, p)) {
			if (clock_mono_ms() > deadline_ms)
				fail_msg("partition %d is not rebuilt", p);
			usleep(5000);
		}
	}
}

static const char *mark_of(int partition)
{
	return ask("HGET writethrough:{g:users:%d} rebuild", partition);
}

/* How many of the rows are in the cache as MySQL has them; `partition` -1: of any. */
static int rows_right(int partition)
{
	MYSQL_RES *result;
	MYSQL_ROW row;
	int right = 0;

	assert_int_equal(
		mysql_query(root, "SELECT id, CONCAT('{\"id\":\"',id,'\",\"name\":\"',name,"
				  "'\",\"age\":',age,',\"occupation\":\"',occupation,'\"}') "
				  "FROM users"),
		0);
	result = mysql_store_result(root);
	while ((row = mysql_fetch_row(result))) {
		if (partition < 0 || partition_of(row[0]) == partition)
			right += !strcmp(ask("GET user:%s", row[0]), row[1]);
	}
	mysql_free_result(result);
	return right;
}

static void an_empty_cache_is_filled_and_the_marks_come_off(void **state)
{
	struct rebuild *rebuild;

	(void)state;
	lose_the_cache("m1");
	rebuild = started("m1", PARTITIONS);
	wait_done(rebuild, "m1", PARTITIONS);
	assert_int_equal(rows_right(-1), ROWS);
	for (int p = 0; p < PARTITIONS; p++)
		assert_string_equal(mark_of(p), "(nil)");
	assert_false(is_done(rebuild, "another", 0));
	rebuild_free(rebuild);
}

static void only_what_is_ours_is_written(void **state)
{
	struct rebuild *rebuild;

	(void)state;
	lose_the_cache("m1");
	rebuild = started("m1", 1);
	wait_done(rebuild, "m1", 1);
	assert_true(rows_right(0) > 0);
	assert_int_equal(rows_right(0), rows_right(-1));
	assert_string_equal(mark_of(0), "(nil)");
	assert_string_equal(mark_of(1), "m1");
	rebuild_free(rebuild);
}

static void a_key_whose_row_is_gone_is_removed(void **state)
{
	struct rebuild *rebuild;
	char id[16];

	(void)state;
	lose_the_cache("m1");
	for (int i = 0; i < 2000; i++)
		ask("SET user:ghost%d x", i);
	ask("SET other:ghost x");
	id_of(7, id);
	ask("SET user:%s stale", id);
	rebuild = started("m1", PARTITIONS);
	wait_done(rebuild, "m1", PARTITIONS);
	assert_int_equal(rows_right(-1), ROWS);
	assert_int_equal(atoi(ask("DBSIZE")), ROWS + PARTITIONS + 1);
	assert_string_equal(ask("GET other:ghost"), "x");
	rebuild_free(rebuild);
}

static void a_mark_made_meanwhile_stays_for_the_next_pass(void **state)
{
	struct rebuild_want want = {NULL, 0, 0};
	struct rebuild *rebuild;

	(void)state;
	lose_the_cache("m1");
	config.rows_per_s = 6000;
	rebuild = started("m1", 1);
	usleep(200000);
	ask("HSET writethrough:{g:users:0} rebuild m2");
	usleep(700000); /* the first pass has ended by now */
	want = (struct rebuild_want){route, 0, rebuild_mark("m2")};
	rebuild_set_wanted(rebuild, &want, 1);
	wait_done(rebuild, "m2", 1);
	assert_string_equal(mark_of(0), "(nil)");
	config.rows_per_s = 1000000;
	rebuild_free(rebuild);
}

static void a_stop_is_prompt_and_a_restart_begins_again(void **state)
{
	struct rebuild *rebuild;
	int64_t start_ms;

	(void)state;
	lose_the_cache("m1");
	config.rows_per_s = 500; /* a second a chunk */
	rebuild = started("m1", PARTITIONS);
	usleep(300000);
	start_ms = clock_mono_ms();
	rebuild_stop(rebuild);
	assert_true(clock_mono_ms() - start_ms < 1000);
	rebuild_free(rebuild);
	assert_string_equal(mark_of(0), "m1");
	assert_true(rows_right(-1) < ROWS);
	config.rows_per_s = 1000000;
	rebuild = started("m1", PARTITIONS);
	wait_done(rebuild, "m1", PARTITIONS);
	assert_int_equal(rows_right(-1), ROWS);
	rebuild_free(rebuild);
}

static void the_rate_is_kept_and_the_ratio_grows(void **state)
{
	struct rebuild_want want = {route, 0, rebuild_mark("m1")};
	struct rebuild *rebuild;
	int64_t start_ms = clock_mono_ms();
	double last = 0;

	(void)state;
	lose_the_cache("m1");
	test_sql(root, "ANALYZE TABLE users");
	config.rows_per_s = 4000;
	rebuild = started("m1", PARTITIONS);
	while (!is_done(rebuild, "m1", 0)) {
		double ratio = rebuild_state(rebuild, &want).ratio;

		assert_true(is_done(rebuild, "m1", 0) || ratio >= last);
		last = ratio > last ? ratio : last;
		assert_true(clock_mono_ms() - start_ms < WAIT_MS);
		usleep(2000);
	}
	assert_true(clock_mono_ms() - start_ms > ROWS * 1000 / 4000);
	assert_true(last > 0.5);
	assert_true(rebuild_state(rebuild, &want).ratio >= 1);
	config.rows_per_s = 1000000;
	rebuild_free(rebuild);
}

/* Batches of partition 0, one after another, as its worker would write them. */
struct writer {
	pthread_t thread;
	atomic_bool stop;
	int64_t position;
	int moved;
};

static bool write_one(struct mysql_store *to_mysql, struct redis_store *to_redis,
	struct writer *writer, int salt)
{
	struct users *users = users_new(route, writer->position, writer->position + 50);
	enum verdict v = VERDICT_DONE;
	char id[16];

	for (int i = (salt * 37) % ROWS, n = 0; n < 20 && i < ROWS; i++) {
		id_of(i, id);
		if (partition_of(id) != 0)
			continue;
		n++;
		if (i % 5 == 0) {
			char *text = users->texts[users->batch.selected_count][0];

			snprintf(text, 48, "%s", id);
			users_delete(users, text);
		} else {
			users_put_many(users, i, 1, salt);
		}
	}
	if (mysql_store_execute(to_mysql, &users->batch, &error) != VERDICT_DONE ||
		mysql_store_commit(to_mysql, &error) != VERDICT_DONE)
		fail_msg("writer: %s", error.msg.text);
	v = test_redis_apply(to_redis, &users->batch, &error);
	writer->moved += v != VERDICT_DONE;
	writer->position += 50;
	users_free(users);
	return v == VERDICT_DONE;
}

static void *write_on(void *context)
{
	struct writer *writer = context;
	struct mysql_store *to_mysql = mysql_store_new(&mysql);
	struct redis_store *to_redis = redis_store_new(&redis);
	struct store_error own;

	if (mysql_store_connect(to_mysql, &own) || redis_store_connect(to_redis, &own))
		abort();
	for (int salt = 1; !atomic_load(&writer->stop); salt++) {
		if (!write_one(to_mysql, to_redis, writer, salt))
			break;
	}
	mysql_store_free(to_mysql);
	redis_store_free(to_redis);
	return NULL;
}

static void batches_go_on_meanwhile_and_are_never_refused(void **state)
{
	struct writer writer = {.position = 10};
	struct rebuild *rebuild;

	(void)state;
	lose_the_cache("m1");
	pthread_create(&writer.thread, NULL, write_on, &writer);
	usleep(50000);
	config.rows_per_s = 3000; /* a second, at least */
	rebuild = started("m1", PARTITIONS);
	wait_done(rebuild, "m1", PARTITIONS);
	config.rows_per_s = 1000000;
	atomic_store(&writer.stop, true);
	pthread_join(writer.thread, NULL);
	assert_int_equal(writer.moved, 0);
	assert_true(writer.position > 1000);
	assert_int_equal(
		rows_right(-1), (int)test_sql_long(root, 0, "SELECT COUNT(*) FROM users"));
	assert_int_equal(atoi(ask("DBSIZE")),
		PARTITIONS + (int)test_sql_long(root, 0, "SELECT COUNT(*) FROM users"));
	rebuild_free(rebuild);
}

static void a_lost_connection_only_delays_it(void **state)
{
	struct rebuild *rebuild;
	long id;

	(void)state;
	lose_the_cache("m1");
	config.rows_per_s = 3000;
	rebuild = started("m1", PARTITIONS);
	usleep(300000);
	id = test_sql_long(root, 0,
		"SELECT ID FROM information_schema.PROCESSLIST WHERE DB='wt' AND "
		"ID<>CONNECTION_ID() ORDER BY ID DESC LIMIT 1");
	test_sql(root, "KILL %ld", id);
	config.rows_per_s = 1000000;
	wait_done(rebuild, "m1", PARTITIONS);
	assert_int_equal(rows_right(-1), ROWS);
	rebuild_free(rebuild);
}

static void a_route_that_cannot_be_rebuilt_is_said_and_holds_nobody_up(void **state)
{
	struct route other = *route;
	struct rebuild_want wants[2] = {
		{&other, 0, rebuild_mark("m1")}, {route, 0, rebuild_mark("m1")}};
	struct rebuild *rebuild = rebuild_new(&config);
	struct errmsg msg;

	(void)state;
	lose_the_cache("m1");
	other.key_count = 2;
	assert_int_equal(rebuild_start(rebuild, &msg), 0);
	rebuild_set_wanted(rebuild, wants, 2);
	wait_done(rebuild, "m1", 1);
	assert_false(rebuild_state(rebuild, &wants[0]).done);
	assert_true(rebuild_state(rebuild, &wants[0]).ratio < 0);
	rebuild_free(rebuild);
}

static int setup(void **state)
{
	(void)state;
	log_setup(LOG_ERROR, LOG_LOGFMT);
	test_mysql_start(&mysql_server);
	test_redis_start(&redis_server, NULL);
	root = test_mysql_root(&mysql_server);
	plain = test_redis_plain(&redis_server);
	mysql = test_mysql_config(&mysql_server);
	redis = test_redis_config(&redis_server);
	config = (struct rebuild_config){.mapping = mysql.mapping,
		.mysql = &mysql,
		.redis = &redis,
		.rows_per_s = 1000000};
	route = &mysql.mapping->routes[0];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	redisFree(plain);
	mysql_close(root);
	test_server_stop(&redis_server);
	test_server_stop(&mysql_server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_cache_is_filled_and_the_marks_come_off),
		cmocka_unit_test(only_what_is_ours_is_written),
		cmocka_unit_test(a_key_whose_row_is_gone_is_removed),
		cmocka_unit_test(a_mark_made_meanwhile_stays_for_the_next_pass),
		cmocka_unit_test(a_stop_is_prompt_and_a_restart_begins_again),
		cmocka_unit_test(the_rate_is_kept_and_the_ratio_grows),
		cmocka_unit_test(batches_go_on_meanwhile_and_are_never_refused),
		cmocka_unit_test(a_lost_connection_only_delays_it),
		cmocka_unit_test(a_route_that_cannot_be_rebuilt_is_said_and_holds_nobody_up),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
