/* loadgen/http_reply: the same verdict however the bytes are cut. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "loadgen/http_reply.h"

/* Feeds `text` in pieces of `piece` bytes. */
static enum reply_state feed(struct http_reply *r, const char *text, size_t piece)
{
	size_t length = strlen(text), at = 0, used;
	enum reply_state state = REPLY_MORE;

	http_reply_reset(r, false);
	while (at < length && state == REPLY_MORE) {
		size_t part = length - at < piece ? length - at : piece;

		state = http_reply_feed(r, text + at, part, &used);
		at += used;
	}
	return state;
}

static void assert_reply(const char *text, int status, const char *body, bool keep_alive)
{
	struct http_reply r;

	http_reply_init(&r, 1000);
	for (size_t piece = 1; piece <= strlen(text); piece++) {
		assert_int_equal(feed(&r, text, piece), REPLY_DONE);
		assert_int_equal(r.status, status);
		assert_int_equal(r.body_bytes, strlen(body));
		assert_int_equal(r.keep_alive, keep_alive);
		if (*body)
			assert_string_equal(r.body, body);
	}
	http_reply_release(&r);
}

static void answers_of_all_framings_are_read(void **state)
{
	(void)state;
	assert_reply(
		"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nhello", 202, "hello", true);
	assert_reply("HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", 200, "", true);
	assert_reply("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true);
	assert_reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		     "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n",
		200, "hello world", true);
	assert_reply("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: "
		     "2\r\n\r\nok",
		201, "ok", true);
	assert_reply("HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
		503, "x", false);
	assert_reply("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", false);
	assert_reply("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx",
		200, "x", true);
}

static void garbage_is_malformed_at_any_cut(void **state)
{
	static const char *const bad[] = {"SSH-2.0-OpenSSH_9\r\n", "HTTP/2 200 OK\r\n\r\n",
		"HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 099 X\r\n\r\n",
		"\r\n\r\n", "{\"ok\":true}", "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
		"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: 1\r\n folded\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"};
	struct http_reply r;

	(void)state;
	http_reply_init(&r, 1000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (size_t piece = 1; piece <= strlen(bad[i]); piece++) {
			if (feed(&r, bad[i], piece) != REPLY_MALFORMED)
				fail_msg("taken in pieces of %zu: %s", piece, bad[i]);
		}
	}
	http_reply_release(&r);
}

static void endless_headers_are_malformed(void **state)
{
	struct http_reply r;
	enum reply_state verdict;
	size_t used;

	(void)state;
	http_reply_init(&r, 1000);
	verdict = feed(&r, "HTTP/1.1 200 OK\r\n", 100);
	for (int i = 0; i < 100000 && verdict == REPLY_MORE; i++)
		verdict = http_reply_feed(&r, "X-Header: y\r\n", 13, &used);
	assert_int_equal(verdict, REPLY_MALFORMED);
	verdict = feed(&r, "HTTP/1.1 200 OK\r\nX: ", 100);
	for (int i = 0; i < 100000 && verdict == REPLY_MORE; i++)
		verdict = http_reply_feed(&r, "yyyyyyyyyy", 10, &used);
	assert_int_equal(verdict, REPLY_MALFORMED);
	http_reply_release(&r);
}

static void the_end_of_the_connection_ends_only_an_unframed_body(void **state)
{
	struct http_reply r;

	(void)state;
	http_reply_init(&r, 1000);
	assert_int_equal(feed(&r, "HTTP/1.1 200 OK\r\n\r\nbody", 3), REPLY_MORE);
	assert_int_equal(http_reply_end(&r), REPLY_DONE);
	assert_string_equal(r.body, "body");
	assert_false(r.keep_alive);
	assert_int_equal(
		feed(&r, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody", 3), REPLY_MORE);
	assert_int_equal(http_reply_end(&r), REPLY_MALFORMED);
	http_reply_reset(&r, false);
	assert_int_equal(http_reply_end(&r), REPLY_MORE);
	http_reply_release(&r);
}

static void a_body_beyond_the_limit_is_counted_not_kept(void **state)
{
	struct http_reply r;

	(void)state;
	http_reply_init(&r, 4);
	assert_int_equal(feed(&r, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", 3),
		REPLY_DONE);
	assert_int_equal(r.body_bytes, 4);
	assert_int_equal(r.body_total, 10);
	assert_string_equal(r.body, "0123");
	http_reply_release(&r);
}

static void bytes_behind_the_answer_are_left(void **state)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1";
	struct http_reply r;
	size_t used;

	(void)state;
	http_reply_init(&r, 100);
	http_reply_reset(&r, false);
	assert_int_equal(http_reply_feed(&r, text, sizeof(text) - 1, &used), REPLY_DONE);
	assert_int_equal(used, sizeof(text) - 1 - 8);
	http_reply_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_of_all_framings_are_read),
		cmocka_unit_test(garbage_is_malformed_at_any_cut),
		cmocka_unit_test(endless_headers_are_malformed),
		cmocka_unit_test(the_end_of_the_connection_ends_only_an_unframed_body),
		cmocka_unit_test(a_body_beyond_the_limit_is_counted_not_kept),
		cmocka_unit_test(bytes_behind_the_answer_are_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
