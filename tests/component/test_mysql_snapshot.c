/*
 * mysql_store's reads: one moment, cells as decode makes them, keys without a row as tombstones.
 * needs: mariadb
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "consumer/pipeline/mysql_store.h"
#include "tests/lib/stores.h"
#include "tests/lib/users.h"

static struct test_server server;
static struct mysql_config config;
static struct mapping mapping;
static struct route routes[2];
static MYSQL *root;
static struct store_error error;

#define USERS (&routes[0])
#define KINDS (&routes[1])

#define done(expression) is_done(expression, #expression, __LINE__)

static void is_done(enum verdict got, const char *what, int line)
{
	if (got != VERDICT_DONE)
		fail_msg(
			"line %d: %s is %s: %s", line, what, verdict_name(got), error.msg.text);
}

static struct mysql_store *opened(void)
{
	struct mysql_store *store = mysql_store_new(&config);

	test_sql(root, "DELETE FROM users; DELETE FROM kinds; DELETE FROM writethrough_ledger");
	done(mysql_store_connect(store, &error));
	return store;
}

static void write(struct mysql_store *store, struct users *users)
{
	done(mysql_store_execute(store, &users->batch, &error));
	done(mysql_store_commit(store, &error));
}

static int text_is(const struct cell *cell, const char *text)
{
	return cell->kind == CELL_TEXT && cell->length == strlen(text) &&
	       !memcmp(cell->text, text, cell->length);
}

static void rows_come_in_the_order_asked_for(void **state)
{
	struct mysql_store *store = opened();
	struct users *users = users_new(USERS, 0, 1200), *ask = users_new(USERS, 0, 1);
	struct row_list list = {0};

	(void)state;
	done(mysql_store_create_position(store, USERS, 0, 0, &error));
	users_put_many(users, 0, 1200, 1);
	write(store, users);
	users_put_many(ask, 0, 1300, 0);
	for (int i = 0; i < 650; i++) {
		struct row *swap = ask->selected[i];

		ask->selected[i] = ask->selected[1299 - i];
		ask->selected[1299 - i] = swap;
	}
	done(mysql_store_snapshot_begin(store, &error));
	done(mysql_store_snapshot_rows(store, USERS, ask->selected, 1300, &list, &error));
	done(mysql_store_snapshot_end(store, &error));
	assert_int_equal(list.count, 1300);
	for (int i = 0; i < 1300; i++) {
		char id[16];

		snprintf(id, sizeof(id), "k%05d", 1299 - i);
		assert_true(text_is(&list.rows[i].cells[0], id));
		assert_int_equal(list.rows[i].tombstone, i < 100);
		if (i >= 100) {
			assert_true(text_is(&list.rows[i].cells[1], "n1"));
			assert_int_equal(list.rows[i].cells[2].integer, 1300 - i);
		}
	}
	row_list_clear(&list);
	assert_int_equal(list.count, 0);
	row_list_release(&list);
	users_free(users);
	users_free(ask);
	mysql_store_free(store);
}

static void a_limit_of_the_server_hides_no_row(void **state)
{
	struct mysql_store *store;
	struct users *users = users_new(USERS, 0, 50);
	struct row_list list = {0};

	(void)state;
	test_sql(root, "SET GLOBAL sql_select_limit=3");
	store = opened();
	done(mysql_store_create_position(store, USERS, 0, 0, &error));
	users_put_many(users, 0, 50, 1);
	write(store, users);
	done(mysql_store_snapshot_begin(store, &error));
	done(mysql_store_snapshot_rows(store, USERS, users->selected, 50, &list, &error));
	done(mysql_store_snapshot_end(store, &error));
	test_sql(root, "SET GLOBAL sql_select_limit=DEFAULT");
	for (int i = 0; i < 50; i++)
		assert_false(list.rows[i].tombstone);
	row_list_release(&list);
	users_free(users);
	mysql_store_free(store);
}

static void a_key_asked_for_twice_is_found_twice(void **state)
{
	struct mysql_store *store = opened();
	struct users *users = users_new(USERS, 0, 1);
	struct row *ask[3];
	struct row_list list = {0};

	(void)state;
	done(mysql_store_create_position(store, USERS, 0, 0, &error));
	users_put_many(users, 0, 2, 1);
	write(store, users);
	ask[0] = ask[2] = users->selected[1];
	ask[1] = users->selected[0];
	done(mysql_store_snapshot_begin(store, &error));
	done(mysql_store_snapshot_rows(store, USERS, ask, 3, &list, &error));
	done(mysql_store_snapshot_end(store, &error));
	for (int i = 0; i < 3; i++)
		assert_false(list.rows[i].tombstone);
	assert_true(text_is(&list.rows[2].cells[0], "k00001"));
	row_list_release(&list);
	users_free(users);
	mysql_store_free(store);
}

static void a_key_that_the_column_cannot_spell_is_in_no_row(void **state)
{
	static const char narrow[] =
		"ALTER TABLE users MODIFY id VARCHAR(64) CHARACTER SET latin1 "
		"COLLATE latin1_bin NOT NULL";
	struct mysql_store *store = opened();
	struct users *users = users_new(USERS, 0, 1), *ask = users_new(USERS, 0, 1);
	struct row_list list = {0};

	(void)state;
	test_sql(root, narrow);
	done(mysql_store_create_position(store, USERS, 0, 0, &error));
	users_put_many(users, 0, 30, 1);
	write(store, users);
	users_put_many(ask, 0, 20, 1);
	users_delete(ask, "\xe6\x97\xa5");
	users_put_many(ask, 21, 9, 1);
	done(mysql_store_snapshot_begin(store, &error));
	done(mysql_store_snapshot_rows(store, USERS, ask->selected, 30, &list, &error));
	done(mysql_store_snapshot_end(store, &error));
	assert_int_equal(list.count, 30);
	for (size_t i = 0; i < list.count; i++)
		assert_int_equal(list.rows[i].tombstone, i == 20);
	row_list_release(&list);
	users_free(users);
	users_free(ask);
	mysql_store_free(store);
	test_sql(root, "DROP TABLE users");
	test_sql_file(root, "sql/001_users.sql");
}

/* Two megabytes of keys where a packet may have one; one of them has more by itself. */
static void keys_beyond_the_packet_limit_are_asked_for_in_parts(void **state)
{
	struct mysql_store *store;
	struct users *ask = users_new(USERS, 0, 1), *there = users_new(USERS, 0, 1);
	size_t bytes = 2 << 20;
	char *large = mem_zero(1, bytes + 1);
	struct row_list list = {0};

	(void)state;
	memset(large, 'x', bytes);
	test_sql(root, "SET GLOBAL max_allowed_packet=1048576");
	store = opened();
	done(mysql_store_create_position(store, USERS, 0, 0, &error));
	users_put_many(there, 0, 1, 1);
	write(store, there);
	for (int i = 0; i < 700; i++) {
		struct row *row = users_delete(ask, large);

		row->cells[0].length = i == 350 ? (uint32_t)bytes : 3000;
	}
	users_put_many(ask, 0, 1, 1);
	done(mysql_store_snapshot_begin(store, &error));
	done(mysql_store_snapshot_rows(store, USERS, ask->selected, 701, &list, &error));
	done(mysql_store_snapshot_end(store, &error));
	assert_int_equal(list.count, 701);
	for (size_t i = 0; i < list.count; i++)
		assert_int_equal(list.rows[i].tombstone, i < 700);
	row_list_release(&list);
	users_free(ask);
	users_free(there);
	free(large);
	mysql_store_free(store);
	test_sql(root, "SET GLOBAL max_allowed_packet=DEFAULT");
}

static void position_and_rows_are_of_one_moment(void **state)
{
	struct mysql_store *reader = opened(), *writer = mysql_store_new(&config);
	struct users *users = users_new(USERS, 5, 6);
	struct row_list list = {0};
	int64_t next[3], generation[3];

	(void)state;
	done(mysql_store_connect(writer, &error));
	done(mysql_store_create_position(writer, USERS, 0, 5, &error));
	done(mysql_store_create_position(writer, USERS, 2, 9, &error));
	done(mysql_store_snapshot_begin(reader, &error));
	users_put(users, "a", "new", 1, "");
	write(writer, users);
	done(mysql_store_snapshot_positions(reader, USERS, next, generation, 3, &error));
	assert_int_equal(next[0], 5);
	assert_int_equal(next[1], -1);
	assert_int_equal(next[2], 9);
	assert_int_equal(generation[0], 0);
	assert_int_equal(generation[1], -1);
	done(mysql_store_snapshot_rows(reader, USERS, users->selected, 1, &list, &error));
	assert_true(list.rows[0].tombstone);
	done(mysql_store_snapshot_end(reader, &error));
	done(mysql_store_snapshot_begin(reader, &error));
	done(mysql_store_snapshot_positions(reader, USERS, next, NULL, 1, &error));
	assert_int_equal(next[0], 6);
	done(mysql_store_snapshot_end(reader, &error));
	row_list_release(&list);
	users_free(users);
	mysql_store_free(reader);
	mysql_store_free(writer);
}

/* Forty rows of a megabyte: a scan never has all of them. */
static void a_scan_of_large_rows_is_bounded_in_bytes(void **state)
{
	struct mysql_store *store = opened();
	struct users *users = users_new(USERS, 0, 40);
	struct row_list list = {0};
	size_t seen = 0, chunks = 0, bytes = 1 << 20;
	char *large = mem_zero(1, bytes + 1);
	struct row after;
	struct cell key;

	(void)state;
	memset(large, 'x', bytes);
	test_sql(root, "ALTER TABLE users MODIFY occupation MEDIUMTEXT NOT NULL");
	done(mysql_store_create_position(store, USERS, 0, 0, &error));
	users_put_many(users, 0, 40, 1);
	for (int i = 0; i < 40; i++) {
		users->rows[i].cells[3].text = large;
		users->rows[i].cells[3].length = (uint32_t)bytes;
	}
	write(store, users);
	done(mysql_store_snapshot_begin(store, &error));
	do {
		row_list_clear(&list);
		done(mysql_store_snapshot_scan(
			store, USERS, seen ? &after : NULL, 500, &list, &error));
		assert_in_range(list.count, 0, 9);
		for (size_t i = 0; i < list.count; i++, seen++)
			assert_true(text_is(&list.rows[i].cells[0], users->texts[seen][0]));
		if (list.count > 0) {
			key = users->rows[seen - 1].cells[0];
			after = (struct row){.cells = &key};
		}
		chunks++;
	} while (list.count > 0);
	done(mysql_store_snapshot_end(store, &error));
	assert_int_equal(seen, 40);
	assert_in_range(chunks, 6, 12);
	row_list_release(&list);
	users_free(users);
	free(large);
	mysql_store_free(store);
	test_sql(root, "DROP TABLE users");
	test_sql_file(root, "sql/001_users.sql");
}

static void a_scan_in_chunks_sees_every_row_once(void **state)
{
	struct mysql_store *store = opened();
	struct users *users = users_new(USERS, 0, 1000);
	struct row_list list = {0};
	size_t seen = 0;

	(void)state;
	done(mysql_store_create_position(store, USERS, 0, 0, &error));
	users_put_many(users, 0, 1000, 1);
	write(store, users);
	done(mysql_store_snapshot_begin(store, &error));
	do {
		size_t before = list.count;
		const struct row *after = before ? &list.rows[before - 1] : NULL;
		struct row copy;

		if (after)
			copy = *after; /* the list may move */
		done(mysql_store_snapshot_scan(
			store, USERS, after ? &copy : NULL, 300, &list, &error));
		seen = list.count - before;
	} while (seen > 0);
	done(mysql_store_snapshot_end(store, &error));
	assert_int_equal(list.count, 1000);
	for (int i = 0; i < 1000; i++)
		assert_true(text_is(&list.rows[i].cells[0], users->texts[i][0]));
	row_list_release(&list);
	users_free(users);
	mysql_store_free(store);
}

#define T(s)	     ((struct cell){.kind = CELL_TEXT, .length = sizeof(s) - 1, .text = (s)})
#define I(n)	     ((struct cell){.kind = CELL_INT, .integer = (n)})
#define D(x)	     ((struct cell){.kind = CELL_DOUBLE, .number = (x)})
#define KIND_COLUMNS 8
static const struct cell null_cell = {.kind = CELL_NULL};

static struct row *kind_row(struct row *row, struct cell *cells, int64_t a, struct cell b)
{
	memset(row, 0, sizeof(*row));
	row->cells = cells;
	cells[0] = I(a);
	cells[1] = b;
	return row;
}

static void every_type_comes_back_as_decode_makes_it(void **state)
{
	static const char bytes[] = "\0\xff\x80 raw";
	struct mysql_store *store = opened();
	struct cell cells[3][KIND_COLUMNS];
	struct row rows[3], *selected[3];
	struct batch batch = {
		.route = KINDS, .to = 3, .selected = selected, .selected_count = 3};
	struct row_list list = {0};

	(void)state;
	for (int i = 0; i < 3; i++)
		selected[i] = kind_row(&rows[i], cells[i], i ? INT64_MAX : INT64_MIN,
			i == 2 ? T("zwei") : T("eins"));
	for (int i = 0; i < 3; i++) {
		cells[i][2] = D(i == 0 ? 0.1 : i == 1 ? -1.7976931348623157e308 : 5e-324);
		cells[i][3] = I(i != 1);
		cells[i][4] = T("2026-11-21 12:34:56.789");
		cells[i][5] = T("{\"a\": [1, 2.50],  \"b\":\"\xc3\xa9\"}");
		cells[i][6] = (struct cell){
			.kind = CELL_TEXT, .length = sizeof(bytes) - 1, .text = bytes};
		cells[i][7] = i == 1 ? null_cell : T("");
	}
	done(mysql_store_create_position(store, KINDS, 0, 0, &error));
	done(mysql_store_execute(store, &batch, &error));
	done(mysql_store_commit(store, &error));
	done(mysql_store_snapshot_begin(store, &error));
	done(mysql_store_snapshot_rows(store, KINDS, selected, 3, &list, &error));
	done(mysql_store_snapshot_end(store, &error));
	for (int i = 0; i < 3; i++) {
		assert_false(list.rows[i].tombstone);
		for (int c = 0; c < KIND_COLUMNS; c++) {
			const struct cell *got = &list.rows[i].cells[c], *put = &cells[i][c];

			if (got->kind != put->kind ||
				(got->kind == CELL_INT && got->integer != put->integer) ||
				(got->kind == CELL_DOUBLE &&
					memcmp(&got->number, &put->number, 8)) ||
				(got->kind == CELL_TEXT &&
					(got->length != put->length ||
						memcmp(got->text, put->text, got->length))))
				fail_msg("row %d column %d: %.*s", i, c,
					got->kind == CELL_TEXT ? (int)got->length : 0,
					got->text);
		}
	}
	row_list_release(&list);
	mysql_store_free(store);
}

static void a_key_of_two_columns_is_read_deleted_and_scanned(void **state)
{
	struct mysql_store *store = opened();
	struct cell cells[6][KIND_COLUMNS];
	struct row rows[6], *selected[6];
	struct batch batch = {.route = KINDS, .to = 1, .selected = selected};
	struct row_list list = {0};

	(void)state;
	for (int i = 0; i < 6; i++) {
		memset(cells[i], 0, sizeof(cells[i]));
		selected[i] = kind_row(&rows[i], cells[i], i / 3,
			i % 3 == 0   ? T("x")
			: i % 3 == 1 ? T("y")
				     : T("z"));
		cells[i][2] = D(i);
		cells[i][3] = I(0);
		cells[i][4] = T("2026-01-01 00:00:00.000");
		cells[i][5] = T("1");
		cells[i][6] = T("");
	}
	batch.selected_count = 6;
	done(mysql_store_create_position(store, KINDS, 0, 0, &error));
	done(mysql_store_execute(store, &batch, &error));
	rows[1].tombstone = rows[5].tombstone = true;
	batch.from = 1;
	batch.to = 2;
	done(mysql_store_execute(store, &batch, &error));
	done(mysql_store_commit(store, &error));
	done(mysql_store_snapshot_begin(store, &error));
	for (int i = 0; i < 5; i++) {
		struct row after = list.count ? list.rows[list.count - 1] : rows[0];

		done(mysql_store_snapshot_scan(
			store, KINDS, list.count ? &after : NULL, 1, &list, &error));
	}
	assert_int_equal(list.count, 4);
	assert_true(text_is(&list.rows[1].cells[1], "z"));
	assert_int_equal(list.rows[2].cells[0].integer, 1);
	row_list_clear(&list);
	done(mysql_store_snapshot_rows(store, KINDS, selected, 6, &list, &error));
	for (int i = 0; i < 6; i++)
		assert_int_equal(list.rows[i].tombstone, i == 1 || i == 5);
	done(mysql_store_snapshot_end(store, &error));
	row_list_release(&list);
	mysql_store_free(store);
}

/* A text's length goes before it in 1, 3, 4 or 9 bytes. */
static void texts_of_every_length_arrive_whole(void **state)
{
	static const size_t lengths[] = {0, 1, 250, 251, 65535, 65536, (1 << 24) - 1, 1 << 24};
	enum { COUNT = sizeof(lengths) / sizeof(lengths[0]) };
	char *text = mem_alloc(lengths[COUNT - 1]);
	struct cell cells[COUNT][KIND_COLUMNS];
	struct row rows[COUNT], *selected[COUNT];
	struct batch batch = {
		.route = KINDS, .to = 1, .selected = selected, .selected_count = COUNT};
	struct mysql_store *store;

	(void)state;
	for (size_t i = 0; i < lengths[COUNT - 1]; i++)
		text[i] = (char)('a' + i % 23);
	test_sql(root, "SET GLOBAL max_allowed_packet=134217728");
	store = opened();
	for (int i = 0; i < COUNT; i++) {
		memset(cells[i], 0, sizeof(cells[i]));
		selected[i] = kind_row(&rows[i], cells[i], i, T("x"));
		cells[i][2] = D(i);
		cells[i][3] = I(0);
		cells[i][4] = T("2026-01-01 00:00:00.000");
		cells[i][5] = (struct cell){
			.kind = CELL_TEXT, .length = (uint32_t)lengths[i], .text = text};
		cells[i][6] = T("");
	}
	done(mysql_store_create_position(store, KINDS, 0, 0, &error));
	done(mysql_store_execute(store, &batch, &error));
	done(mysql_store_commit(store, &error));
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(
			test_sql_long(root, -1, "SELECT LENGTH(j) FROM kinds WHERE a=%d", i),
			lengths[i]);
	mysql_store_free(store);
	free(text);
}

static void make_kinds(void)
{
	static const struct {
		const char *name;
		enum column_type type;
	} of[KIND_COLUMNS] = {{"a", COLUMN_INT}, {"b", COLUMN_STRING}, {"d", COLUMN_DOUBLE},
		{"f", COLUMN_BOOL}, {"t", COLUMN_DATETIME}, {"j", COLUMN_JSON},
		{"raw", COLUMN_BYTES}, {"n", COLUMN_STRING}};
	static struct column columns[KIND_COLUMNS];
	static int keys[2] = {0, 1};
	static char table[] = "kinds", topic[] = "kinds";

	for (int i = 0; i < KIND_COLUMNS; i++) {
		columns[i].field = columns[i].column = (char *)(uintptr_t)of[i].name;
		columns[i].type = of[i].type;
		columns[i].key = i < 2;
		columns[i].nullable = i == 7;
	}
	*KINDS = (struct route){.index = 1,
		.topic = topic,
		.table = table,
		.columns = columns,
		.column_count = KIND_COLUMNS,
		.keys = keys,
		.key_count = 2};
	test_sql(root, "CREATE TABLE kinds (a BIGINT, b VARCHAR(20) CHARACTER SET utf8mb4 "
		       "COLLATE utf8mb4_bin, d DOUBLE NOT NULL, f TINYINT(1) NOT NULL, "
		       "t DATETIME(3) NOT NULL, j LONGTEXT NOT NULL, raw VARBINARY(50) NOT "
		       "NULL, n VARCHAR(20), PRIMARY KEY (a, b)) DEFAULT CHARSET=utf8mb4");
}

static int setup(void **state)
{
	(void)state;
	test_mysql_start(&server);
	root = test_mysql_root(&server);
	*USERS = users_mapping()->routes[0];
	make_kinds();
	mapping = (struct mapping){
		.source = users_mapping()->source, .routes = routes, .route_count = 2};
	config = test_mysql_config(&server);
	config.mapping = &mapping;
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
		cmocka_unit_test(rows_come_in_the_order_asked_for),
		cmocka_unit_test(a_limit_of_the_server_hides_no_row),
		cmocka_unit_test(a_key_asked_for_twice_is_found_twice),
		cmocka_unit_test(a_key_that_the_column_cannot_spell_is_in_no_row),
		cmocka_unit_test(keys_beyond_the_packet_limit_are_asked_for_in_parts),
		cmocka_unit_test(position_and_rows_are_of_one_moment),
		cmocka_unit_test(a_scan_of_large_rows_is_bounded_in_bytes),
		cmocka_unit_test(a_scan_in_chunks_sees_every_row_once),
		cmocka_unit_test(every_type_comes_back_as_decode_makes_it),
		cmocka_unit_test(a_key_of_two_columns_is_read_deleted_and_scanned),
		cmocka_unit_test(texts_of_every_length_arrive_whole),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
