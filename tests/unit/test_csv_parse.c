/* csv_parse: rows come out as RFC 4180 says, whatever the pieces they come in. */
#include "producer/ingest/csv_columns.h"
#include "producer/ingest/csv_parse.h"
#include "producer/ingest/csv_types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FIELDS 8

/* Splits a copy; the fields are joined by | for comparison, a problem is shown as !. */
static void shows(const char *text, const char *expected)
{
	char copy[256], shown[512] = "";
	struct csv_field fields[FIELDS];
	struct csv_record record;
	size_t len = strlen(text);

	memcpy(copy, text, len);
	for (size_t at = 0; at < len; at += record.bytes) {
		csv_split(copy + at, len - at, ',', fields, FIELDS, &record);
		assert_true(record.bytes > 0);
		if (!record.problem)
			csv_fold(fields, &record);
		for (size_t i = 0; i < record.fields && !record.problem; i++) {
			strncat(shown, fields[i].text, fields[i].len);
			strcat(shown, i + 1 < record.fields ? "|" : "");
		}
		strcat(shown, record.problem ? "!;" : ";");
	}
	assert_string_equal(shown, expected);
}

static void fields_are_split_at_the_delimiter(void **state)
{
	(void)state;
	shows("a,b,c\n1,,3\n", "a|b|c;1||3;");
	shows("a,b", "a|b;");
	shows(",\n", "|;");
	shows("\n", ";");
	shows("abcdefghij,klmnopqrst\n", "abcdefghij|klmnopqrst;");
}

static void crlf_ends_a_row_and_a_lone_cr_does_not(void **state)
{
	(void)state;
	shows("a,b\r\nc,d\r\n", "a|b;c|d;");
	shows("a\rb,c\n", "a\rb|c;");
	shows("\"a\"\r\nb\n", "a;b;");
}

static void quotes_hold_delimiters_line_ends_and_quotes(void **state)
{
	(void)state;
	shows("\"a,b\",\"c\nd\",\"e\"\"f\"\n", "a,b|c\nd|e\"f;");
	shows("\"\",x\n", "|x;");
	shows("\"\"\"\"\n", "\";");
	shows("\"\"\"a\"\"\"", "\"a\";");
}

static void a_quote_inside_an_unquoted_field_is_data(void **state)
{
	(void)state;
	shows("5\" disk,b\n", "5\" disk|b;");
}

static void half_a_quote_costs_its_line_only(void **state)
{
	(void)state;
	shows("1,\"open\n2,b\n", "!;2|b;");
	shows("1,\"x\"y\n2,b\n", "!;2|b;");
	shows("\"", "!;");
}

/* A row that is refused goes into --rejects; what follows half a quote is looked at again. */
static void a_split_changes_nothing(void **state)
{
	static const char *const texts[] = {
		"\"a\"\"b\",\"x\"y\n1,2\n", "\"\"\"\n\"\"\",\"\"\"\"\n", "\"a\"\"b\"\",c\nd"};
	struct csv_field fields[FIELDS];
	struct csv_record record;

	(void)state;
	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		char copy[64];

		strcpy(copy, texts[t]);
		csv_split(copy, strlen(copy), ',', fields, FIELDS, &record);
		assert_string_equal(copy, texts[t]);
	}
}

static size_t count_line_feeds(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == '\n';
	return count;
}

static void folded_quotes_are_unfolded_to_what_was_there(void **state)
{
	(void)state;
	srand(3);
	for (int round = 0; round < 20000; round++) {
		char text[64] = "\"", copy[64];
		struct csv_field fields[FIELDS];
		struct csv_record record;
		size_t len = 1;

		while (len < 40 && rand() % 20) {
			text[len] = "\"\"a\n,"[rand() % 5];
			if (text[len++] == '"')
				text[len++] = '"';
		}
		text[len++] = '"';
		memcpy(copy, text, len);
		csv_split(copy, len, ',', fields, FIELDS, &record);
		assert_null(record.problem);
		csv_fold(fields, &record);
		assert_int_equal(count_line_feeds(copy, len), count_line_feeds(text, len));
		csv_unfold(fields, &record);
		assert_memory_equal(copy, text, len);
		assert_int_equal(fields[0].len, len - 2);
	}
}

static void more_fields_than_room_are_counted(void **state)
{
	char text[] = "1,2,3,4,5,6,7,8,9,10\n";
	struct csv_field fields[FIELDS];
	struct csv_record record;

	(void)state;
	csv_split(text, strlen(text), ',', fields, FIELDS, &record);
	assert_int_equal(record.fields, 10);
	assert_memory_equal(fields[7].text, "8", 1);
}

/* Random text of the signs that matter. */
static size_t random_text(char *text, size_t room)
{
	static const char signs[] = "\"\",,\n\na\r";
	size_t len = 1 + (size_t)rand() % (room - 1);

	for (size_t i = 0; i < len; i++)
		text[i] = signs[(size_t)rand() % (sizeof(signs) - 1)];
	return len;
}

static size_t count_rows(char *text, size_t len)
{
	struct csv_field fields[FIELDS];
	struct csv_record record;
	size_t rows = 0;

	for (size_t at = 0; at < len; at += record.bytes, rows++)
		csv_split(text + at, len - at, ',', fields, FIELDS, &record);
	return rows;
}

/* The boundary search must not cut a row that the parser would take whole. */
static void well_formed_text_is_cut_between_rows_only(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		char text[400], copy[400];
		size_t len = 0, cut, piece;

		for (int rows = 1 + rand() % 6; rows > 0; rows--) {
			for (int f = 1 + rand() % 3; f > 0; f--) {
				char inner[20];
				size_t n = random_text(inner, 8);

				text[len++] = '"';
				for (size_t i = 0; i < n; i++) {
					text[len++] = inner[i];
					if (inner[i] == '"')
						text[len++] = '"';
				}
				text[len++] = '"';
				text[len++] = f > 1 ? ',' : '\n';
			}
		}
		piece = (size_t)rand() % (len + 1);
		cut = piece ? csv_last_end(text, piece, ',', false) : 0;
		assert_true(cut <= piece);
		memcpy(copy, text, len);
		size_t whole = count_rows(copy, len);

		memcpy(copy, text, len);
		assert_int_equal(
			(cut ? count_rows(copy, cut) : 0) + count_rows(copy + cut, len - cut),
			whole);
	}
}

static void hostile_text_never_leaves_its_bounds(void **state)
{
	(void)state;
	srand(2);
	for (int round = 0; round < 50000; round++) {
		size_t len = 1 + (size_t)rand() % 40;
		char *text = malloc(len); /* exact, so that a sanitizer sees one byte beyond */
		char longer[64];
		size_t made = random_text(longer, sizeof(longer));

		memcpy(text, longer, len < made ? len : made);
		if (made < len)
			memset(text + made, '"', len - made);
		assert_true(csv_last_end(text, len, ',', round & 1) <= len);
		assert_true(count_rows(text, len) > 0);
		free(text);
	}
}

static void only_what_json_can_copy_is_a_number(void **state)
{
	static const char *const no[] = {"", "-", "+1", "01", "1 ", "0x1",
		"9223372036854775808", "1.", ".5", "1e", "1e+", "nan", "inf", "--1", "1e999"};
	int64_t i;
	double d;

	(void)state;
	for (size_t k = 0; k < sizeof(no) / sizeof(no[0]); k++)
		assert_false(csv_parse_int(no[k], strlen(no[k]), &i));
	for (size_t k = 0; k < sizeof(no) / sizeof(no[0]); k++)
		if (strcmp(no[k], "9223372036854775808") != 0)
			assert_false(csv_parse_double(no[k], strlen(no[k]), &d));
	assert_true(csv_parse_int("-9223372036854775808", 20, &i));
	assert_true(i == INT64_MIN);
	assert_true(csv_parse_int("0", 1, &i));
	assert_true(csv_parse_double("-1.5e3", 6, &d));
	assert_true(d == -1500);
}

static void a_delimiter_is_one_byte_that_is_no_quote(void **state)
{
	struct errmsg msg;
	char c;

	(void)state;
	assert_int_equal(csv_delimiter("tab", &c, &msg), 0);
	assert_int_equal(c, '\t');
	assert_int_equal(csv_delimiter(";", &c, &msg), 0);
	assert_int_equal(csv_delimiter("\"", &c, &msg), ERR_CONFIG);
	assert_int_equal(csv_delimiter("ab", &c, &msg), ERR_CONFIG);
	assert_int_equal(csv_delimiter(NULL, &c, &msg), ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_split_at_the_delimiter),
		cmocka_unit_test(crlf_ends_a_row_and_a_lone_cr_does_not),
		cmocka_unit_test(quotes_hold_delimiters_line_ends_and_quotes),
		cmocka_unit_test(a_quote_inside_an_unquoted_field_is_data),
		cmocka_unit_test(half_a_quote_costs_its_line_only),
		cmocka_unit_test(a_split_changes_nothing),
		cmocka_unit_test(folded_quotes_are_unfolded_to_what_was_there),
		cmocka_unit_test(more_fields_than_room_are_counted),
		cmocka_unit_test(well_formed_text_is_cut_between_rows_only),
		cmocka_unit_test(hostile_text_never_leaves_its_bounds),
		cmocka_unit_test(only_what_json_can_copy_is_a_number),
		cmocka_unit_test(a_delimiter_is_one_byte_that_is_no_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
