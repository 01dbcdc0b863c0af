/* producer/http/http_in: which bodies are records, and what becomes of them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "producer/http/admission.h"
#include "producer/http/http_in.h"

static struct http_in record;
static struct http_in_problem problem;
static struct http_in_form form;

/* The body is in memory of exactly its size, so that a sanitizer sees a read beyond it. */
static int read_body(const char *body, size_t length)
{
	static char *copy;

	free(copy);
	copy = malloc(length ? length : 1);
	memcpy(copy, body, length);
	return http_in_read(&record, &form, copy, length, &problem);
}

static void refused(const char *body, const char *words, const char *member)
{
	assert_int_equal(read_body(body, strlen(body)), ERR_INVALID);
	if (!strstr(problem.msg.text, words))
		fail_msg("%s: '%s' is not in '%s'", body, words, problem.msg.text);
	assert_string_equal(problem.members, member);
}

/* In memory of exactly its size, too. */
static char *written(size_t *length)
{
	static char *value;

	free(value);
	*length = http_in_length(&record);
	value = malloc(*length);
	http_in_write(&record, value);
	return value;
}

static void becomes(const char *body, const char *key, const char *value)
{
	size_t length;
	char *text;

	if (read_body(body, strlen(body)) != 0)
		fail_msg("%s: %s", body, problem.msg.text);
	if (key) {
		assert_int_equal(record.key_length, strlen(key));
		assert_memory_equal(record.key, key, record.key_length);
	} else {
		assert_int_equal(record.key_length, 0);
		assert_int_equal(http_in_set_id(&record, &form, "made", 4, &problem), 0);
	}
	text = written(&length);
	assert_int_equal(length, strlen(value));
	assert_memory_equal(text, value, length);
	assert_memory_equal(text + record.id_at, record.id_json, record.id_json_length);
}

#define REST ",\"name\":\"A\",\"age\":1,\"occupation\":\"B\"}"

static void the_value_is_canonical_whatever_the_order(void **state)
{
	(void)state;
	becomes("{\"id\":\"x\"" REST, "x", "{\"id\":\"x\"" REST);
	becomes(" {\"occupation\" : \"B\", \"age\": 1e0 ,\n\"name\":\"A\",\"id\":\"x\"} ", "x",
		"{\"id\":\"x\"" REST);
	becomes("{\"name\":\"A\",\"age\":1,\"occupation\":\"B\"}", NULL,
		"{\"id\":\"made\"" REST);
}

static void the_key_is_the_plain_id(void **state)
{
	(void)state;
	becomes("{\"id\":\"\\u00e9\\\"\\ud83d\\ude00\"" REST, "\xc3\xa9\"\xf0\x9f\x98\x80",
		"{\"id\":\"\\u00e9\\\"\\ud83d\\ude00\"" REST);
	becomes("{\"\\u0069d\":\"x\"" REST, "x", "{\"id\":\"x\"" REST);
}

static void a_wrong_field_is_named(void **state)
{
	(void)state;
	refused("{\"id\":7" REST, "'id' must be a string", "\"field\":\"id\"");
	refused("{\"id\":\"\"" REST, "'id' is empty", "\"field\":\"id\"");
	refused("{\"id\":\" x\"" REST, "space", "\"field\":\"id\"");
	refused("{\"id\":\"x\\u0020\"" REST, "space", "\"field\":\"id\"");
	refused("{\"id\":\"a\\u0000b\"" REST, "control", "\"field\":\"id\"");
	refused("{\"id\":\"\\u007f\"" REST, "control", "\"field\":\"id\"");
	refused("{\"name\":\"A\",\"age\":1}", "'occupation' is missing",
		"\"field\":\"occupation\"");
	refused("{}", "'name' is missing", "\"field\":\"name\"");
	refused("{\"name\":null,\"age\":1,\"occupation\":\"B\"}", "'name' must be a string",
		"\"field\":\"name\"");
	refused("{\"name\":\"\",\"age\":1,\"occupation\":\"B\"}", "1 to 255",
		"\"field\":\"name\"");
	refused("{\"x\\\"y\":1" REST, "unknown field 'x\\\"y'", "");
	refused("{\"age\":2" REST, "'age' is there twice", "\"field\":\"age\"");
	refused("{\"\\u0061ge\":2" REST, "'age' is there twice", "\"field\":\"age\"");
}

static void an_age_is_a_whole_number_that_fits(void **state)
{
	static const char *const bad[] = {"-1", "1.5", "2147483648", "1e400", "\"1\"", "true",
		"null", "[1]", "99999999999999999999"};
	char body[128];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(body, sizeof(body), "{\"name\":\"A\",\"age\":%s,\"occupation\":\"B\"}",
			bad[i]);
		refused(body, "0 to 2147483647", "\"field\":\"age\"");
	}
	becomes("{\"id\":\"x\",\"name\":\"A\",\"age\":2147483647,\"occupation\":\"B\"}", "x",
		"{\"id\":\"x\",\"name\":\"A\",\"age\":2147483647,\"occupation\":\"B\"}");
}

static void broken_json_says_where(void **state)
{
	(void)state;
	refused("{\"id\":\"x\"", "byte 9", "\"position\":9");
	refused("", "byte 0", "\"position\":0");
	refused("[]", "byte 0", "\"position\":0");
	refused("{\"id\":\"x\"" REST "x", "invalid JSON", "\"position\":46");
	refused("{\"id\":\"\xff\"" REST, "invalid JSON", "\"position\":7");
	/* A malformed rest is the better complaint than a field before it. */
	refused("{\"id\":7,,", "invalid JSON", "\"position\":8");
}

static void the_longest_record_fits_and_one_more_does_not(void **state)
{
	char body[9000], id[900] = "", name[4000] = "";
	size_t length;

	(void)state;
	for (int i = 0; i < 64; i++)
		strcat(id, "\\ud83d\\ude00");
	for (int i = 0; i < 255; i++)
		strcat(name, "\\ud83d\\ude00");
	snprintf(body, sizeof(body),
		"{\"id\":\"%s\",\"name\":\"%s\",\"age\":1,\"occupation\":\"%s\"}", id, name,
		name);
	assert_int_equal(read_body(body, strlen(body)), 0);
	assert_int_equal(record.key_length, 256);
	assert_memory_equal(written(&length), body, strlen(body));
	assert_int_equal(length, strlen(body));
	strcat(id, "x");
	snprintf(body, sizeof(body), "{\"id\":\"%s\"" REST, id);
	refused(body, "longer than 64", "\"field\":\"id\"");
	strcat(name, "x");
	snprintf(body, sizeof(body), "{\"name\":\"%s\",\"age\":1,\"occupation\":\"B\"}", name);
	refused(body, "1 to 255", "\"field\":\"name\"");
}

static int users(void **state)
{
	struct errmsg msg;

	(void)state;
	return http_in_form(&form, false, "id", &msg);
}

static int objects_by_sku(void **state)
{
	struct errmsg msg;

	(void)state;
	return http_in_form(&form, true, "sku", &msg);
}

static void an_object_goes_on_as_it_came(void **state)
{
	(void)state;
	becomes(" {\"a\":[1,{}], \"sku\" : \"x\"}\r\n", "x", "{\"a\":[1,{}], \"sku\" : \"x\"}");
	becomes("{\"sku\":-42,\"b\":null}", "-42", "{\"sku\":-42,\"b\":null}");
	becomes("{\"s\\u006bu\":\"\\u0061\"}", "a", "{\"s\\u006bu\":\"\\u0061\"}");
	becomes("{\"inner\":{\"sku\":\"no\"},\"sku\":\"yes\"}", "yes",
		"{\"inner\":{\"sku\":\"no\"},\"sku\":\"yes\"}");
}

static void an_object_without_its_key_gets_one_in_front(void **state)
{
	(void)state;
	becomes("{ \"a\":1}", NULL, "{\"sku\":\"made\",\"a\":1}");
	becomes(" { } ", NULL, "{\"sku\":\"made\"}");
	becomes("{\"id\":\"x\"}", NULL, "{\"sku\":\"made\",\"id\":\"x\"}");
}

static void an_object_is_refused_for_its_key_alone(void **state)
{
	static const char *const bad[] = {
		"null", "true", "1.0", "1e3", "-0", "{}", "[]", "\"\""};
	char body[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(body, sizeof(body), "{\"sku\":%s}", bad[i]);
		refused(body, "field 'sku'", "\"field\":\"sku\"");
	}
	refused("{\"sku\":1,\"sku\":1}", "is there twice", "\"field\":\"sku\"");
	refused("{\"sku\":null,", "invalid JSON", "\"position\":12");
	refused("[1]", "not a JSON object", "\"position\":0");
	for (size_t i = 0; i < sizeof("{\"sku\":12}") - 2; i++)
		assert_int_equal(read_body("{\"sku\":12}", i), ERR_INVALID);
}

/* Pieces in any order: what is taken is JSON to another reader too, and holds the key. */
static void whatever_is_taken_is_json_with_its_key(void **state)
{
	static const char *const parts[] = {"{", "}", "\"sku\"", ":", ",", "\"x\"", "7", "null",
		"[", "]", " ", "\"a\"", "{\"sku\":", "\"\\u00e9\"", "\n", "-1"};
	int taken = 0;

	(void)state;
	srand(5);
	for (int round = 0; round < 300000; round++) {
		char body[128] = "{";
		size_t length;

		for (int n = rand() % 9; n > 0; n--)
			strcat(body, parts[rand() % 16]);
		strcat(body, "}");
		if (read_body(body, strlen(body)) != 0)
			continue;
		if (record.key_length == 0)
			assert_int_equal(
				http_in_set_id(&record, &form, "made", 4, &problem), 0);
		char *value = written(&length);
		json_t *back = json_loadb(value, length, 0, NULL);
		json_t *key = json_object_get(back, "sku");
		char text[32];

		if (!key)
			fail_msg("%s became %.*s", body, (int)length, value);
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(key));
		assert_memory_equal(json_is_string(key) ? json_string_value(key) : text,
			record.key, record.key_length);
		assert_memory_equal(
			value + record.id_at, record.id_json, record.id_json_length);
		json_decref(back);
		taken++;
	}
	assert_in_range(taken, 1000, 300000);
}

static void a_key_has_a_plain_name(void **state)
{
	static const char *const bad[] = {"", "a\"b", "a\\b", "a\nb", "\xff",
		"0123456789012345678901234567890123456789012345678901234567890123x"};
	struct http_in_form made;
	struct errmsg msg;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(http_in_form(&made, true, bad[i], &msg), ERR_CONFIG);
	assert_int_equal(http_in_form(&made, false, "sku", &msg), ERR_CONFIG);
	assert_int_equal(http_in_form(&made, true, "\xc3\xa9", &msg), 0);
}

static void no_prefix_and_no_damage_is_accepted_or_crashes(void **state)
{
	static const char good[] = "{\"id\":\"\\u00e9x\"" REST;
	char bad[sizeof(good)];

	(void)state;
	for (size_t i = 0; i < sizeof(good) - 1; i++)
		assert_int_equal(read_body(good, i), ERR_INVALID);
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		for (int c = 0; c < 256; c++) {
			memcpy(bad, good, sizeof(good));
			bad[i] = (char)c;
			if (read_body(bad, sizeof(good) - 1) == 0)
				assert_in_range(record.key_length, 1, RECORD_ID_BYTES);
		}
	}
}

static void a_path_is_decoded_once(void **state)
{
	char to[8];
	size_t used;

	(void)state;
	assert_int_equal(http_in_decode_path(to, 8, "a%2525", 6, &used), 0);
	assert_int_equal(used, 4);
	assert_memory_equal(to, "a%25", 4);
	assert_int_equal(http_in_decode_path(to, 8, "a%2", 3, &used), ERR_INVALID);
	assert_int_equal(http_in_decode_path(to, 8, "%zz", 3, &used), ERR_INVALID);
	assert_int_equal(http_in_decode_path(to, 3, "abcd", 4, &used), ERR_INVALID);
}

static void an_id_of_a_path_must_be_utf8(void **state)
{
	(void)state;
	assert_int_equal(http_in_set_id(&record, &form, "\xc3\xa9", 2, &problem), 0);
	assert_int_equal(http_in_set_id(&record, &form, "\xff", 1, &problem), ERR_INVALID);
	assert_int_equal(http_in_set_id(&record, &form, "\xc3", 1, &problem), ERR_INVALID);
	assert_int_equal(http_in_set_id(&record, &form, "a\nb", 3, &problem), ERR_INVALID);
}

static void an_id_of_a_path_is_refused_by_the_name_of_its_field(void **state)
{
	static const char long_id[RECORD_ID_BYTES + 1] = "";
	static const struct {
		const char *id;
		size_t length;
	} bad[] = {{"\xff", 1}, {" a", 2}, {"", 0}, {long_id, sizeof(long_id)}};
	struct http_in_form sku;
	struct errmsg msg;

	(void)state;
	assert_int_equal(http_in_form(&sku, true, "sku", &msg), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
			http_in_set_id(&record, &sku, bad[i].id, bad[i].length, &problem),
			ERR_INVALID);
		assert_non_null(strstr(problem.msg.text, "field 'sku'"));
		assert_string_equal(problem.members, "\"field\":\"sku\"");
	}
}

static void admission_refuses_before_it_is_too_much(void **state)
{
	struct admission a = {.max_records = 2, .max_bytes = 100, .down_grace_ms = 1000};

	(void)state;
	assert_int_equal(admission_ask(&a, 2, 100, 0), ADMISSION_YES);
	assert_int_equal(admission_ask(&a, 3, 1, 0), ADMISSION_FULL);
	assert_int_equal(admission_ask(&a, 1, 500, 0), ADMISSION_YES); /* alone it may pass */
	a.records = 1;
	a.bytes = 60;
	assert_int_equal(admission_ask(&a, 1, 40, 0), ADMISSION_YES);
	assert_int_equal(admission_ask(&a, 1, 41, 0), ADMISSION_FULL);
	a.records = 2;
	assert_int_equal(admission_ask(&a, 1, 1, 0), ADMISSION_FULL);
	a.records = 0;
	a.down_since_ms = 5000;
	assert_int_equal(admission_ask(&a, 1, 1, 5999), ADMISSION_YES); /* a short outage */
	assert_int_equal(admission_ask(&a, 1, 1, 6000), ADMISSION_DOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_value_is_canonical_whatever_the_order),
		cmocka_unit_test(the_key_is_the_plain_id),
		cmocka_unit_test(a_wrong_field_is_named),
		cmocka_unit_test(an_age_is_a_whole_number_that_fits),
		cmocka_unit_test(broken_json_says_where),
		cmocka_unit_test(the_longest_record_fits_and_one_more_does_not),
		cmocka_unit_test(no_prefix_and_no_damage_is_accepted_or_crashes),
		cmocka_unit_test(a_path_is_decoded_once),
		cmocka_unit_test(an_id_of_a_path_must_be_utf8),
		cmocka_unit_test(an_id_of_a_path_is_refused_by_the_name_of_its_field),
		cmocka_unit_test(a_key_has_a_plain_name),
		cmocka_unit_test(admission_refuses_before_it_is_too_much),
	};
	const struct CMUnitTest objects[] = {
		cmocka_unit_test(an_object_goes_on_as_it_came),
		cmocka_unit_test(an_object_without_its_key_gets_one_in_front),
		cmocka_unit_test(an_object_is_refused_for_its_key_alone),
		cmocka_unit_test(whatever_is_taken_is_json_with_its_key),
	};
	int failed = cmocka_run_group_tests(tests, users, NULL);

	return failed + cmocka_run_group_tests(objects, objects_by_sku, NULL);
}
