/*
 * consumer/pipeline/mysql_store on a real server: the ledger decides, rows fit or are named, lost
 * connections and foreign transactions are what they are.  needs: mariadb
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
#include "common/mem.h"
#include "consumer/pipeline/mysql_store.h"
#include "tests/lib/stores.h"
#include "tests/lib/users.h"

static struct test_server server;
static struct mysql_config config;
static const struct route *route;
static MYSQL *root;
static struct store_error error;

#define is(expression, verdict) test_is(expression, verdict, &error)

static struct mysql_store *opened(void)
{
	struct mysql_store *store = mysql_store_new(&config);

	is(mysql_store_connect(store, &error), VERDICT_DONE);
	return store;
}

/* Empty tables, the ledger of partition 0 at `next`. */
static struct mysql_store *at(int64_t next)
{
	struct mysql_store *store = opened();

	test_sql(root, "DELETE FROM users; DELETE FROM writethrough_ledger");
	is(mysql_store_create_position(store, route, 0, next, &error), VERDICT_DONE);
	return store;
}

static long position(void)
{
	return test_sql_long(root, -1, "SELECT next_offset FROM writethrough_ledger");
}

static long row_count(void)
{
	return test_sql_long(root, -1, "SELECT COUNT(*) FROM users");
}

static void write_batch(struct mysql_store *store, struct users *users)
{
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_DONE);
	is(mysql_store_commit(store, &error), VERDICT_DONE);
}

static void a_batch_moves_ledger_and_rows_together(void **state)
{
	struct mysql_store *store = at(10);
	struct users *users = users_new(route, 10, 13);
	struct ledger ledger;

	(void)state;
	users_put(users, "a", "Anna", 30, "miller");
	users_put(users, "b", "Bert \xf0\x9f\x8d\x9e", -5, "");
	users_put(users, "z", "Zoe", 7, "it's \"quoted\" \\");
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_DONE);
	assert_int_equal(position(), 10);
	assert_int_equal(row_count(), 0);
	is(mysql_store_commit(store, &error), VERDICT_DONE);
	assert_int_equal(position(), 13);
	assert_int_equal(row_count(), 3);
	assert_string_equal(test_sql_text(root, "SELECT occupation FROM users WHERE id='z'"),
		"it's \"quoted\" \\");
	is(mysql_store_position(store, route, 0, &ledger, &error), VERDICT_DONE);
	assert_true(ledger.exists && ledger.has_digest);
	assert_int_equal(ledger.next, 13);
	assert_int_equal(ledger.last_timestamp, 1700000000123);
	assert_true(ledger.last_digest == 0xfedcba98u);
	assert_string_equal(
		test_sql_text(root, "SELECT updated_by FROM writethrough_ledger"), "test:1");
	users_free(users);
	mysql_store_free(store);
}

static void texts_are_utf8_where_the_server_sets_another_charset(void **state)
{
	struct mysql_config own = config;
	struct users *users = users_new(route, 10, 11);
	struct mysql_store *store;

	(void)state;
	test_sql(root, "DROP USER IF EXISTS plain; CREATE USER plain IDENTIFIED BY 'p'; GRANT "
		       "ALL ON wt.* TO plain; SET GLOBAL init_connect='SET NAMES latin1'");
	config.user = "plain"; /* init_connect is for whom SUPER is not granted */
	config.password = "p";
	store = at(10);
	users_put(users, "a", "\xc3\xa9", 1, "");
	write_batch(store, users);
	assert_string_equal(test_sql_text(root, "SELECT HEX(name) FROM users"), "C3A9");
	test_sql(root, "SET GLOBAL init_connect=''");
	config = own;
	users_free(users);
	mysql_store_free(store);
}

static void a_batch_from_elsewhere_is_refused_before_any_row(void **state)
{
	struct mysql_store *store = at(10);
	struct users *before = users_new(route, 9, 11), *behind = users_new(route, 11, 12);
	struct users *right = users_new(route, 10, 11);

	(void)state;
	users_put(before, "a", "x", 1, "");
	users_put(behind, "a", "x", 1, "");
	users_put(right, "a", "right", 1, "");
	is(mysql_store_execute(store, &before->batch, &error), VERDICT_MOVED);
	assert_string_equal(error.class, "moved");
	is(mysql_store_execute(store, &behind->batch, &error), VERDICT_MOVED);
	assert_int_equal(row_count(), 0);
	write_batch(store, right);
	is(mysql_store_execute(store, &right->batch, &error), VERDICT_MOVED);
	assert_int_equal(position(), 11);
	users_free(before);
	users_free(behind);
	users_free(right);
	mysql_store_free(store);
}

static void a_batch_of_a_ledger_that_was_reset_is_refused(void **state)
{
	struct mysql_store *store = at(10);
	struct users *users = users_new(route, 10, 11);
	struct ledger ledger;

	(void)state;
	test_sql(root, "UPDATE writethrough_ledger SET generation=7");
	users_put(users, "a", "x", 1, "");
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_MOVED);
	is(mysql_store_position(store, route, 0, &ledger, &error), VERDICT_DONE);
	assert_int_equal(ledger.generation, 7);
	users->batch.generation = 7;
	write_batch(store, users);
	users_free(users);
	mysql_store_free(store);
}

static void a_partition_without_a_ledger_row_is_refused(void **state)
{
	struct mysql_store *store = at(0);
	struct users *users = users_new(route, 0, 1);
	struct ledger ledger;

	(void)state;
	users->batch.partition = 3;
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_MOVED);
	is(mysql_store_position(store, route, 3, &ledger, &error), VERDICT_DONE);
	assert_false(ledger.exists);
	is(mysql_store_create_position(store, route, 3, 7, &error), VERDICT_DONE);
	is(mysql_store_create_position(store, route, 3, 8, &error), VERDICT_MOVED);
	is(mysql_store_position(store, route, 3, &ledger, &error), VERDICT_DONE);
	assert_int_equal(ledger.next, 7);
	assert_int_equal(ledger.last_timestamp, -1);
	assert_false(ledger.has_digest);
	users_free(users);
	mysql_store_free(store);
}

struct racer {
	struct mysql_store *store;
	struct users *users;
	enum verdict verdict;
	struct store_error error;
	pthread_t thread;
};

static void *race(void *context)
{
	struct racer *racer = context;

	racer->verdict = mysql_store_execute(racer->store, &racer->users->batch, &racer->error);
	if (racer->verdict == VERDICT_DONE)
		racer->verdict = mysql_store_commit(racer->store, &racer->error);
	return NULL;
}

static void of_two_owners_one_wins_each_batch(void **state)
{
	struct racer racers[2];

	(void)state;
	racers[0].store = at(0);
	racers[1].store = opened();
	for (int64_t from = 0; from < 40; from++) {
		int won = 0;

		for (int i = 0; i < 2; i++) {
			racers[i].users = users_new(route, from, from + 1);
			users_put_many(racers[i].users, 0, 20, (int)from);
			pthread_create(&racers[i].thread, NULL, race, &racers[i]);
		}
		for (int i = 0; i < 2; i++) {
			pthread_join(racers[i].thread, NULL);
			users_free(racers[i].users);
			won += racers[i].verdict == VERDICT_DONE;
			assert_true(racers[i].verdict == VERDICT_DONE ||
				    racers[i].verdict == VERDICT_MOVED);
		}
		assert_int_equal(won, 1);
		assert_int_equal(position(), from + 1);
	}
	mysql_store_free(racers[0].store);
	mysql_store_free(racers[1].store);
}

static void every_count_of_rows_is_written_exactly(void **state)
{
	static const int counts[] = {1, 2, 3, 9, 49, 99, 367, 499, 500, 501, 1234};
	struct mysql_store *store = at(0);
	int64_t from = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct users *users = users_new(route, from, from + counts[i]);

		users_put_many(users, 0, counts[i], (int)i);
		write_batch(store, users);
		assert_int_equal(test_sql_long(root, -1,
					 "SELECT COUNT(*) FROM users WHERE name='n%d' AND "
					 "age=SUBSTR(id,2)+%d AND occupation=CONCAT('w',"
					 "SUBSTR(id,2)+0)",
					 (int)i, (int)i),
			counts[i]);
		from += counts[i];
		users_free(users);
	}
	assert_int_equal(row_count(), 1234);
	mysql_store_free(store);
}

static void tombstones_delete_among_their_neighbours(void **state)
{
	struct mysql_store *store = at(0);
	struct users *fill = users_new(route, 0, 700), *mixed = users_new(route, 700, 1400);

	(void)state;
	users_put_many(fill, 0, 700, 1);
	write_batch(store, fill);
	for (int i = 0; i < 700; i++) {
		if (i % 3 == 0)
			users_put_many(mixed, i, 1, 2);
		else
			users_delete(mixed, fill->texts[i][0]);
	}
	users_delete(mixed, "never was there");
	write_batch(store, mixed);
	assert_int_equal(row_count(), 234);
	assert_int_equal(
		test_sql_long(root, -1, "SELECT COUNT(*) FROM users WHERE name='n2'"), 234);
	users_free(fill);
	users_free(mixed);
	mysql_store_free(store);
}

static void a_batch_without_rows_moves_the_position_alone(void **state)
{
	struct mysql_store *store = at(5);
	struct users *users = users_new(route, 5, 9);
	struct ledger ledger;

	(void)state;
	users->batch.has_last = false;
	write_batch(store, users);
	is(mysql_store_position(store, route, 0, &ledger, &error), VERDICT_DONE);
	assert_int_equal(ledger.next, 9);
	assert_false(ledger.has_digest);
	users_free(users);
	mysql_store_free(store);
}

static void a_value_that_never_fits_is_poison_and_names_its_row(void **state)
{
	struct mysql_store *store = at(0);
	struct users *users = users_new(route, 0, 130);
	char *huge = mem_zero(1, 300);

	(void)state;
	memset(huge, 'x', 299);
	users_put_many(users, 0, 120, 1);
	users_delete(users, "gone");
	users_put(users, "too long", huge, 1, "");
	users_put_many(users, 200, 8, 1);
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_POISON);
	assert_int_equal(error.code, 1406);
	assert_string_equal(error.class, "too_long");
	assert_int_equal(error.row, 121);
	assert_int_equal(position(), 0);
	assert_int_equal(row_count(), 0);
	is(mysql_store_probe(store, route, &users->selected[121], 1, &error), VERDICT_POISON);
	is(mysql_store_probe(store, route, users->selected, 121, &error), VERDICT_DONE);
	assert_int_equal(row_count(), 0);
	users_free(users);
	free(huge);
	mysql_store_free(store);
}

/* On an upsert (1366) and on a delete (1267, 1270 in a list): the column's charset has no such letter. */
static void a_key_that_the_column_cannot_spell_is_poison(void **state)
{
	static const char narrow[] =
		"ALTER TABLE users MODIFY id VARCHAR(64) CHARACTER SET latin1 "
		"COLLATE latin1_bin NOT NULL";
	struct mysql_store *store = at(0);
	struct users *users = users_new(route, 0, 3), *put = users_new(route, 0, 1);

	(void)state;
	test_sql(root, narrow);
	users_delete(users, "k00001");
	users_delete(users, "\xe6\x97\xa5");
	users_delete(users, "k00002");
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_POISON);
	assert_string_equal(error.class, "bad_value");
	is(mysql_store_probe(store, route, &users->selected[1], 1, &error), VERDICT_POISON);
	is(mysql_store_probe(store, route, &users->selected[0], 1, &error), VERDICT_DONE);
	users_put(put, "\xe6\x97\xa5", "x", 1, "");
	is(mysql_store_execute(store, &put->batch, &error), VERDICT_POISON);
	assert_int_equal(position(), 0);
	users_free(users);
	users_free(put);
	mysql_store_free(store);
	test_sql(root, "DROP TABLE users");
	test_sql_file(root, "sql/001_users.sql");
}

static void a_number_out_of_range_or_a_null_is_poison(void **state)
{
	struct mysql_store *store = at(0);
	struct users *users = users_new(route, 0, 2);
	struct row *row;

	(void)state;
	users_put(users, "fits", "x", 1, "");
	row = users_put(users, "no", "x", 1LL << 40, "");
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_POISON);
	assert_string_equal(error.class, "out_of_range");
	assert_int_equal(error.row, 1);
	row->cells[2].integer = 1;
	row->cells[1].kind = CELL_NULL;
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_POISON);
	assert_string_equal(error.class, "null");
	row->cells[1].kind = CELL_TEXT;
	write_batch(store, users);
	users_free(users);
	mysql_store_free(store);
}

static void a_row_above_the_packet_limit_is_poison_and_the_connection_lives(void **state)
{
	struct mysql_store *store = at(0);
	struct users *users = users_new(route, 0, 3);
	size_t bytes = (size_t)test_sql_long(root, 0, "SELECT @@max_allowed_packet") + 10;
	char *huge = mem_alloc(bytes);
	struct row *row;

	(void)state;
	memset(huge, 'x', bytes);
	users_put(users, "a", "x", 1, "");
	row = users_put(users, "b", "x", 1, "");
	row->cells[3].text = huge;
	row->cells[3].length = (uint32_t)bytes;
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_POISON);
	assert_int_equal(error.row, 1);
	row->cells[3].length = 3;
	write_batch(store, users);
	assert_int_equal(row_count(), 2);
	users_free(users);
	free(huge);
	mysql_store_free(store);
}

static void rows_near_the_packet_limit_go_in_several_statements(void **state)
{
	struct mysql_store *store;
	struct users *users = users_new(route, 0, 40);
	char *text = mem_alloc(1 << 20);

	(void)state;
	test_sql(root, "ALTER TABLE users MODIFY occupation LONGTEXT NOT NULL");
	store = at(0);
	memset(text, 'y', 1 << 20);
	users_put_many(users, 0, 40, 1);
	for (int i = 0; i < 40; i++)
		users->rows[i].cells[3] =
			(struct cell){.kind = CELL_TEXT, .length = 1 << 20, .text = text};
	write_batch(store, users);
	assert_int_equal(row_count(), 40);
	assert_int_equal(
		test_sql_long(root, 0, "SELECT MIN(LENGTH(occupation)) FROM users"), 1 << 20);
	users_free(users);
	free(text);
	mysql_store_free(store);
	test_sql(root, "DELETE FROM users; ALTER TABLE users MODIFY occupation VARCHAR(255) "
		       "NOT NULL");
}

static void append_mode_inserts_and_never_overwrites(void **state)
{
	struct route append = *route;
	struct mysql_store *store = at(0);
	struct users *users;

	(void)state;
	append.mode = ROUTE_APPEND;
	append.key_count = 0;
	users = users_new(&append, 0, 2);
	users_put(users, "a", "first", 1, "");
	users_put(users, "a", "second", 1, "");
	is(mysql_store_execute(store, &users->batch, &error), VERDICT_POISON);
	assert_string_equal(error.class, "duplicate");
	users->batch.selected_count = 1;
	write_batch(store, users);
	assert_string_equal(test_sql_text(root, "SELECT name FROM users"), "first");
	users_free(users);
	mysql_store_free(store);
}

/* Old MariaDB servers run triggers wrongly for an array (MDEV-24411): such a table gets none. */
static void a_table_with_triggers_is_written_whole_too(void **state)
{
	struct mysql_store *store;
	struct users *users = users_new(route, 0, 77);

	(void)state;
	test_sql(root,
		"CREATE TABLE seen (id VARCHAR(64), name VARCHAR(255)); CREATE TRIGGER watch "
		"BEFORE INSERT ON users FOR EACH ROW INSERT INTO seen VALUES (NEW.id, "
		"NEW.name)");
	store = at(0);
	users_put_many(users, 0, 77, 5);
	write_batch(store, users);
	assert_int_equal(test_sql_long(root, -1,
				 "SELECT COUNT(*) FROM seen JOIN users USING (id, name)"),
		77);
	test_sql(root, "DROP TRIGGER watch; DROP TABLE seen");
	users_free(users);
	mysql_store_free(store);
}

static int with_shapes(void **state)
{
	(void)state;
	config.shapes_only = true;
	return 0;
}

static int with_arrays(void **state)
{
	(void)state;
	config.shapes_only = false;
	return 0;
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
		cmocka_unit_test(a_batch_moves_ledger_and_rows_together),
		cmocka_unit_test(texts_are_utf8_where_the_server_sets_another_charset),
		cmocka_unit_test(a_batch_from_elsewhere_is_refused_before_any_row),
		cmocka_unit_test(a_batch_of_a_ledger_that_was_reset_is_refused),
		cmocka_unit_test(a_partition_without_a_ledger_row_is_refused),
		cmocka_unit_test(of_two_owners_one_wins_each_batch),
		cmocka_unit_test(every_count_of_rows_is_written_exactly),
		cmocka_unit_test(tombstones_delete_among_their_neighbours),
		cmocka_unit_test(a_batch_without_rows_moves_the_position_alone),
		cmocka_unit_test(a_value_that_never_fits_is_poison_and_names_its_row),
		cmocka_unit_test(a_key_that_the_column_cannot_spell_is_poison),
		cmocka_unit_test(a_number_out_of_range_or_a_null_is_poison),
		cmocka_unit_test(
			a_row_above_the_packet_limit_is_poison_and_the_connection_lives),
		cmocka_unit_test(rows_near_the_packet_limit_go_in_several_statements),
		cmocka_unit_test(append_mode_inserts_and_never_overwrites),
		cmocka_unit_test(a_table_with_triggers_is_written_whole_too),
	};
	int failed;

	if (setup(NULL))
		return 1;
	failed = cmocka_run_group_tests_name("shapes", tests, with_shapes, NULL);
	failed += cmocka_run_group_tests_name("arrays", tests, with_arrays, NULL);
	teardown(NULL);
	return failed;
}
