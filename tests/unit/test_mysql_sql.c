/* consumer/pipeline/mysql_sql: the statements, as text. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/pipeline/mysql_sql.h"

static char names[4][4] = {"a", "b", "c", "d"};
static char table[] = "t";
static struct column columns[4];
static int keys[4];
static struct route route;

/* `count` columns, the first `key_count` of them the key. */
static const struct route *make(int count, int key_count, enum route_mode mode)
{
	for (int i = 0; i < count; i++) {
		columns[i] = (struct column){.column = names[i], .key = i < key_count};
		keys[i] = i;
	}
	route = (struct route){.table = table,
		.mode = mode,
		.columns = columns,
		.column_count = count,
		.keys = keys,
		.key_count = key_count};
	return &route;
}

static void is(char *text, const char *expected)
{
	assert_string_equal(text, expected);
	free(text);
}

static void an_upsert_names_the_new_row_where_the_server_can(void **state)
{
	(void)state;
	is(mysql_sql_write(make(3, 1, ROUTE_UPSERT), 2, true),
		"INSERT INTO `t` (`a`,`b`,`c`) VALUES (?,?,?),(?,?,?) AS wt_new "
		"ON DUPLICATE KEY UPDATE `b`=wt_new.`b`,`c`=wt_new.`c`");
	is(mysql_sql_write(make(3, 1, ROUTE_UPSERT), 1, false),
		"INSERT INTO `t` (`a`,`b`,`c`) VALUES (?,?,?) "
		"ON DUPLICATE KEY UPDATE `b`=VALUES(`b`),`c`=VALUES(`c`)");
}

static void a_row_of_nothing_but_its_key_can_be_written_twice(void **state)
{
	(void)state;
	is(mysql_sql_write(make(2, 2, ROUTE_UPSERT), 1, false),
		"INSERT INTO `t` (`a`,`b`) VALUES (?,?) "
		"ON DUPLICATE KEY UPDATE `a`=VALUES(`a`)");
}

static void append_overwrites_nothing(void **state)
{
	(void)state;
	is(mysql_sql_write(make(2, 0, ROUTE_APPEND), 2, true),
		"INSERT INTO `t` (`a`,`b`) VALUES (?,?),(?,?)");
}

static void deletes_use_the_index(void **state)
{
	(void)state;
	is(mysql_sql_delete(make(3, 1, ROUTE_UPSERT), 2), "DELETE FROM `t` WHERE `a` IN (?,?)");
	is(mysql_sql_delete(make(3, 2, ROUTE_UPSERT), 2),
		"DELETE FROM `t` WHERE (`a`=? AND `b`=?) OR (`a`=? AND `b`=?)");
}

static void a_scan_goes_on_behind_a_key(void **state)
{
	(void)state;
	is(mysql_sql_scan(make(2, 1, ROUTE_UPSERT), false),
		"SELECT `a`,`b` FROM `t` ORDER BY `a` LIMIT ?");
	is(mysql_sql_scan(make(2, 1, ROUTE_UPSERT), true),
		"SELECT `a`,`b` FROM `t` WHERE `a`>? ORDER BY `a` LIMIT ?");
	is(mysql_sql_scan(make(3, 3, ROUTE_UPSERT), true),
		"SELECT `a`,`b`,`c` FROM `t` WHERE `a`>=? AND ((`a`>?) OR (`a`=? AND `b`>?) OR "
		"(`a`=? AND `b`=? AND `c`>?)) ORDER BY `a`,`b`,`c` LIMIT ?");
}

static void the_parameters_behind_a_key_are_named(void **state)
{
	static const unsigned expected[] = {0, 0, 0, 1, 0, 1, 2};

	(void)state;
	assert_int_equal(mysql_sql_after_params(make(3, 1, ROUTE_UPSERT)), 1);
	assert_int_equal(mysql_sql_after_params(make(3, 2, ROUTE_UPSERT)), 4);
	assert_int_equal(mysql_sql_after_params(make(3, 3, ROUTE_UPSERT)), 7);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(mysql_sql_after_param(i), expected[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upsert_names_the_new_row_where_the_server_can),
		cmocka_unit_test(a_row_of_nothing_but_its_key_can_be_written_twice),
		cmocka_unit_test(append_overwrites_nothing),
		cmocka_unit_test(deletes_use_the_index),
		cmocka_unit_test(a_scan_goes_on_behind_a_key),
		cmocka_unit_test(the_parameters_behind_a_key_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
