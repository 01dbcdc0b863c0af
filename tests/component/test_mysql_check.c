/*
 * mysql_store_check: a table that does not fit the mapping is found at start, all of it at once.
 * needs: mariadb
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "consumer/pipeline/mysql_check.h"
#include "consumer/pipeline/mysql_store.h"
#include "tests/lib/stores.h"
#include "tests/lib/users.h"

static struct test_server server;
static struct mysql_config config;
static struct route *route;
static MYSQL *root;
static struct store_error error;
static struct errmsg warning;

/* Checks the tables as they are now. */
static enum verdict check(int32_t partitions)
{
	struct mysql_store *store = mysql_store_new(&config);
	enum verdict v = mysql_store_connect(store, &error);

	assert_int_equal(v, VERDICT_DONE);
	error.msg.text[0] = 0;
	v = mysql_store_check(store, route, partitions, &warning, &error);
	mysql_store_free(store);
	return v;
}

static void says(const char *text)
{
	if (!strstr(error.msg.text, text))
		fail_msg("'%s' is not in: %s", text, error.msg.text);
}

static void is_fatal(const char *class, const char *text)
{
	enum verdict v = check(6);

	if (v != VERDICT_FATAL)
		fail_msg("%s: %s", verdict_name(v), error.msg.text);
	assert_string_equal(error.class, class);
	says(text);
}

static void fresh_table(const char *columns)
{
	test_sql(root,
		"DROP TABLE IF EXISTS users; DELETE FROM writethrough_route; "
		"CREATE TABLE users (%s)",
		columns);
}

#define GOOD                                                                                   \
	"id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "                  \
	"name VARCHAR(255) NOT NULL, age INT NOT NULL, occupation VARCHAR(255) NOT NULL"

static void our_own_tables_pass_without_a_warning(void **state)
{
	(void)state;
	test_sql(root, "DROP TABLE users; DELETE FROM writethrough_route");
	test_sql_file(root, "sql/001_users.sql");
	test_sql_file(root, "sql/001_users.sql");
	test_sql_file(root, "sql/002_writethrough.sql");
	if (check(6) != VERDICT_DONE)
		fail_msg("%s", error.msg.text);
	assert_string_equal(warning.text, "");
	assert_int_equal(check(6), VERDICT_DONE);
}

static void every_mismatch_is_in_one_message(void **state)
{
	(void)state;
	fresh_table("id INT PRIMARY KEY, age VARCHAR(9) NOT NULL, occupation VARCHAR(255), "
		    "born DATE NOT NULL, note INT NOT NULL DEFAULT 3");
	is_fatal("schema", "test:2: column `id` is int");
	says("test:3: the table has no column `name`");
	says("test:4: column `age` is varchar(9), the mapping says int");
	says("column `born` is NOT NULL without a default and not mapped");
	assert_null(strstr(error.msg.text, "note"));
}

static void a_default_that_its_column_would_cut_is_refused(void **state)
{
	struct column *name = &route->columns[1];

	(void)state;
	fresh_table("id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, name "
		    "VARCHAR(4) NOT NULL, age INT NOT NULL, occupation VARCHAR(255) NOT NULL, "
		    "PRIMARY KEY (id)");
	name->has_default = true;
	name->default_cell = (struct cell){.kind = CELL_TEXT, .text = "none \n", .length = 6};
	is_fatal("schema", "the default is longer than column `name`, which is varchar(4)");
	name->default_cell.length = 4;
	assert_int_equal(check(6), VERDICT_DONE);
	name->has_default = false;
	name->default_cell = (struct cell){.kind = CELL_NULL};
}

static void a_missing_table_says_what_to_run(void **state)
{
	(void)state;
	test_sql(root, "DROP TABLE users");
	is_fatal("schema", "table `users` is missing: run sql/001_users.sql");
	fresh_table(GOOD ", PRIMARY KEY (id)");
	test_sql(root, "RENAME TABLE writethrough_ledger TO elsewhere");
	is_fatal("schema",
		"table `writethrough_ledger` is missing: run sql/002_writethrough.sql");
	test_sql(root, "RENAME TABLE elsewhere TO writethrough_ledger");
}

static void a_second_unique_key_is_refused(void **state)
{
	(void)state;
	fresh_table(GOOD ", PRIMARY KEY (id), UNIQUE KEY by_name (name)");
	is_fatal("schema", "unique key `by_name` beside the primary key");
	route->mode = ROUTE_APPEND;
	assert_int_equal(check(6), VERDICT_DONE);
	route->mode = ROUTE_UPSERT;
}

static void the_primary_key_is_the_mappings_key(void **state)
{
	(void)state;
	fresh_table(GOOD);
	is_fatal("schema", "the primary key is not exactly the mapping's key column");
	fresh_table(GOOD ", PRIMARY KEY (id, age)");
	is_fatal("schema", "the primary key is not exactly the mapping's key column");
	fresh_table(GOOD ", PRIMARY KEY (age)");
	is_fatal("schema", "the primary key is not exactly the mapping's key column");
}

static void a_primary_key_of_the_first_characters_is_refused(void **state)
{
	(void)state;
	fresh_table(GOOD ", PRIMARY KEY (id(4))");
	is_fatal("schema", "the primary key has only the first 4 characters of `id`");
}

static void a_table_without_transactions_is_refused(void **state)
{
	(void)state;
	fresh_table(GOOD ", PRIMARY KEY (id)");
	test_sql(root, "ALTER TABLE users ENGINE=MyISAM");
	is_fatal("schema", "`users` is a MyISAM table, which has no transactions");
	fresh_table(GOOD);
	test_sql(root, "ALTER TABLE users ENGINE=CSV");
	is_fatal("schema", "`users` is a CSV table, which has no transactions");
}

static void surprises_are_warnings(void **state)
{
	(void)state;
	fresh_table(
		"id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL, "
		"name CHAR(20) NOT NULL, age YEAR NOT NULL, occupation ENUM('Baker','Nurse') "
		"NOT NULL, PRIMARY KEY (id)");
	if (check(6) != VERDICT_DONE)
		fail_msg("%s", error.msg.text);
	assert_non_null(strstr(warning.text, "key column `id` compares as utf8mb4_general_ci"));
	assert_non_null(strstr(warning.text, "column `name` is char(20)"));
	assert_non_null(strstr(warning.text, "column `age` is year"));
	assert_non_null(strstr(warning.text, "column `occupation` is enum('Baker','Nurse')"));
}

static void a_key_of_a_narrow_character_set_is_a_warning(void **state)
{
	(void)state;
	fresh_table(
		"id VARCHAR(64) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL, name "
		"VARCHAR(255) NOT NULL, age INT NOT NULL, occupation VARCHAR(255) NOT NULL, "
		"PRIMARY KEY (id)");
	assert_int_equal(check(6), VERDICT_DONE);
	assert_non_null(strstr(warning.text, "other characters become dead letters"));
}

static void a_character_set_that_bends_texts_is_a_warning(void **state)
{
	(void)state;
	fresh_table("id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
		    "name VARCHAR(255) CHARACTER SET gbk NOT NULL, age INT NOT NULL, "
		    "occupation TEXT CHARACTER SET latin1 NOT NULL, PRIMARY KEY (id)");
	assert_int_equal(check(6), VERDICT_DONE);
	assert_string_equal(warning.text, "");
	test_sql(root, "ALTER TABLE users MODIFY name VARCHAR(255) CHARACTER SET tis620 NOT "
		       "NULL, MODIFY occupation TEXT CHARACTER SET gbk NOT NULL");
	assert_int_equal(check(6), VERDICT_DONE);
	assert_non_null(
		strstr(warning.text, "column `name` is varchar(255) of tis620_thai_ci"));
	assert_non_null(strstr(warning.text, "column `occupation` is text of gbk_chinese_ci"));
}

static void what_changes_rows_behind_our_back_is_a_warning(void **state)
{
	(void)state;
	fresh_table(GOOD ", PRIMARY KEY (id)");
	test_sql(root, "CREATE TRIGGER looks AFTER INSERT ON users FOR EACH ROW SET @a=1; "
		       "CREATE TRIGGER trims BEFORE UPDATE ON users FOR EACH ROW SET "
		       "NEW.name=TRIM(NEW.name)");
	test_sql(root, "CREATE TABLE works (work VARCHAR(255) NOT NULL PRIMARY KEY); ALTER "
		       "TABLE users ADD CONSTRAINT keeps FOREIGN KEY (occupation) REFERENCES "
		       "works (work)");
	if (check(6) != VERDICT_DONE)
		fail_msg("%s", error.msg.text);
	assert_non_null(strstr(warning.text, "trigger `trims` can make a row other than"));
	assert_null(strstr(warning.text, "looks"));
	assert_null(strstr(warning.text, "keeps"));
	test_sql(root, "ALTER TABLE users DROP FOREIGN KEY keeps, ADD CONSTRAINT follows "
		       "FOREIGN KEY (occupation) REFERENCES works (work) ON DELETE CASCADE");
	assert_int_equal(check(6), VERDICT_DONE);
	assert_non_null(strstr(warning.text, "foreign key `follows` can make a row other"));
	test_sql(root, "DROP TABLE users, works");
}

static void the_table_of_another_group_is_refused(void **state)
{
	(void)state;
	fresh_table(GOOD ", PRIMARY KEY (id)");
	assert_int_equal(check(6), VERDICT_DONE);
	config.group = "other";
	is_fatal("owner", "is written by group g from topic users");
	config.group = "g";
	assert_int_equal(check(6), VERDICT_DONE);
	assert_int_equal(check(7), VERDICT_FATAL);
	says("6 partitions");
	says("--accept-partitions 7");
	assert_string_equal(
		test_sql_text(root, "SELECT partitions FROM writethrough_route"), "6");
}

static void a_right_that_is_missing_is_found_at_start(void **state)
{
	struct mysql_config good = config;

	(void)state;
	fresh_table(GOOD ", PRIMARY KEY (id)");
	test_sql(root, "DROP USER IF EXISTS poor; CREATE USER poor IDENTIFIED BY 'p'; GRANT "
		       "SELECT ON wt.* TO poor; GRANT INSERT, UPDATE ON wt.users TO poor");
	config.user = "poor";
	config.password = "p";
	is_fatal("rights", "DELETE");
	test_sql(root, "GRANT DELETE ON wt.users TO poor");
	is_fatal("rights", "writethrough_ledger");
	test_sql(root, "GRANT INSERT, UPDATE ON wt.writethrough_ledger TO poor");
	is_fatal("rights", "writethrough_route");
	test_sql(root, "GRANT INSERT, UPDATE ON wt.writethrough_route TO poor");
	if (check(6) != VERDICT_DONE)
		fail_msg("%s", error.msg.text);
	config = good;
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
		cmocka_unit_test(our_own_tables_pass_without_a_warning),
		cmocka_unit_test(every_mismatch_is_in_one_message),
		cmocka_unit_test(a_default_that_its_column_would_cut_is_refused),
		cmocka_unit_test(a_missing_table_says_what_to_run),
		cmocka_unit_test(a_second_unique_key_is_refused),
		cmocka_unit_test(the_primary_key_is_the_mappings_key),
		cmocka_unit_test(a_primary_key_of_the_first_characters_is_refused),
		cmocka_unit_test(a_table_without_transactions_is_refused),
		cmocka_unit_test(surprises_are_warnings),
		cmocka_unit_test(a_key_of_a_narrow_character_set_is_a_warning),
		cmocka_unit_test(a_character_set_that_bends_texts_is_a_warning),
		cmocka_unit_test(what_changes_rows_behind_our_back_is_a_warning),
		cmocka_unit_test(the_table_of_another_group_is_refused),
		cmocka_unit_test(a_right_that_is_missing_is_found_at_start),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
