/* common/json_reader: RFC 8259 to the letter, held against jansson with mutated documents. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_reader.h"
#include "tests/lib/json_compare.h"

#define MUTATIONS 60000

static int walk(const char *text, size_t length)
{
	const char *error, *differ = json_compare(text, length);
	size_t position;

	if (differ)
		fail_msg("%.*s: %s", (int)length, text, differ);
	return json_walk(text, length, &error, &position);
}

static void takes(const char *text)
{
	if (walk(text, strlen(text)) != 0)
		fail_msg("refused: %s", text);
}

static void refuses(const char *text)
{
	if (walk(text, strlen(text)) == 0)
		fail_msg("taken: %s", text);
}

static void takes_what_the_rfc_takes(void **state)
{
	(void)state;
	takes("{}");
	takes("[]");
	takes(" \t\r\n{ \"a\" : [ ] } \n");
	takes("{\"\":0,\"a\":-0,\"b\":-0.0e-0,\"c\":1E+2}");
	takes("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\u0000\"}");
	takes("[\"\x7f\", \"\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf\"]");
	takes("[true,false,null,[[[]]],{\"a\":{\"a\":{}}}]");
	takes("{\"a\":1,\"a\":2}");
}

static void refuses_what_is_no_json(void **state)
{
	static const char *const texts[] = {"", " ", "{", "[", "{]", "[}", "{\"a\"}",
		"{\"a\":}", "{\"a\":1,}", "{,}", "{\"a\":1 \"b\":2}", "[1,]", "[,1]", "[1 2]",
		"{a:1}", "{'a':1}", "{1:1}", "[tru]", "[True]", "[nul", "[NaN]", "[Infinity]",
		"[-]", "[01]", "[-01]", "[1.]", "[.1]", "[1e]", "[1e+]", "[+1]", "[0x1]",
		"[1_000]", "[\"]", "[\"\\\"]", "[\"\\x\"]", "[\"\\u12\"]", "[\"\\u12g4\"]",
		"[\"a\nb\"]", "[\"\x01\"]", "{\"a\":1}x", "{}{}", "[]]", "{\"a\":1}//",
		"[1]/**/", "\xef\xbb\xbf{}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refuses(texts[i]);
	assert_int_not_equal(walk("{}\0", 3), 0);
	assert_int_not_equal(walk("[\"\0\"]", 5), 0);
}

static void refuses_what_is_no_unicode(void **state)
{
	(void)state;
	refuses("[\"\x80\"]");
	refuses("[\"\xc0\xaf\"]"); /* overlong */
	refuses("[\"\xc1\xbf\"]");
	refuses("[\"\xe0\x9f\xbf\"]");
	refuses("[\"\xf0\x8f\xbf\xbf\"]");
	refuses("[\"\xed\xa0\x80\"]"); /* a surrogate */
	refuses("[\"\xf4\x90\x80\x80\"]"); /* beyond U+10FFFF */
	refuses("[\"\xf8\x88\x80\x80\x80\"]");
	refuses("[\"\xc3\"]");
	refuses("[\"\xe2\x82\"]");
	refuses("[\"\\ud800\"]");
	refuses("[\"\\ud800\\u0041\"]");
	refuses("[\"\\udc00\"]");
	refuses("[\"\\ud83d\\ud83d\"]");
	refuses("{\"\\ud800\":1}");
}

static void depth_ends_at_the_stated_limit(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 8];
	const char *error;
	size_t position, deep = JSON_DEPTH_MAX;

	(void)state;
	memset(text, '[', deep);
	memset(text + deep, ']', deep);
	assert_int_equal(walk(text, 2 * deep), 0);
	memset(text, '[', deep + 1);
	memset(text + deep + 1, ']', deep + 1);
	assert_int_equal(json_walk(text, 2 * deep + 2, &error, &position), -1);
	assert_string_equal(error, "nested too deeply");
}

static void an_error_says_where_it_is(void **state)
{
	const char *error, text[] = "{\"a\": 1, \"b\": tru}";
	size_t position;

	(void)state;
	assert_int_equal(json_walk(text, strlen(text), &error, &position), -1);
	assert_int_equal(position, 14);
	assert_string_equal(error, "not a value");
}

static struct json_value number(const char *text)
{
	return (struct json_value){
		.kind = JSON_KIND_NUMBER, .text = text, .length = strlen(text)};
}

static void integers_are_exact_or_refused(void **state)
{
	static const struct {
		const char *text;
		bool fits;
		int64_t value;
	} cases[] = {{"0", true, 0}, {"-0", true, 0}, {"42", true, 42},
		{"9223372036854775807", true, INT64_MAX},
		{"-9223372036854775808", true, INT64_MIN}, {"9223372036854775808", false, 0},
		{"-9223372036854775809", false, 0},
		{"9007199254740993", true, 9007199254740993},
		{"9007199254740993.0", true, 9007199254740993}, {"1.0", true, 1},
		{"1e2", true, 100}, {"1.50e1", true, 15}, {"120e-1", true, 12},
		{"125e-1", false, 0}, {"0.1", false, 0}, {"1e18", true, 1000000000000000000},
		{"1e19", false, 0}, {"1e999999999999999999999", false, 0},
		{"-1.0E3", true, -1000}, {"1e-999999999999999999999", false, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_value value = number(cases[i].text);
		int64_t got = 0;

		if (json_number_int64(&value, &got) != cases[i].fits ||
			(cases[i].fits && got != cases[i].value))
			fail_msg("%s: %lld", cases[i].text, (long long)got);
	}
}

static void doubles_are_nearest_or_refused(void **state)
{
	struct json_value value = number("0.1");
	double got;

	(void)state;
	assert_true(json_number_double(&value, &got));
	assert_true(got == 0.1);
	value = number("1e309");
	assert_false(json_number_double(&value, &got));
	value = number("4.9e-324");
	assert_true(json_number_double(&value, &got));
	assert_true(got > 0);
}

static void a_cut_number_is_not_read_beyond(void **state)
{
	static const char text[] = "{\"a\":1e5";
	struct json_value key, value;
	struct json_reader r;
	char *exact = malloc(sizeof(text) - 1);
	int64_t got;

	(void)state;
	memcpy(exact, text, sizeof(text) - 1);
	assert_int_equal(json_object_begin(&r, exact, sizeof(text) - 1), 0);
	if (json_object_next(&r, &key, &value) > 0) {
		assert_true(json_number_int64(&value, &got));
		assert_int_equal(got, 100000);
	}
	assert_int_equal(json_object_next(&r, &key, &value), -1);
	free(exact);
}

/* The walk over a text, with and without a guess of each member: one verdict, the same values. */
static void guess_all(const char *text, size_t length)
{
	static const char *const guesses[] = {"\"a\":", "\"occupation\":", "\"name\":"};

	for (int g = 0; g < 3; g++) {
		struct json_value key = {0}, value, plain_key, plain;
		struct json_reader r, other;
		int more, expected = json_object_begin(&other, text, length);

		assert_int_equal(json_object_begin(&r, text, length), expected);
		do {
			more = json_object_next_guess(
				&r, guesses[g], strlen(guesses[g]), &key, &value);
			expected = json_object_next(&other, &plain_key, &plain);
			assert_int_equal(more > 0 ? 1 : more, expected);
			if (more <= 0)
				break;
			assert_ptr_equal(value.text, plain.text);
			assert_int_equal(value.length, plain.length);
			if (more == 2)
				assert_int_equal(plain_key.length, strlen(guesses[g]) - 3);
			else
				assert_ptr_equal(key.text, plain_key.text);
			if (more == 2)
				assert_memory_equal(
					plain_key.text, guesses[g] + 1, plain_key.length);
		} while (more > 0);
		assert_int_equal(r.position, other.position);
	}
}

static void a_guess_changes_nothing(void **state)
{
	static const char *const texts[] = {"{\"a\":1,\"name\":\"x\",\"occupation\":null}",
		"{ \"a\" :1, \"name\": \"x\" , \"occupations\":[1,{\"a\":2}]}",
		"{\"\\u0061\":1,\"a\":2,\"a\":3,\"nam\":\"\xc3\xa4\\n\"}",
		"{\"occupation\":\"a very long text that needs more than eight bytes\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t length = strlen(texts[i]);

		for (size_t cut = 1; cut <= length; cut++) { /* exact: nothing is read beyond */
			char *exact = malloc(cut);

			memcpy(exact, texts[i], cut);
			guess_all(exact, cut);
			free(exact);
		}
	}
}

static void names_are_compared_as_they_are_meant(void **state)
{
	struct json_value plain = {
		.kind = JSON_KIND_STRING, .text = "a\\u0062c", .length = 8, .escaped = true};

	(void)state;
	assert_true(json_string_is(&plain, "abc", 3));
	assert_false(json_string_is(&plain, "ab", 2));
	assert_false(json_string_is(&plain, "abcd", 4));
	assert_true(json_is_utf8("\xc3\xa9", 2));
	assert_false(json_is_utf8("\xc3", 1));
	assert_true(json_is_utf8("", 0));
}

/* ---- mutation ------------------------------------------------------------------------------------- */

static uint64_t seed = 20240229;

static uint32_t dice(uint32_t sides)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % sides;
}

static size_t mutate(char *text, size_t length, size_t room)
{
	static const char *const pieces[] = {"\"", "\\", "\\u", "\\ud800", "\\udc00", "{", "}",
		"[", "]", ",", ":", "0", "-", "e", ".", "true", "\xc3\xa9", "\xed\xa0\x80",
		"\x80", "\"a\":", "1e400", "18446744073709551616", " ", "\n", "\x01"};
	const char *piece = pieces[dice(sizeof(pieces) / sizeof(pieces[0]))];
	size_t size = strlen(piece), at = dice((uint32_t)length + 1);

	switch (dice(4)) {
	case 0:
		if (length + size > room)
			return length;
		memmove(text + at + size, text + at, length - at);
		memcpy(text + at, piece, size);
		return length + size;
	case 1:
		if (at == length)
			return length;
		memmove(text + at, text + at + 1, length - at - 1);
		return length - 1;
	case 2:
		if (at < length)
			text[at] = (char)dice(256);
		return length;
	default:
		return dice(8) ? length : at; /* cut */
	}
}

static void mutated_documents_are_judged_as_by_jansson(void **state)
{
	static const char *const documents[] = {
		"{\"id\":\"u-1\",\"name\":\"Zo\xc3\xab "
		"\\u00e9\",\"age\":42,\"occupation\":\"x\"}",
		"{\"a\":[1,2.5,-3e2,[true,null,false]],\"b\":{\"c\":{\"d\":\"\\ud83d\\ude00\"}}"
		"}",
		"[0,-0,1E5,123456789012345678,\"\\\"\\\\\\/\\b\\n\",\"\xf0\x9f\x98\x80\",{}]",
		" { \"a\" : \"\" , \"\" : [ ] } ",
	};
	char text[512];
	int taken = 0;

	(void)state;
	for (int i = 0; i < MUTATIONS; i++) {
		const char *document = documents[i % 4], *differ;
		size_t length = strlen(document);

		memcpy(text, document, length);
		for (uint32_t left = 1 + dice(4); left > 0; left--)
			length = mutate(text, length, sizeof(text));
		differ = json_compare(text, length);
		if (differ)
			fail_msg("round %d: %.*s: %s", i, (int)length, text, differ);
		text[length < sizeof(text) ? length : sizeof(text) - 1] = 0;
		if (i % 16 == 0) {
			const char *error;
			size_t position;

			taken += json_walk(text, length, &error, &position) == 0;
		}
	}
	assert_in_range(
		taken, MUTATIONS / 16 / 20, MUTATIONS / 16 - 100); /* both sorts were tried */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_the_rfc_takes),
		cmocka_unit_test(refuses_what_is_no_json),
		cmocka_unit_test(refuses_what_is_no_unicode),
		cmocka_unit_test(depth_ends_at_the_stated_limit),
		cmocka_unit_test(an_error_says_where_it_is),
		cmocka_unit_test(integers_are_exact_or_refused),
		cmocka_unit_test(doubles_are_nearest_or_refused),
		cmocka_unit_test(a_cut_number_is_not_read_beyond),
		cmocka_unit_test(a_guess_changes_nothing),
		cmocka_unit_test(names_are_compared_as_they_are_meant),
		cmocka_unit_test(mutated_documents_are_judged_as_by_jansson),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
