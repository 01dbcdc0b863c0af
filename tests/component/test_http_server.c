/* common/http_server over real sockets. needs: nothing but loopback */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/http_server.h"
#include "common/http_stream.h"

/* A server in a thread; the test is the client. */
static struct {
	uv_loop_t loop;
	uv_async_t async;
	struct http_server *server;
	pthread_t thread;
	int command; /* 'd' drain, 'c' close, 'a' answer what was held back, 'C' both at once */
	int handled, drained, streams_closed;
	struct http_request *held[100];
	int held_count;
	int port;
	struct http_stream *stream;
} s;

static void on_stream_closed(void *user)
{
	(void)user;
	s.streams_closed++;
	s.stream = NULL;
}

/* /hold waits for 'a'; /echo gives the body back; /stream stays open; else the path. */
static void handle(void *user, struct http_request *request)
{
	size_t length;
	const char *text;

	(void)user;
	s.handled++;
	if (http_request_path_is(request, "/hold")) {
		s.held[s.held_count++] = request;
	} else if (http_request_path_is(request, "/echo")) {
		text = http_request_body(request, &length);
		http_respond(request, 200, "text/plain", NULL, text, length);
	} else if (http_request_path_is(request, "/stream")) {
		s.stream = http_stream_start(
			request, "text/event-stream", NULL, on_stream_closed, NULL);
		http_stream_write(s.stream, "data: 1\n\n", 9, 1000);
	} else if (http_request_path_is(request, "/big")) {
		http_respond_owned(
			request, 200, "text/plain", NULL, calloc(1, 4 << 20), 4 << 20);
	} else {
		text = http_request_path(request, &length);
		http_respond(request, 200, "text/plain", "X-Own: yes\r\n", text, length);
	}
}

static void on_drained(void *user)
{
	(void)user;
	s.drained = 1;
}

/* What was held back is answered with much, and nobody waits until it is written. */
static void answer_and_close(void)
{
	while (s.held_count > 0)
		http_respond_owned(s.held[--s.held_count], 200, "text/plain", NULL,
			calloc(1, 4 << 20), 4 << 20);
	http_server_close(s.server);
}

static void on_async(uv_async_t *async)
{
	int command = __atomic_exchange_n(&s.command, 0, __ATOMIC_SEQ_CST);

	if (command == 'd') {
		http_server_drain(s.server, on_drained, NULL);
	} else if (command == 'c') {
		http_server_close(s.server);
		uv_close((uv_handle_t *)async, NULL);
	} else if (command == 'C') {
		answer_and_close();
		uv_close((uv_handle_t *)async, NULL);
	}
	if (command == 'a' || command == 'c') {
		/* The newest first: order must come from the connection. */
		while (s.held_count > 0) {
			char text[16];

			s.held_count--;
			snprintf(text, sizeof(text), "held %d", s.held_count);
			http_respond(s.held[s.held_count], 200, "text/plain", NULL, text, 6);
		}
	}
}

static void *run(void *user)
{
	uv_run(&s.loop, UV_RUN_DEFAULT);
	return user;
}

static void start(const struct http_server_config *limits)
{
	struct http_server_config config = limits ? *limits : (struct http_server_config){0};
	struct errmsg msg;

	memset(&s, 0, sizeof(s));
	config.listen = "127.0.0.1:0";
	config.handle = handle;
	uv_loop_init(&s.loop);
	uv_async_init(&s.loop, &s.async, on_async);
	if (http_server_open(&s.server, &s.loop, &config, &msg) != 0)
		fail_msg("%s", msg.text);
	s.port = http_server_port(s.server);
	pthread_create(&s.thread, NULL, run, NULL);
}

static void command(int what)
{
	__atomic_store_n(&s.command, what, __ATOMIC_SEQ_CST);
	uv_async_send(&s.async);
	while (__atomic_load_n(&s.command, __ATOMIC_SEQ_CST))
		usleep(1000);
	usleep(20000);
}

static void stop(void)
{
	command('c');
	pthread_join(s.thread, NULL);
	assert_int_equal(uv_loop_close(&s.loop), 0);
}

static int dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s.port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads until `words` has come, the end, or 3 s; what came is in a static buffer. */
static char *hear(int fd, const char *words)
{
	static char text[65536];
	size_t used = 0;

	text[0] = 0;
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t got;

		if (words && strstr(text, words))
			return text;
		if (poll(&p, 1, 3000) <= 0)
			fail_msg("'%s' did not come; this did: %s", words ? words : "the end",
				text);
		got = recv(fd, text + used, sizeof(text) - 1 - used, 0);
		if (got <= 0) {
			if (words)
				fail_msg("the end before '%s': %s", words, text);
			return text;
		}
		used += (size_t)got;
		text[used] = 0;
	}
}

static void has(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("'%s' is not in: %s", words, text);
}

#define HOST " HTTP/1.1\r\nHost: a\r\n"

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
	struct http_server_config limits = {.max_connections = 2};
	int fds[3];

	(void)state;
	start(&limits);
	for (int i = 0; i < 3; i++) {
		fds[i] = dial();
		usleep(20000);
	}
	has(hear(fds[2], NULL), "HTTP/1.1 503 ");
	say(fds[1], "GET /fine" HOST "\r\n");
	has(hear(fds[1], "/fine"), "200 OK");
	for (int i = 0; i < 3; i++)
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

static void a_client_that_does_not_read_is_hung_up_on(void **state)
{
	struct http_server_config limits = {.write_ms = 300};

	(void)state;
	start(&limits);
	int fd = dial();
	for (int i = 0; i < 4; i++)
		say(fd, "GET /big" HOST "\r\n");
	usleep(1200000);
	assert_int_equal(http_server_stats(s.server)->connections, 0);
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

static void a_half_closed_client_still_gets_its_answer(void **state)
{
	(void)state;
	start(NULL);
	int fd = dial();
	say(fd, "GET /hold" HOST "\r\n");
	shutdown(fd, SHUT_WR);
	usleep(50000);
	command('a');
	has(hear(fd, NULL), "held 0");
	close(fd);
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

/* Reads up to the end, and `pause_us` after every 128 KiB. */
static size_t length_until_the_end(int fd, useconds_t pause_us)
{
	static char text[128 * 1024];
	size_t used = 0;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t got =
			poll(&p, 1, 3000) > 0 ? recv(fd, text, sizeof(text), MSG_WAITALL) : -1;

		if (got <= 0)
			return used;
		used += (size_t)got;
		usleep(pause_us);
	}
}

static void an_answer_that_was_given_just_before_the_close_still_goes(void **state)
{
	(void)state;
	start(NULL);
	int held = dial(), idle = dial(), behind = dial();
	say(held, "GET /hold" HOST "\r\n");
	say(behind, "GET /x" HOST "\r\nGET /hold" HOST "\r\n");
	hear(behind, "/x");
	usleep(50000);
	__atomic_store_n(&s.command, 'C', __ATOMIC_SEQ_CST);
	uv_async_send(&s.async);
	assert_int_equal(length_until_the_end(held, 0) >> 20, 4);
	assert_int_equal(length_until_the_end(behind, 0) >> 20, 4);
	assert_int_equal(length_until_the_end(idle, 0), 0);
	close(held);
	close(behind);
	close(idle);
	pthread_join(s.thread, NULL);
	assert_int_equal(uv_loop_close(&s.loop), 0);
}

static void a_client_that_does_not_read_holds_up_no_close(void **state)
{
	(void)state;
	start(NULL);
	int fd = dial(), stream = dial();
	say(fd, "GET /big" HOST "\r\nGET /hold" HOST "\r\n");
	say(stream, "GET /stream" HOST "\r\n");
	hear(stream, "data: 1\n\n");
	usleep(50000);
	__atomic_store_n(&s.command, 'C', __ATOMIC_SEQ_CST);
	uv_async_send(&s.async);
	usleep(100000);
	assert_int_equal(s.streams_closed, 1);
	pthread_join(s.thread, NULL);
	assert_int_equal(uv_loop_close(&s.loop), 0);
	close(fd);
	close(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_of_a_pipeline_come_in_its_order),
		cmocka_unit_test(a_body_arrives_whole_however_it_is_cut),
		cmocka_unit_test(expect_100_is_answered_before_the_body),
		cmocka_unit_test(a_body_over_the_limit_is_413_with_and_without_a_length),
		cmocka_unit_test(half_a_request_and_silence_is_408),
		cmocka_unit_test(a_drip_of_bytes_buys_no_time),
		cmocka_unit_test(a_head_over_the_limit_is_431),
		cmocka_unit_test(garbage_is_400_and_costs_its_own_connection_only),
		cmocka_unit_test(one_connection_too_many_is_503),
		cmocka_unit_test(a_pipeline_that_is_too_deep_is_not_read_further),
		cmocka_unit_test(a_client_that_does_not_read_is_hung_up_on),
		cmocka_unit_test(a_drain_answers_what_is_in_flight_and_what_still_comes),
		cmocka_unit_test(an_answer_for_a_client_that_has_gone_is_dropped),
		cmocka_unit_test(a_half_closed_client_still_gets_its_answer),
		cmocka_unit_test(a_stream_stays_open_and_ends_with_its_client_or_the_drain),
		cmocka_unit_test(closing_with_everything_open_frees_everything),
		cmocka_unit_test(an_answer_that_was_given_just_before_the_close_still_goes),
		cmocka_unit_test(a_client_that_does_not_read_holds_up_no_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
