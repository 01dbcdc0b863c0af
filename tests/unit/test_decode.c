/* consumer/pipeline/decode: what becomes a row, what is dead and why. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "consumer/pipeline/cache_value.h"
#include "tests/lib/records.h"

static struct mapping users, kinds;

/* One column of each type, nested fields, defaults; keys of two columns on another route. */
static const char kinds_text[] =
	"{\"routes\":["
	"{\"topic\":\"kinds\",\"table\":\"kinds\",\"columns\":["
	"{\"field\":\"n\",\"type\":\"int\",\"key\":true},"
	"{\"field\":\"d\",\"type\":\"double\",\"default\":1.5},"
	"{\"field\":\"b\",\"type\":\"bool\",\"nullable\":true},"
	"{\"field\":\"t\",\"type\":\"datetime\",\"nullable\":true},"
	"{\"field\":\"j\",\"type\":\"json\",\"nullable\":true},"
	"{\"field\":\"raw\",\"type\":\"bytes\",\"nullable\":true},"
	"{\"field\":\"at.city.name\",\"column\":\"city\",\"type\":\"string\","
	"\"default\":\"nowhere\"},"
	"{\"field\":\"at.zip\",\"column\":\"zip\",\"type\":\"string\",\"nullable\":true}]},"
	"{\"topic\":\"seats\",\"table\":\"seats\",\"columns\":["
	"{\"field\":\"hall\",\"type\":\"string\",\"key\":true},"
	"{\"field\":\"seat\",\"type\":\"int\",\"key\":true},"
	"{\"field\":\"who\",\"type\":\"string\"}]},"
	"{\"topic\":\"log\",\"table\":\"log\",\"mode\":\"append\",\"columns\":["
	"{\"field\":\"line\",\"type\":\"string\"}]},"
	"{\"topic\":\"pairs\",\"table\":\"pairs\",\"columns\":["
	"{\"field\":\"a\",\"type\":\"string\",\"key\":true},"
	"{\"field\":\"b\",\"type\":\"string\",\"key\":true}],"
	"\"cache\":{\"key\":\"pair:{a}:{b}\"}}]}";

enum { N, D, B, T, J, RAW, CITY, ZIP };

static int setup(void **state)
{
	char path[] = "/tmp/wt-decode-XXXXXX";
	int fd = mkstemp(path);
	struct errmsg msg = {""};

	(void)state;
	assert_true(write(fd, kinds_text, sizeof(kinds_text) - 1) > 0);
	close(fd);
	mapping_init_users(&users, "users");
	if (mapping_init_file(&kinds, path, &msg) != 0)
		fail_msg("%s", msg.text);
	unlink(path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mapping_release(&users);
	mapping_release(&kinds);
	return 0;
}

#define USERS (&users.routes[0])
#define KINDS (&kinds.routes[0])
#define SEATS (&kinds.routes[1])
#define LOG   (&kinds.routes[2])
#define PAIRS (&kinds.routes[3])

static void dead(
	const struct route *route, const char *key, const char *value, const char *reason)
{
	struct records *records = records_new(route);
	struct row *row = records_put(records, key, value);

	if (row)
		fail_msg("%s: a row, not dead of %s", value ? value : key, reason);
	if (strcmp(records->why.reason, reason) != 0)
		fail_msg("%s: dead of %s (%s), not of %s", value ? value : key,
			records->why.reason, records->why.msg.text, reason);
	assert_true(records->why.msg.text[0] != 0);
	assert_int_equal(records->batch.row_count, 0);
	records_free(records);
}

static void text_is(const struct cell *cell, const char *text)
{
	if (cell->kind != CELL_TEXT || cell->length != strlen(text) ||
		memcmp(cell->text, text, cell->length) != 0)
		fail_msg("kind %d, %.*s, not %s", cell->kind,
			cell->kind == CELL_TEXT ? (int)cell->length : 0,
			cell->kind == CELL_TEXT ? cell->text : "", text);
}

/* ---- rows ------------------------------------------------------------------------------------------ */

static void plain_text_is_not_copied(void **state)
{
	static const char value[] = "{\"id\":\"a\",\"name\":\"B\\u00e9\",\"age\":-7,\"more\":["
				    "1],\"occupation\":\"\"}";
	struct records *records = records_new(USERS);
	struct row *row = records_put_bytes(records, NULL, 0, value, sizeof(value) - 1);

	(void)state;
	assert_non_null(row);
	text_is(&row->cells[0], "a");
	assert_ptr_equal(row->cells[0].text, value + 7);
	text_is(&row->cells[1], "B\xc3\xa9");
	assert_int_equal(row->cells[2].integer, -7);
	text_is(&row->cells[3], "");
	assert_ptr_equal(row->sort_key, value + 7);
	assert_int_equal(row->sort_key_length, 1);
	assert_false(row->tombstone);
	records_free(records);
}

static void every_type_becomes_its_cell(void **state)
{
	struct records *records = records_new(KINDS);
	struct row *row = records_put(records, NULL,
		"{\"n\":1e3,\"d\":0.25,\"b\":true,\"t\":\"2024-02-29T23:59:59.1239+01:30\","
		"\"j\":{\"x\" : [1, \"\\n\"]},\"raw\":\"AP9h\","
		"\"at\":{\"city\":{\"name\":\"Ulm\",\"x\":1},\"zip\":null}}");

	(void)state;
	assert_non_null(row);
	assert_int_equal(row->cells[N].integer, 1000);
	assert_true(row->cells[D].number == 0.25);
	assert_int_equal(row->cells[B].integer, 1);
	text_is(&row->cells[T], "2024-02-29 22:29:59.123");
	text_is(&row->cells[J], "{\"x\" : [1, \"\\n\"]}");
	assert_int_equal(row->cells[RAW].length, 3);
	assert_memory_equal(row->cells[RAW].text, "\x00\xff\x61", 3);
	text_is(&row->cells[CITY], "Ulm");
	assert_int_equal(row->cells[ZIP].kind, CELL_NULL);
	row = records_put(records, NULL,
		"{\"n\":0,\"j\":\"a\\u0041\",\"t\":-1,\"raw\":\"\",\"b\":false}");
	assert_non_null(row);
	text_is(&row->cells[J], "\"a\\u0041\"");
	text_is(&row->cells[T], "1969-12-31 23:59:59.999");
	assert_int_equal(row->cells[RAW].length, 0);
	assert_int_equal(row->cells[RAW].kind, CELL_TEXT);
	assert_int_equal(row->cells[B].integer, 0);
	records_free(records);
}

static void what_is_absent_is_default_or_null(void **state)
{
	struct records *records = records_new(KINDS);
	struct row *row = records_put(records, NULL, "{\"n\":5,\"at\":7}");

	(void)state;
	assert_non_null(row);
	assert_true(row->cells[D].number == 1.5);
	assert_int_equal(row->cells[B].kind, CELL_NULL);
	text_is(&row->cells[CITY], "nowhere");
	records_free(records);
}

/* The cache's text does not look for escapes in what came out of JSON without one. */
static void what_is_plain_and_what_is_not_give_one_cache_text(void **state)
{
	static const char *const texts[] = {
		"{\"id\":\"a\",\"name\":\"b\",\"age\":1,\"occupation\":\"\"}",
		"{\"occupation\":\"\\u0041\\/"
		"\",\"age\":-1,\"name\":\"\\\"\",\"id\":\"\xc3\xa4\"}",
		"{\"x\":{},\"id\":\"\\u0001\",\"name\":\"/"
		"\x7f\",\"age\":90,\"occupation\":\"\\n\"}"};
	struct text_buffer fast = {0}, slow = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct records *records = records_new(USERS);
		struct row *row =
			records_put_bytes(records, "k", 1, texts[i], strlen(texts[i]));

		assert_non_null(row);
		fast.used = slow.used = 0;
		cache_json_add(&fast, USERS, row);
		for (int c = 0; c < 4; c++)
			row->cells[c].plain = false;
		cache_json_add(&slow, USERS, row);
		assert_int_equal(fast.used, slow.used);
		assert_memory_equal(fast.data, slow.data, slow.used);
		records_free(records);
	}
	text_buffer_release(&fast);
	text_buffer_release(&slow);
}

static void escaped_names_are_the_same_names(void **state)
{
	struct records *records = records_new(KINDS);
	struct row *row = records_put(records, NULL,
		"{\"\\u006e\":5,\"\\u0061t\":{\"cit\\u0079\":{\"n\\u0061me\":\"x\"}}}");

	(void)state;
	assert_non_null(row);
	assert_int_equal(row->cells[N].integer, 5);
	text_is(&row->cells[CITY], "x");
	records_free(records);
}

/* ---- dead ------------------------------------------------------------------------------------------ */

#define REST ",\"name\":\"n\",\"age\":1,\"occupation\":\"o\"}"

static void what_is_no_json_object_is_dead(void **state)
{
	(void)state;
	dead(USERS, NULL, "", "not_json");
	dead(USERS, NULL, "[]", "not_json");
	dead(USERS, NULL, "\"a\"", "not_json");
	dead(USERS, NULL, "{\"id\":\"a\"" REST "x", "not_json");
	dead(USERS, NULL, "{\"id\":\"a\",\"name\":\"n\",\"age\":1,\"occupation\":\"o\"",
		"not_json");
	dead(USERS, NULL, "{\"id\":\"\xff\"" REST, "not_json");
	dead(USERS, NULL, "{\"id\":\"a\",\"x\":{\"y\":[}]}" REST, "not_json");
}

static void fields_that_do_not_fit_are_dead(void **state)
{
	(void)state;
	dead(USERS, NULL, "{\"id\":\"a\"}", "missing_field");
	dead(USERS, NULL, "{\"id\":7" REST, "bad_type");
	dead(USERS, NULL, "{\"id\":null" REST, "null_field");
	dead(USERS, NULL, "{\"id\":\"a\",\"id\":\"a\"" REST, "duplicate_field");
	dead(USERS, NULL, "{\"id\":\"a\",\"name\":\"n\",\"age\":\"1\",\"occupation\":\"o\"}",
		"bad_type");
	dead(USERS, NULL, "{\"id\":\"a\",\"name\":\"n\",\"age\":1.5,\"occupation\":\"o\"}",
		"out_of_range");
	dead(USERS, NULL,
		"{\"id\":\"a\",\"name\":\"n\",\"age\":9223372036854775808,\"occupation\":"
		"\"o\"}",
		"out_of_range");
	dead(KINDS, NULL, "{\"n\":1,\"d\":1e999}", "out_of_range");
	dead(KINDS, NULL, "{\"n\":1,\"b\":1}", "bad_type");
	dead(KINDS, NULL, "{\"n\":1,\"raw\":\"A\"}", "bad_value");
	dead(KINDS, NULL, "{\"n\":1,\"raw\":\"AA=A\"}", "bad_value");
	dead(KINDS, NULL, "{\"n\":1,\"raw\":\"====\"}", "bad_value");
	dead(KINDS, NULL, "{\"n\":1,\"at\":{\"zip\":\"1\"},\"at\":{\"zip\":\"1\"}}",
		"duplicate_field");
}

static void times_that_are_none_are_dead(void **state)
{
	static const char *const texts[] = {"2023-02-29", "2024-13-01", "2024-00-01",
		"2024-01-01T24:00:00Z", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+2",
		"2024-01-01T00:00:00+15:00", "2024-1-1", "2024-01-01T", "yesterday", "",
		"2024-01-01 00:00", "0000-01-01", "2024-01-01T00:00:00Zx"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *value = mem_printf("{\"n\":1,\"t\":\"%s\"}", texts[i]);

		dead(KINDS, NULL, value, "bad_value");
		free(value);
	}
	dead(KINDS, NULL, "{\"n\":1,\"t\":253402300800000}", "bad_value"); /* the year 10000 */
	dead(KINDS, NULL, "{\"n\":1,\"t\":true}", "bad_type");
}

static void keys_that_sql_would_fold_are_dead(void **state)
{
	(void)state;
	dead(USERS, NULL, "{\"id\":\"\"" REST, "bad_key");
	dead(USERS, NULL, "{\"id\":\"a \"" REST, "bad_key");
	dead(USERS, NULL, "{\"id\":\"a\\u0000\"" REST, "bad_key");
	dead(USERS, NULL, "{\"id\":\"a\\u0020\"" REST, "bad_key");
}

/* ("p:q", "r") and ("p", "q:r") would both be pair:p:q:r */
static void a_key_that_holds_the_separator_of_the_cache_key_is_dead(void **state)
{
	struct records *records = records_new(PAIRS);

	(void)state;
	assert_non_null(records_put(records, NULL, "{\"a\":\"p\",\"b\":\"q:r\"}"));
	records_free(records);
	dead(PAIRS, NULL, "{\"a\":\"p:q\",\"b\":\"r\"}", "bad_key");
	dead(PAIRS, "{\"a\":\":\",\"b\":\"r\"}", NULL, "bad_key");
}

/* ("p:", "q") and ("p", ":q") would both be pair:p:::q */
static void a_key_that_ends_with_a_part_of_the_separator_is_dead(void **state)
{
	struct column columns[2];
	struct route route = *PAIRS;
	struct records *records;

	(void)state;
	memcpy(columns, PAIRS->columns, sizeof(columns));
	columns[0].separator = "::";
	route.columns = columns;
	records = records_new(&route);
	assert_non_null(records_put(records, NULL, "{\"a\":\"p:q\",\"b\":\":r\"}"));
	records_free(records);
	dead(&route, NULL, "{\"a\":\"p:\",\"b\":\"q\"}", "bad_key");
	dead(&route, NULL, "{\"a\":\"p::q\",\"b\":\"r\"}", "bad_key");
}

static void a_time_is_the_same_with_escapes_and_minus_zero_is_zero(void **state)
{
	struct records *records = records_new(KINDS);
	struct row *row = records_put(records, NULL,
		"{\"n\":1,\"d\":-0.0,\"t\":\"2024-02-29T23:59:59.123\\u002B01:00\"}");

	(void)state;
	assert_non_null(row);
	text_is(&row->cells[T], "2024-02-29 22:59:59.123");
	assert_false(signbit(row->cells[D].number));
	records_free(records);
	dead(KINDS, NULL, "{\"n\":1,\"t\":-9223372036854775808}", "bad_value");
	dead(KINDS, NULL, "{\"n\":1,\"t\":9223372036854775807}", "bad_value");
}

static bool fits(const struct route *route, const char *value)
{
	struct records *records = records_new(route);
	bool fits = records_put(records, NULL, value) != NULL;

	records_free(records);
	return fits;
}

/* The server says nothing of it, and the cache would hold what the table does not. */
static void a_text_whose_last_blanks_its_column_would_cut_is_dead(void **state)
{
	struct column column = LOG->columns[0];
	struct route route = *LOG;

	(void)state;
	route.columns = &column;
	assert_true(fits(&route, "{\"line\":\"abcdef  \"}")); /* how long it is, is not known */
	column.max_chars = 4;
	column.max_bytes = 16;
	dead(&route, NULL, "{\"line\":\"abcd \"}", "too_long");
	dead(&route, NULL, "{\"line\":\"\\u0061bcd \"}", "too_long");
	dead(&route, NULL, "{\"line\":\"abcd\\n\"}", "too_long");
	dead(&route, NULL, "{\"line\":\"abcd\\t\"}", "too_long");
	dead(&route, NULL, "{\"line\":\"abcd \\u0000\"}", "too_long"); /* UTF-16LE's blank */
	dead(&route, NULL, "{\"line\":\"abcd\xc2\xa0\"}", "too_long");
	assert_true(fits(&route, "{\"line\":\"abcd\xc3\xa0\"}"));
	assert_true(fits(&route, "{\"line\":\"abc \"}"));
	assert_true(fits(&route, "{\"line\":\"abc\\n\"}"));
	assert_true(fits(&route, "{\"line\":\"\xc3\xa9\xc3\xa9\xc3\xa9 \"}"));
	assert_true(fits(&route, "{\"line\":\"abcde\"}")); /* the server refuses it */
	column.max_chars = 8; /* a TEXT: so many bytes */
	column.max_bytes = 8;
	dead(&route, NULL, "{\"line\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 \"}", "too_long");
	column.max_bytes = UINT32_MAX;
	assert_true(fits(&route, "{\"line\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 \"}"));
}

/* ---- tombstones and appends ------------------------------------------------------------------------ */

static void a_null_value_deletes_the_key(void **state)
{
	struct records *records = records_new(USERS);
	struct row *row = records_put(records, "a \\b", NULL);

	(void)state;
	assert_non_null(row);
	assert_true(row->tombstone);
	text_is(&row->cells[0], "a \\b"); /* a record key is no JSON: nothing is escaped */
	assert_int_equal(row->cells[1].kind, CELL_NULL);
	records_free(records);
	records = records_new(KINDS);
	row = records_put(records, "-12", NULL);
	assert_non_null(row);
	assert_int_equal(row->cells[N].integer, -12);
	assert_int_equal(row->cells[D].kind, CELL_NULL); /* defaults are for rows */
	records_free(records);
	records = records_new(SEATS);
	row = records_put(records, "{\"seat\":7,\"hall\":\"a\"}", NULL);
	assert_non_null(row);
	text_is(&row->cells[0], "a");
	assert_int_equal(row->cells[1].integer, 7);
	records_free(records);
}

static void a_delete_without_its_key_is_dead(void **state)
{
	(void)state;
	dead(USERS, NULL, NULL, "no_key");
	dead(USERS, "", NULL, "bad_key");
	dead(USERS, "\xff", NULL, "bad_key");
	dead(USERS, "a ", NULL, "bad_key");
	dead(KINDS, "x", NULL, "bad_key");
	dead(KINDS, "1,2", NULL, "bad_key");
	dead(KINDS, "5 ", NULL, "bad_key"); /* another partition than 5 */
	dead(KINDS, "5.0", NULL, "bad_key");
	dead(KINDS, "", NULL, "bad_key");
	dead(SEATS, "{\"hall\":\"a\"}", NULL, "no_key");
	dead(SEATS, "a", NULL, "no_key");
}

static void an_append_needs_a_value_and_no_key(void **state)
{
	struct records *records = records_new(LOG);
	struct row *row = records_put(records, NULL, "{\"line\":\"x \"}");

	(void)state;
	assert_non_null(row);
	text_is(&row->cells[0], "x ");
	records_free(records);
	dead(LOG, "k", NULL, "no_value");
}

static void equal_keys_have_equal_sort_keys_and_no_others(void **state)
{
	struct records *records = records_new(SEATS);
	struct row rows[5];

	(void)state;
	rows[0] = *records_put(records, NULL, "{\"hall\":\"a\",\"seat\":1,\"who\":\"x\"}");
	rows[1] = *records_put(
		records, NULL, "{\"seat\":1.0,\"hall\":\"\\u0061\",\"who\":\"y\"}");
	rows[2] = *records_put(records, "{\"hall\":\"a\",\"seat\":1}", NULL);
	rows[3] = *records_put(records, NULL, "{\"hall\":\"a\",\"seat\":-1,\"who\":\"x\"}");
	rows[4] = *records_put(records, NULL, "{\"hall\":\"aa\",\"seat\":1,\"who\":\"x\"}");
	for (int i = 1; i < 5; i++) {
		bool same = rows[i].sort_key_length == rows[0].sort_key_length &&
			    memcmp(rows[i].sort_key, rows[0].sort_key,
				    rows[0].sort_key_length) == 0;

		assert_int_equal(same, i < 3);
	}
	/* negative before positive */
	assert_true(memcmp(rows[3].sort_key, rows[0].sort_key, rows[0].sort_key_length) < 0);
	records_free(records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_is_not_copied),
		cmocka_unit_test(every_type_becomes_its_cell),
		cmocka_unit_test(what_is_absent_is_default_or_null),
		cmocka_unit_test(what_is_plain_and_what_is_not_give_one_cache_text),
		cmocka_unit_test(escaped_names_are_the_same_names),
		cmocka_unit_test(what_is_no_json_object_is_dead),
		cmocka_unit_test(fields_that_do_not_fit_are_dead),
		cmocka_unit_test(times_that_are_none_are_dead),
		cmocka_unit_test(keys_that_sql_would_fold_are_dead),
		cmocka_unit_test(a_key_that_holds_the_separator_of_the_cache_key_is_dead),
		cmocka_unit_test(a_key_that_ends_with_a_part_of_the_separator_is_dead),
		cmocka_unit_test(a_time_is_the_same_with_escapes_and_minus_zero_is_zero),
		cmocka_unit_test(a_text_whose_last_blanks_its_column_would_cut_is_dead),
		cmocka_unit_test(a_null_value_deletes_the_key),
		cmocka_unit_test(a_delete_without_its_key_is_dead),
		cmocka_unit_test(an_append_needs_a_value_and_no_key),
		cmocka_unit_test(equal_keys_have_equal_sort_keys_and_no_others),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
