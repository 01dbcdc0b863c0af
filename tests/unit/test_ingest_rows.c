/* json_row, csv_row, gen_rows, codec: what a row looks like in text. */
#include "producer/ingest/codec.h"
#include "producer/ingest/csv_row.h"
#include "producer/ingest/gen_rows.h"
#include "producer/ingest/gen_template.h"
#include "producer/ingest/json_row.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void text_survives_json(void **state)
{
	(void)state;
	srand(3);
	for (int round = 0; round < 20000; round++) {
		static const char *const parts[] = {"a", "\"", "\\", "\n", "\x01", "\xc3\xbc",
			"\xf0\x9f\x98\x80", "plain text"};
		char text[128] = "[";
		struct buf out = {0};
		json_t *back;

		for (int n = rand() % 10; n > 0; n--)
			strcat(text, parts[rand() % 8]);
		buf_byte(&out, '[');
		assert_true(json_put_text(&out, text, strlen(text)));
		buf_byte(&out, ']');
		back = json_loadb(out.data, out.used, 0, NULL);
		assert_non_null(back);
		assert_string_equal(json_string_value(json_array_get(back, 0)), text);
		json_decref(back);
		buf_release(&out);
	}
}

static void a_byte_that_needs_care_is_found_wherever_it_stands(void **state)
{
	static const char hostile[] = {'"', '\\', 1, 31, (char)0x80, (char)0xff};

	(void)state;
	for (size_t len = 1; len < 40; len++) {
		for (size_t at = 0; at < len; at++) {
			for (size_t i = 0; i < sizeof(hostile); i++) {
				struct buf out = {0};
				char text[40];

				memset(text, 'x', sizeof(text));
				text[at] = hostile[i];
				assert_int_equal(
					json_put_text(&out, text, len), hostile[i] > 0);
				if (hostile[i] > 0)
					assert_true(out.used > len + 2);
				buf_release(&out);
			}
		}
	}
}

static void what_is_not_utf8_is_no_json(void **state)
{
	static const char *const bad[] = {"\xff", "a\x80", "\xc0\x80", "\xed\xa0\x80",
		"\xf5\x80\x80\x80", "\xc3", "12345678\xe2\x82", "\xe0\x80\x80"};
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(json_put_text(&out, bad[i], strlen(bad[i])));
		assert_int_equal(out.used, 0);
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	}
	json_put_text_lossy(&out,
		"a\xff"
		"b",
		3);
	buf_byte(&out, 0);
	assert_string_equal(out.data, "\"a\xef\xbf\xbd"
				      "b\"");
	buf_release(&out);
}

static void numbers_are_formatted_as_printf_does(void **state)
{
	static const int64_t edge[] = {
		0, 9, 10, 99, 100, -1, -10, INT64_MAX, INT64_MIN, 12345678901};
	char ours[40], theirs[40];

	(void)state;
	for (size_t i = 0; i < sizeof(edge) / sizeof(edge[0]); i++) {
		ours[format_int(ours, edge[i])] = 0;
		snprintf(theirs, sizeof(theirs), "%lld", (long long)edge[i]);
		assert_string_equal(ours, theirs);
	}
	ours[format_fixed(ours, -5, 2)] = 0;
	assert_string_equal(ours, "-0.05");
	ours[format_fixed(ours, 123456, 4)] = 0;
	assert_string_equal(ours, "12.3456");
	ours[format_double(ours, 0.1)] = 0;
	assert_string_equal(ours, "0.1");
}

static void row_n_is_the_same_whoever_makes_it(void **state)
{
	struct gen_params p = {
		.seed = 42, .first_id = 1, .keys = 1000, .base_ms = 1735689600000};
	char one[GEN_ROW_BYTES], two[GEN_ROW_BYTES];
	struct cell a[17], b[17];

	(void)state;
	for (uint64_t row = 0; row < 5000; row++) {
		char *at = one, *other = two;

		gen_message_row(&p, row, a, &at);
		assert_true(at - one <= GEN_ROW_BYTES);
		gen_message_row(&p, 4999 - row, b, &other);
		other = two;
		gen_message_row(&p, row, b, &other);
		for (int i = 0; i < 17; i++) {
			assert_int_equal(a[i].kind, b[i].kind);
			if (a[i].text)
				assert_memory_equal(a[i].text, b[i].text, a[i].len);
			else
				assert_true(a[i].integer == b[i].integer);
		}
		p.seed++;
		other = two;
		gen_message_row(&p, row, b, &other);
		assert_memory_not_equal(a[1].text, b[1].text, 36);
		p.seed--;
	}
}

static void as_many_rows_as_keys_hold_every_user(void **state)
{
	struct gen_params p = {.seed = 1, .keys = 50};
	bool seen[50] = {false};

	(void)state;
	for (uint64_t row = 0; row < 50; row++) {
		char text[GEN_ROW_BYTES + 1] = "", *at = text;
		struct cell cells[4];

		gen_users_row(&p, row, cells, &at);
		assert_int_equal(cells[0].text[0], 'u');
		seen[atoi(cells[0].text + 1)] = true;
		assert_in_range(cells[2].integer, 18, 87);
	}
	for (int i = 0; i < 50; i++)
		assert_true(seen[i]);
}

static void a_wrong_template_names_its_field(void **state)
{
	static const char *const bad[] = {"{}", "[]", "{", "{\"a\":1}", "{\"a\":\"nope\"}",
		"{\"a\":\"int(1)\"}", "{\"a\":\"int(9,1)\"}", "{\"a\":\"double(0,1,99)\"}",
		"{\"a\":\"text(-1)\"}", "{\"a\":\"seq\",\"a\":\"seq\"}",
		"{\"a\":\"int(1,2,3\"}"};
	struct gen_template *t;
	struct errmsg msg;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct schema schema = {0};

		assert_int_equal(gen_template_parse(&t, bad[i], &schema, &msg), ERR_CONFIG);
		schema_release(&schema);
	}
	assert_non_null(strstr(msg.text, "field a"));
}

static void template_values_stay_within_their_bounds(void **state)
{
	struct gen_params p = {.seed = 9, .first_id = 7, .keys = 3};
	struct schema schema = {0};
	struct gen_template *t;
	struct errmsg msg;
	int nulls = 0;

	(void)state;
	assert_int_equal(gen_template_parse(&t,
				 "{\"i\":\"int(-2,2)\",\"d\":\"double(0,0.5,3)\","
				 "\"n\":\"int(1,1)?0.5\",\"t\":\"text(12)\"}",
				 &schema, &msg),
		0);
	for (uint64_t row = 0; row < 10000; row++) {
		char text[512], *at = text;
		struct cell c[4];

		gen_template_row(t, &p, row, c, &at);
		assert_true(at <= text + gen_template_row_bytes(t));
		assert_true(c[0].integer >= -2 && c[0].integer <= 2);
		assert_true(c[1].number >= 0 && c[1].number <= 0.5);
		nulls += c[2].kind == CELL_NULL;
		assert_int_equal(c[3].len, 12);
	}
	assert_in_range(nulls, 4700, 5300);
	gen_template_free(t);
	schema_release(&schema);
}

static void compression_may_differ_by_sink(void **state)
{
	struct errmsg msg;
	char word[16];

	(void)state;
	assert_int_equal(codec_word(word, NULL, "avro", "none|snappy", "snappy", &msg), 0);
	assert_string_equal(word, "snappy");
	assert_int_equal(codec_word(word, "none", "avro", "none|snappy", "snappy", &msg), 0);
	assert_string_equal(word, "none");
	assert_int_equal(
		codec_word(word, "kafka=lz4,avro=none", "avro", "none|snappy", "x", &msg), 0);
	assert_string_equal(word, "none");
	assert_int_equal(
		codec_word(word, "zstd", "avro", "none|snappy", "x", &msg), ERR_CONFIG);
	assert_int_equal(
		codec_word(word, "snap", "avro", "none|snappy", "x", &msg), ERR_CONFIG);
}

static struct cell text_cell(const char *text)
{
	return (struct cell){.text = text, .len = (uint32_t)strlen(text), .kind = CELL_TEXT};
}

static void csv_quotes_only_what_would_read_as_something_else(void **state)
{
	const struct csv_style style = {.delimiter = ';', .null_text = "NULL"};
	const struct cell row[] = {text_cell("plain, so"), text_cell("a;b"), text_cell("\"q\""),
		text_cell("two\nlines"), text_cell("NULL"), {.kind = CELL_NULL}, text_cell(""),
		{.kind = CELL_INT, .integer = -7}, {.kind = CELL_BOOL, .integer = 1},
		{.kind = CELL_DOUBLE, .number = 0.5}};
	const struct cell empty = text_cell("");
	struct buf out = {0};

	(void)state;
	csv_put_row(&out, &style, row, sizeof(row) / sizeof(row[0]));
	csv_put_row(&out, &style, &empty, 1);
	buf_byte(&out, 0);
	assert_string_equal(out.data, "plain, so;\"a;b\";\"\"\"q\"\"\";\"two\nlines\";\"NULL\";"
				      "NULL;;-7;true;0.5\n\"\"\n");
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_survives_json),
		cmocka_unit_test(a_byte_that_needs_care_is_found_wherever_it_stands),
		cmocka_unit_test(what_is_not_utf8_is_no_json),
		cmocka_unit_test(numbers_are_formatted_as_printf_does),
		cmocka_unit_test(row_n_is_the_same_whoever_makes_it),
		cmocka_unit_test(as_many_rows_as_keys_hold_every_user),
		cmocka_unit_test(a_wrong_template_names_its_field),
		cmocka_unit_test(template_values_stay_within_their_bounds),
		cmocka_unit_test(csv_quotes_only_what_would_read_as_something_else),
		cmocka_unit_test(compression_may_differ_by_sink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
