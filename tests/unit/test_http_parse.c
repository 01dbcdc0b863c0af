/* common/http_parse: the same verdict however the bytes arrive; what is ambiguous is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/http_parse.h"

static struct http_head head;
static const char *why;

/* Feeds growing prefixes, each in memory of exactly its size; the first verdict counts. */
static int arrive(const char *text, size_t length, size_t step)
{
	static char *copy;
	size_t scanned = 0;
	int got = 0;

	for (size_t have = step; got == 0; have += step) {
		if (have > length)
			have = length;
		free(copy);
		copy = malloc(have);
		memcpy(copy, text, have);
		got = http_parse_head(&head, copy, have, &scanned, &why);
		if (have == length)
			break;
	}
	return got;
}

static void verdict(const char *text, int expected)
{
	size_t length = strlen(text);

	for (size_t step = 1; step <= length; step++) {
		int got = arrive(text, length, step);

		if (got != expected)
			fail_msg("step %zu: %d, not %d (%s): %s", step, got, expected,
				got < 0 ? why : "", text);
	}
}

#define HOST "Host: a\r\n"

static void a_request_is_taken_apart(void **state)
{
	(void)state;
	verdict("\r\nPOST /a/b?c=d HTTP/1.1\r\n" HOST "content-LENGTH:  12 \r\nX:\r\n\r\nbody",
		1);
	assert_int_equal(head.method, HTTP_POST);
	assert_memory_equal(head.path.text, "/a/b", head.path.length);
	assert_memory_equal(head.query.text, "c=d", head.query.length);
	assert_int_equal(head.content_length, 12);
	assert_true(head.keep_alive);
	assert_int_equal(http_head_field(&head, "x", 0)->length, 0);
	assert_null(http_head_field(&head, "y", 0));
	verdict("GET http://a:1/x HTTP/1.1\r\n" HOST "\r\n", 1);
	assert_memory_equal(head.path.text, "/x", head.path.length);
	verdict("HEAD / HTTP/1.0\r\n\r\n", 1);
	assert_true(head.head_only);
	assert_false(head.keep_alive);
	verdict("GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n", 1);
	assert_true(head.keep_alive);
	verdict("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", 1);
	assert_false(head.keep_alive);
	verdict("POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n\r\n",
		1);
	assert_true(head.chunked && head.expect_continue);
}

static void an_ambiguous_length_is_refused(void **state)
{
	(void)state;
	verdict("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
		-400);
	verdict("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
		-400);
	verdict("POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n", -400);
	verdict("POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", -400);
	verdict("POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", -400);
	verdict("POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n", -400);
	verdict("POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", -400);
	verdict("POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\n",
		-413);
	verdict("POST / HTTP/1.1\r\n" HOST
		"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		-400);
	verdict("POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
		-400);
	verdict("POST / HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		-400);
	verdict("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", -400);
	verdict("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", -501);
	verdict("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", -501);
	verdict("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", -501);
}

static void a_malformed_line_is_refused(void **state)
{
	(void)state;
	verdict("GET / HTTP/1.1\n" HOST "\r\n", -400);
	verdict("GET / HTTP/1.1\r\nHost: a\n\r\n", -400);
	verdict("GET / HTTP/1.1\r\n" HOST "\n", -400);
	verdict("GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", -400);
	verdict("GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n", -400);
	verdict("GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n", -400);
	verdict("GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n", -400);
	verdict("GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", -400);
	verdict("GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", -400);
	verdict("GET / HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n", -400);
	verdict("GET / HTTP/1.1\r\nX: a\r\n\r\n", -400);
	verdict("GET / HTTP/1.1\r\n" HOST HOST "\r\n", -400);
	verdict("GET  / HTTP/1.1\r\n" HOST "\r\n", -400);
	verdict("GET / a HTTP/1.1\r\n" HOST "\r\n", -400);
	verdict("GET /\x7f HTTP/1.1\r\n" HOST "\r\n", -400);
	verdict("GET x HTTP/1.1\r\n" HOST "\r\n", -400);
	verdict("GET http://a HTTP/1.1\r\n" HOST "\r\n", -400);
	verdict("GET /\r\n" HOST "\r\n", -400);
	verdict("GE(T / HTTP/1.1\r\n" HOST "\r\n", -400);
	verdict("GET / HTTP/1.1x\r\n" HOST "\r\n", -400);
	verdict("GET / HTTP/2.0\r\n" HOST "\r\n", -505);
	verdict("\x16\x03\x01\x02", -400);
	verdict("GET / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n", -417);
	assert_int_equal(arrive("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29, 1), -400);
}

static void too_many_headers_are_refused(void **state)
{
	char text[8192] = "GET / HTTP/1.1\r\n" HOST;

	(void)state;
	for (int i = 1; i < HTTP_FIELDS_MAX; i++)
		strcat(text, "A: b\r\n");
	size_t length = strlen(text);
	strcat(text, "\r\n");
	assert_int_equal(arrive(text, strlen(text), 100), 1);
	strcpy(text + length, "A: b\r\n\r\n");
	assert_int_equal(arrive(text, strlen(text), 100), -431);
}

static void a_head_that_is_cut_is_not_a_head(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\n" HOST "X: y\r\n\r\n";

	(void)state;
	for (size_t i = 1; i < sizeof(text) - 1; i++)
		assert_int_equal(arrive(text, i, 1), 0);
}

/* Decodes in pieces of `step`; the body in `to`, or the refusal. */
static int decode(const char *text, size_t step, char *to, size_t *made, size_t *used)
{
	struct http_chunked chunked = {0};
	size_t length = strlen(text);
	int got = 0;

	*made = *used = 0;
	while (got == 0 && *used < length) {
		size_t piece = length - *used < step ? length - *used : step, in, out;

		got = http_chunked_feed(
			&chunked, text + *used, piece, &in, to + *made, &out, &why);
		*used += in;
		*made += out;
	}
	return got;
}

static void chunks(const char *text, int expected, const char *body, const char *behind)
{
	char to[256];
	size_t made, used;

	for (size_t step = 1; step <= strlen(text); step++) {
		assert_int_equal(decode(text, step, to, &made, &used), expected);
		if (expected != 1)
			continue;
		assert_int_equal(made, strlen(body));
		assert_memory_equal(to, body, made);
		assert_string_equal(text + used, behind);
	}
}

static void chunks_are_decoded_however_they_are_cut(void **state)
{
	(void)state;
	chunks("5\r\nhello\r\n0\r\n\r\nGET", 1, "hello", "GET");
	chunks("2;a=\"b\"\r\nhe\r\n003 \r\nllo\r\n0\r\nT: x\r\n\r\n", 1, "hello", "");
	chunks("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", 1, "01234567890123456789",
		"");
	chunks("5\r\nhel", 0, "", "");
	chunks("0\r\n", 0, "", "");
}

static void malformed_chunks_are_refused(void **state)
{
	(void)state;
	chunks("\r\n", -400, "", "");
	chunks("5\nhello\r\n0\r\n\r\n", -400, "", "");
	chunks("5\r\nhelloX", -400, "", "");
	chunks("5\r\nhello\n0\r\n\r\n", -400, "", "");
	chunks("-1\r\n", -400, "", "");
	chunks("0x5\r\n", -400, "", "");
	chunks("1;\n\r\n", -400, "", "");
	chunks("0\r\n\n", -400, "", "");
	chunks("fffffffffffffffff\r\n", -413, "", "");
}

static void a_list_holds_whole_members_only(void **state)
{
	(void)state;
	assert_true(http_list_has("wait=3, respond-async", 21, "respond-async"));
	assert_true(http_list_has(" wait=3", 7, "wait"));
	assert_true(http_list_has("application/json; charset=utf-8", 31, "application/json"));
	assert_false(http_list_has("application/jsonp", 17, "application/json"));
	assert_false(http_list_has("a respond-async", 15, "respond-async"));
	assert_false(http_list_has("", 0, "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_taken_apart),
		cmocka_unit_test(an_ambiguous_length_is_refused),
		cmocka_unit_test(a_malformed_line_is_refused),
		cmocka_unit_test(too_many_headers_are_refused),
		cmocka_unit_test(a_head_that_is_cut_is_not_a_head),
		cmocka_unit_test(chunks_are_decoded_however_they_are_cut),
		cmocka_unit_test(malformed_chunks_are_refused),
		cmocka_unit_test(a_list_holds_whole_members_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
