/* common/http_server over real sockets. needs: nothing but loopback */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/component/http_kit.h"

static void answers_of_a_pipeline_come_in_its_order(void **state)
{
	char *text;

	(void)state;
	start(NULL);
	int fd = dial();
	say(fd, "GET /hold" HOST "\r\nGET /hold" HOST "\r\nGET /x" HOST "\r\nGET /hold" HOST
		"\r\nGET /last" HOST "\r\n");
	usleep(100000);
	assert_int_equal(s.handled, 5);
	command('a');
	text = hear(fd, "/last");
	char *a = strstr(text, "held 0"), *b = strstr(text, "held 1"), *c = strstr(text, "/x"),
	     *d = strstr(text, "held 2");
	assert_true(a && b && c && d && a < b && b < c && c < d);
	has(text, "X-Own: yes\r\n");
	close(fd);
	stop();
}

static void a_body_arrives_whole_however_it_is_cut(void **state)
{
	static const char plain[] = "POST /echo" HOST "Content-Length: 5\r\n\r\nhello";
	static const char chunked[] = "POST /echo" HOST "Transfer-Encoding: chunked\r\n\r\n"
				      "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";

	(void)state;
	start(NULL);
	int fd = dial();
	for (size_t step = 1; step < sizeof(chunked); step += 3) {
		const char *const texts[] = {plain, chunked};

		for (int i = 0; i < 2; i++) {
			for (size_t at = 0; at < strlen(texts[i]); at += step) {
				size_t left = strlen(texts[i]) - at;

				send(fd, texts[i] + at, left < step ? left : step, 0);
				usleep(200);
			}
			has(hear(fd, "\r\n\r\nhello"), "200 OK");
		}
	}
	close(fd);
	stop();
}

static void expect_100_is_answered_before_the_body(void **state)
{
	(void)state;
	start(NULL);
	int fd = dial();
	say(fd, "POST /echo" HOST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
	has(hear(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
	say(fd, "hello");
	has(hear(fd, "hello"), "200 OK");
	close(fd);
	stop();
}

static void a_body_over_the_limit_is_413_with_and_without_a_length(void **state)
{
	struct http_server_config limits = {.max_body_bytes = 100};
	char chunk[300];

	(void)state;
	start(&limits);
	int fd = dial();
	say(fd, "POST /echo" HOST "Content-Length: 101\r\nExpect: 100-continue\r\n\r\n");
	char *text = hear(fd, NULL);
	has(text, "HTTP/1.1 413 ");
	has(text, "Connection: close\r\n");
	close(fd);
	fd = dial();
	snprintf(chunk, sizeof(chunk),
		"POST /echo" HOST "Transfer-Encoding: chunked\r\n\r\n"
		"65\r\n%0101d\r\n0\r\n\r\n",
		7);
	say(fd, chunk);
	has(hear(fd, NULL), "HTTP/1.1 413 ");
	close(fd);
	fd = dial();
	say(fd, "POST /echo" HOST "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n");
	has(hear(fd, NULL), "HTTP/1.1 413 ");
	close(fd);
	assert_int_equal(s.handled, 0);
	stop();
}

static void memory_for_one_largest_body_is_enough_for_it(void **state)
{
	struct http_server_config limits = {
		.max_body_bytes = 5000, .max_header_bytes = 300, .max_buffered_bytes = 5300};
	char body[5001];

	(void)state;
	start(&limits);
	int fd = dial();
	say(fd, "POST /echo" HOST "Content-Length: 5000\r\n\r\n");
	usleep(20000);
	snprintf(body, sizeof(body), "%05000d", 7);
	say(fd, body);
	has(hear(fd, "00007"), "200 OK");
	close(fd);
	stop();
}

static void half_a_request_and_silence_is_408(void **state)
{
	struct http_server_config limits = {.header_ms = 200, .body_ms = 300, .idle_ms = 500};

	(void)state;
	start(&limits);
	int fd = dial();
	say(fd, "GET /x HT");
	has(hear(fd, NULL), "HTTP/1.1 408 ");
	close(fd);
	fd = dial();
	say(fd, "POST /echo" HOST "Content-Length: 5\r\n\r\nhel");
	has(hear(fd, NULL), "HTTP/1.1 408 ");
	close(fd);
	fd = dial(); /* nothing at all: closed without a word */
	assert_string_equal(hear(fd, NULL), "");
	close(fd);
	stop();
}

static void a_drip_of_bytes_buys_no_time(void **state)
{
	struct http_server_config limits = {.header_ms = 300};
	int fd, sent = 0;

	(void)state;
	start(&limits);
	fd = dial();
	for (; sent < 100; sent++) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, 20) > 0)
			break;
		send(fd, "G", 1, MSG_NOSIGNAL);
	}
	assert_true(sent < 60);
	has(hear(fd, NULL), "HTTP/1.1 408 ");
	close(fd);
	stop();
}

static void a_head_over_the_limit_is_431(void **state)
{
	struct http_server_config limits = {.max_header_bytes = 300};
	char text[400];

	(void)state;
	start(&limits);
	int fd = dial();
	snprintf(text, sizeof(text), "GET /x" HOST "X: %0300d", 1);
	say(fd, text);
	has(hear(fd, NULL), "HTTP/1.1 431 ");
	close(fd);
	stop();
}

static void garbage_is_400_and_costs_its_own_connection_only(void **state)
{
	(void)state;
	start(NULL);
	int good = dial(), bad = dial();
	say(bad, "GET /before" HOST "\r\nGET /bad HTTP/1.1\nHost: a\r\n\r\nGET /after" HOST
		 "\r\n");
	char *text = hear(bad, NULL);
	has(text, "/before");
	has(text, "HTTP/1.1 400 ");
	has(text, "application/problem+json");
	assert_null(strstr(text, "/after"));
	say(good, "GET /fine" HOST "\r\n");
	has(hear(good, "/fine"), "200 OK");
	close(good);
	close(bad);
	stop();
}

static void one_connection_too_many_is_503(void **state)
{
	struct http_server_config limits = {.max_connections = 2, .max_refused = 1};
	int fds[4];

	(void)state;
	start(&limits);
	for (int i = 0; i < 4; i++) {
		fds[i] = dial();
		usleep(20000);
	}
	assert_string_equal(hear(fds[3], NULL), ""); /* too many even for that */
	has(hear(fds[2], NULL), "HTTP/1.1 503 ");
	say(fds[1], "GET /fine" HOST "\r\n");
	has(hear(fds[1], "/fine"), "200 OK");
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	stop();
}

static void a_pipeline_that_is_too_deep_is_not_read_further(void **state)
{
	struct http_server_config limits = {.max_pipelined = 4};

	(void)state;
	start(&limits);
	int fd = dial();
	for (int i = 0; i < 20; i++)
		say(fd, "GET /hold" HOST "\r\n");
	usleep(100000);
	assert_int_equal(s.handled, 4);
	for (int i = 0; i < 8; i++)
		command('a');
	assert_int_equal(s.handled, 20);
	close(fd);
	stop();
}

static void a_drain_answers_what_is_in_flight_and_what_still_comes(void **state)
{
	(void)state;
	start(NULL);
	int held = dial(), half = dial(), idle = dial();
	say(held, "GET /hold" HOST "\r\n");
	say(half, "POST /echo" HOST "Content-Length: 5\r\n\r\nhe");
	usleep(50000);
	command('d');
	say(half, "llo");
	char *text = hear(half, NULL);
	has(text, "hello");
	has(text, "Connection: close\r\n");
	say(idle, "GET /late" HOST "\r\n"); /* sent before it could know */
	has(hear(idle, NULL), "/late");
	assert_int_equal(s.drained, 0);
	command('a');
	text = hear(held, NULL);
	has(text, "held 0");
	has(text, "Connection: close\r\n");
	close(held);
	close(half);
	close(idle);
	usleep(100000);
	assert_int_equal(s.drained, 1);
	stop();
}

static void an_answer_for_a_client_that_has_gone_is_dropped(void **state)
{
	(void)state;
	start(NULL);
	int fd = dial();
	struct linger reset = {.l_onoff = 1};
	say(fd, "GET /hold" HOST "\r\nGET /hold" HOST "\r\n");
	usleep(50000);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	usleep(50000);
	command('a');
	assert_int_equal(http_server_stats(s.server)->requests_open, 0);
	stop();
}

static void a_stream_stays_open_and_ends_with_its_client_or_the_drain(void **state)
{
	(void)state;
	start(NULL);
	int fd = dial();
	say(fd, "GET /stream" HOST "\r\n");
	has(hear(fd, "data: 1\n\n"), "text/event-stream");
	close(fd);
	usleep(50000);
	assert_int_equal(s.streams_closed, 1);
	fd = dial();
	say(fd, "GET /stream" HOST "\r\n");
	hear(fd, "data: 1\n\n");
	command('d');
	hear(fd, NULL);
	close(fd);
	usleep(50000);
	assert_int_equal(s.streams_closed, 2);
	stop();
}

static void closing_with_everything_open_frees_everything(void **state)
{
	(void)state;
	start(NULL);
	int a = dial(), b = dial(), c = dial();
	say(a, "GET /hold" HOST "\r\nGET /x" HOST "\r\n");
	say(b, "POST /echo" HOST "Content-Length: 5\r\n\r\nhe");
	say(c, "GET /stream" HOST "\r\n");
	usleep(50000);
	stop(); /* ASan looks for what is left */
	close(a);
	close(b);
	close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_of_a_pipeline_come_in_its_order),
		cmocka_unit_test(a_body_arrives_whole_however_it_is_cut),
		cmocka_unit_test(expect_100_is_answered_before_the_body),
		cmocka_unit_test(a_body_over_the_limit_is_413_with_and_without_a_length),
		cmocka_unit_test(memory_for_one_largest_body_is_enough_for_it),
		cmocka_unit_test(half_a_request_and_silence_is_408),
		cmocka_unit_test(a_drip_of_bytes_buys_no_time),
		cmocka_unit_test(a_head_over_the_limit_is_431),
		cmocka_unit_test(garbage_is_400_and_costs_its_own_connection_only),
		cmocka_unit_test(one_connection_too_many_is_503),
		cmocka_unit_test(a_pipeline_that_is_too_deep_is_not_read_further),
		cmocka_unit_test(a_drain_answers_what_is_in_flight_and_what_still_comes),
		cmocka_unit_test(an_answer_for_a_client_that_has_gone_is_dropped),
		cmocka_unit_test(a_stream_stays_open_and_ends_with_its_client_or_the_drain),
		cmocka_unit_test(closing_with_everything_open_frees_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
