/* How common/http_server gets rid of its answers, over real sockets. needs: nothing but loopback */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/component/http_kit.h"

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
	joined();
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
	joined();
	close(fd);
	close(stream);
}

static void answers_that_nobody_reads_stop_the_reading_of_requests(void **state)
{
	enum { REQUESTS = 20 };
	char text[REQUESTS * 64] = "";

	(void)state;
	start(NULL);
	int fd = dial();
	for (int i = 0; i < REQUESTS; i++)
		strcat(text, "GET /big" HOST "\r\n");
	say(fd, text);
	usleep(100000);
	assert_in_range(s.handled, 1, 2);
	shutdown(fd, SHUT_WR);
	assert_int_equal(length_until_the_end(fd, 0) >> 22, REQUESTS);
	close(fd);
	stop();
}

static void a_client_that_reads_slowly_is_not_hung_up_on(void **state)
{
	struct http_server_config limits = {.write_ms = 300};
	int small = 8192;

	(void)state;
	start(&limits);
	int fd = dial();
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	say(fd, "GET /big" HOST "Connection: close\r\n\r\n");
	assert_int_equal(length_until_the_end(fd, 50000) >> 20, 4);
	close(fd);
	stop();
}

static void an_end_of_requests_does_not_cut_the_answer_that_is_being_written(void **state)
{
	(void)state;
	start(NULL);
	int fd = dial();
	say(fd, "GET /big" HOST "\r\n");
	usleep(100000);
	shutdown(fd, SHUT_WR);
	usleep(100000);
	assert_int_equal(length_until_the_end(fd, 0) >> 20, 4);
	close(fd);
	stop();
}

static void http_1_0_is_told_that_its_connection_stays(void **state)
{
	(void)state;
	start(NULL);
	int fd = dial();
	for (int i = 0; i < 2; i++) {
		say(fd, "GET /x HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
		has(hear(fd, "\r\n\r\n/x"), "\r\nConnection: keep-alive\r\n");
	}
	say(fd, "GET /y" HOST "\r\n"); /* 1.1 needs no words for it */
	assert_null(strstr(hear(fd, "\r\n\r\n/y"), "Connection:"));
	say(fd, "GET /x HTTP/1.0\r\n\r\n");
	has(hear(fd, NULL), "\r\nConnection: close\r\n");
	close(fd);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_that_does_not_read_is_hung_up_on),
		cmocka_unit_test(a_half_closed_client_still_gets_its_answer),
		cmocka_unit_test(an_answer_that_was_given_just_before_the_close_still_goes),
		cmocka_unit_test(a_client_that_does_not_read_holds_up_no_close),
		cmocka_unit_test(answers_that_nobody_reads_stop_the_reading_of_requests),
		cmocka_unit_test(a_client_that_reads_slowly_is_not_hung_up_on),
		cmocka_unit_test(
			an_end_of_requests_does_not_cut_the_answer_that_is_being_written),
		cmocka_unit_test(http_1_0_is_told_that_its_connection_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
