/* consumer/pipeline: record_key, and how decoding counts records whose key is not their row's. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "consumer/pipeline/record_key.h"
#include "tests/lib/records.h"

static struct mapping users;

static const char *value(const char *id)
{
	static char text[200];

	snprintf(text, sizeof(text),
		"{\"id\":\"%s\",\"name\":\"n\",\"age\":1,\"occupation\":\"o\"}", id);
	return text;
}

static size_t mismatches(const char *key, const char *id)
{
	struct records *records = records_new(&users.routes[0]);
	size_t count;

	assert_non_null(records_put(records, key, value(id)));
	count = records->batch.key_mismatches;
	records_free(records);
	return count;
}

static void a_text_key_agrees_byte_by_byte(void **state)
{
	(void)state;
	assert_int_equal(mismatches("u1", "u1"), 0);
	assert_int_equal(mismatches("u1", "u2"), 1);
	assert_int_equal(mismatches("u1", "u11"), 1);
	assert_int_equal(mismatches("U1", "u1"), 1);
	assert_int_equal(mismatches("\xc3\xa9", "\\u00e9"), 0);
}

static void no_key_is_another_key(void **state)
{
	(void)state;
	assert_int_equal(mismatches(NULL, "u1"), 1);
	assert_int_equal(mismatches("", "u1"), 1);
}

static void allowed_is_not_looked_at(void **state)
{
	(void)state;
	users.routes[0].key_mismatch = KEY_MISMATCH_ALLOW;
	assert_int_equal(mismatches("u1", "u2"), 0);
	users.routes[0].key_mismatch = KEY_MISMATCH_WARN;
}

static void a_delete_has_no_field_to_differ_from(void **state)
{
	struct records *records = records_new(&users.routes[0]);

	(void)state;
	assert_non_null(records_put(records, "u1", NULL));
	assert_int_equal(records->batch.key_mismatches, 0);
	records_free(records);
}

/* The route's key as a whole number. */
static bool int_agrees(int64_t number, const char *key)
{
	struct column column = {.type = COLUMN_INT, .key = true};
	struct cell cell = {.kind = CELL_INT, .integer = number};
	struct row row = {.cells = &cell};
	int keys[] = {0};
	struct route route = {
		.columns = &column, .column_count = 1, .keys = keys, .key_count = 1};
	rd_kafka_message_t record = {
		.key = (void *)(uintptr_t)key, .key_len = key ? strlen(key) : 0};

	return record_key_agrees(&route, &row, &record);
}

static void a_number_agrees_as_it_is_written(void **state)
{
	static const int64_t numbers[] = {
		0, 7, 10, -1, -10, 1234567890123, INT64_MAX, INT64_MIN};
	char text[24];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(text, sizeof(text), "%" PRId64, numbers[i]);
		assert_true(int_agrees(numbers[i], text));
		assert_false(int_agrees(numbers[i] ^ 1, text));
	}
	assert_false(int_agrees(5, "05"));
	assert_false(int_agrees(5, "+5"));
	assert_false(int_agrees(5, "5.0"));
	assert_false(int_agrees(5, "-5"));
	assert_false(int_agrees(-5, "5"));
	assert_false(int_agrees(0, "-0"));
	assert_false(int_agrees(0, ""));
	assert_false(int_agrees(0, NULL));
	assert_false(int_agrees(15, "5"));
}

static int setup(void **state)
{
	(void)state;
	mapping_init_users(&users, "users");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mapping_release(&users);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_key_agrees_byte_by_byte),
		cmocka_unit_test(no_key_is_another_key),
		cmocka_unit_test(allowed_is_not_looked_at),
		cmocka_unit_test(a_delete_has_no_field_to_differ_from),
		cmocka_unit_test(a_number_agrees_as_it_is_written),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
