/* consumer/pipeline/cache_value: one row, one text, whatever it was read from; and the way back. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/pipeline/cache_key_parse.h"
#include "consumer/pipeline/cache_value.h"
#include "consumer/pipeline/key_partition.h"

static char names[8][8] = {"s", "i", "d", "b", "t", "j", "raw", "a.b\""};
static struct column columns[8];
static struct cache_key_part parts[4];
static struct route route;
static struct cell cells[8];
static struct row row = {.cells = cells};
static struct text_buffer buffer;

static struct cell text_cell(const char *text)
{
	return (struct cell){.kind = CELL_TEXT, .length = (uint32_t)strlen(text), .text = text};
}

static int setup(void **state)
{
	static const enum column_type types[] = {COLUMN_STRING, COLUMN_INT, COLUMN_DOUBLE,
		COLUMN_BOOL, COLUMN_DATETIME, COLUMN_JSON, COLUMN_BYTES, COLUMN_STRING};
	static int keys[2] = {0, 1};
	static char prefix[] = "p:", between[] = ":";

	(void)state;
	for (int i = 0; i < 8; i++) {
		columns[i] = (struct column){
			.field = names[i], .column = names[i], .type = types[i]};
		cells[i] = (struct cell){.kind = CELL_NULL};
	}
	parts[0] = (struct cache_key_part){prefix, -1};
	parts[1] = (struct cache_key_part){NULL, 0};
	parts[2] = (struct cache_key_part){between, -1};
	parts[3] = (struct cache_key_part){NULL, 1};
	route = (struct route){.columns = columns,
		.column_count = 8,
		.keys = keys,
		.key_count = 2,
		.cache = CACHE_JSON,
		.cache_key = parts,
		.cache_key_count = 4};
	return 0;
}

static const char *json(void)
{
	buffer.used = 0;
	cache_json_add(&buffer, &route, &row);
	text_buffer_add(&buffer, "", 1);
	return buffer.data;
}

static const char *cell_json(int column, struct cell cell)
{
	struct column one = columns[column];
	struct route alone = {.columns = &one, .column_count = 1};
	struct row of = {.cells = &cell};

	buffer.used = 0;
	cache_json_add(&buffer, &alone, &of);
	text_buffer_add(&buffer, "", 1);
	return buffer.data;
}

static void a_row_is_one_json_object_in_column_order(void **state)
{
	(void)state;
	cells[0] = text_cell("a\"\\\n\x01/\xc3\xa9");
	cells[1] = (struct cell){.kind = CELL_INT, .integer = INT64_MIN};
	cells[2] = (struct cell){.kind = CELL_DOUBLE, .number = 0.1};
	cells[3] = (struct cell){.kind = CELL_INT, .integer = 1};
	cells[4] = text_cell("2024-01-01 00:00:00.000");
	cells[5] = text_cell("{\"x\": [1]}");
	cells[6] = (struct cell){.kind = CELL_TEXT, .length = 4, .text = "\x00\xff\x10z"};
	assert_string_equal(json(),
		"{\"s\":\"a\\\"\\\\\\n\\u0001/\xc3\xa9\",\"i\":-9223372036854775808,\"d\":0.1,"
		"\"b\":true,\"t\":\"2024-01-01 00:00:00.000\",\"j\":{\"x\": [1]},"
		"\"raw\":\"AP8Qeg==\",\"a.b\\\"\":null}");
}

static void every_control_character_makes_valid_json(void **state)
{
	(void)state;
	for (int c = 0; c < 0x80; c++) {
		char text[1] = {(char)c};
		struct cell cell = {.kind = CELL_TEXT, .length = 1, .text = text};
		json_t *read = json_loads(cell_json(0, cell), JSON_ALLOW_NUL, NULL);
		json_t *value = json_object_get(read, "s");

		assert_non_null(value);
		assert_int_equal(json_string_length(value), 1);
		assert_int_equal(json_string_value(value)[0], c);
		json_decref(read);
	}
}

static void doubles_come_back_as_they_were(void **state)
{
	static const double numbers[] = {0, -0.0, 1, 0.1, 1.0 / 3, 1e22, 1e23,
		1.7976931348623157e308, 4.9e-324, 123456789.125, 9007199254740993.0, -2.5e-7};

	(void)state;
	assert_string_equal(
		cell_json(2, (struct cell){.kind = CELL_DOUBLE, .number = 0.1}), "{\"d\":0.1}");
	assert_string_equal(
		cell_json(2, (struct cell){.kind = CELL_DOUBLE, .number = 5}), "{\"d\":5}");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct cell cell = {.kind = CELL_DOUBLE, .number = numbers[i]};
		json_t *read = json_loads(cell_json(2, cell), 0, NULL);

		assert_non_null(read);
		assert_true(json_number_value(json_object_get(read, "d")) == numbers[i]);
		json_decref(read);
	}
}

static void plain_text_of_a_cell_is_for_hashes(void **state)
{
	struct cell off = {.kind = CELL_INT, .integer = 0};

	(void)state;
	buffer.used = 0;
	cache_cell_add(&buffer, &columns[3], &off);
	cache_cell_add(&buffer, &columns[1], &off);
	assert_int_equal(buffer.used, 6);
	assert_memory_equal(buffer.data, "false0", 6);
}

/* ---- keys and the way back --------------------------------------------------------------------------- */

static size_t parse(const char *key, struct row **readings)
{
	static struct arena arena;

	arena_clear(&arena, 1 << 20);
	return cache_key_parse(&route, key, strlen(key), &arena, readings);
}

static void a_key_goes_there_and_back(void **state)
{
	struct row *readings[CACHE_KEY_READINGS];

	(void)state;
	cells[0] = text_cell("x");
	cells[1] = (struct cell){.kind = CELL_INT, .integer = -7};
	buffer.used = 0;
	cache_key_add(&buffer, &route, &row);
	assert_int_equal(buffer.used, 6);
	assert_memory_equal(buffer.data, "p:x:-7", 6);
	assert_int_equal(parse("p:x:-7", readings), 1);
	assert_int_equal(readings[0]->cells[0].length, 1);
	assert_int_equal(readings[0]->cells[1].integer, -7);
	/* the text may hold what stands between: only the last part is a number */
	assert_int_equal(parse("p:a:1:2", readings), 1);
	assert_int_equal(readings[0]->cells[0].length, 3);
}

static void keys_of_no_row_have_no_reading(void **state)
{
	struct row *readings[CACHE_KEY_READINGS];

	(void)state;
	assert_int_equal(parse("q:x:1", readings), 0);
	assert_int_equal(parse("p:x", readings), 0);
	assert_int_equal(parse("p:x:", readings), 0);
	assert_int_equal(parse("p:x:01", readings), 0);
	assert_int_equal(parse("p:x:1e2", readings), 0);
	assert_int_equal(parse("p:x:-0", readings), 0);
	assert_int_equal(parse("p:x:9223372036854775808", readings), 0);
	assert_int_equal(parse("p:\xff:1", readings), 0);
	assert_int_equal(parse("", readings), 0);
}

static void two_texts_may_be_read_in_several_ways(void **state)
{
	struct row *readings[CACHE_KEY_READINGS];
	char many[200] = "p:";

	(void)state;
	columns[1].type = COLUMN_STRING;
	assert_int_equal(parse("p:a:b:c", readings), 2);
	assert_int_equal(readings[0]->cells[0].length, 1);
	assert_int_equal(readings[1]->cells[0].length, 3);
	memset(many + 2, ':', 150);
	assert_int_equal(parse(many, readings), CACHE_KEY_READINGS);
}

static void the_partition_is_that_of_the_keys_text(void **state)
{
	static int keys[1] = {0};

	(void)state;
	assert_int_equal(key_partition(&route, &row, 6), -1); /* two columns */
	route.keys = keys;
	route.key_count = 1;
	cells[0] = text_cell("21");
	assert_int_equal(key_partition(&route, &row, 1), 0);
	assert_in_range(key_partition(&route, &row, 6), 0, 5);
	columns[0].type = COLUMN_INT;
	cells[0] = (struct cell){.kind = CELL_INT, .integer = 21};
	columns[7].type = COLUMN_STRING;
	cells[7] = text_cell("21");
	for (int32_t count = 1; count < 50; count++) {
		static int text_keys[1] = {7};
		int32_t as_number = key_partition(&route, &row, count);

		route.keys = text_keys;
		assert_int_equal(key_partition(&route, &row, count), as_number);
		route.keys = keys;
	}
	assert_int_equal(key_partition(&route, &row, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_row_is_one_json_object_in_column_order, setup),
		cmocka_unit_test_setup(every_control_character_makes_valid_json, setup),
		cmocka_unit_test_setup(doubles_come_back_as_they_were, setup),
		cmocka_unit_test_setup(plain_text_of_a_cell_is_for_hashes, setup),
		cmocka_unit_test_setup(a_key_goes_there_and_back, setup),
		cmocka_unit_test_setup(keys_of_no_row_have_no_reading, setup),
		cmocka_unit_test_setup(two_texts_may_be_read_in_several_ways, setup),
		cmocka_unit_test_setup(the_partition_is_that_of_the_keys_text, setup),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	text_buffer_release(&buffer);
	return failed;
}
