/* How wt-producer stops, as a process, against librdkafka's mock cluster. needs: only loopback */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/lib/producer_kit.h"

static void sigterm_answers_everything_in_flight(void **state)
{
	enum { CLIENTS = 60 };
	int fds[CLIENTS];
	char *text;

	(void)state;
	start(NULL);
	rd_kafka_mock_broker_set_rtt(p.cluster, 1, 300);
	for (int i = 0; i < CLIENTS; i++) {
		char id[16];

		fds[i] = dial();
		snprintf(id, sizeof(id), "k%d", i);
		post(fds[i], id);
	}
	usleep(50000);
	kill(p.pid, SIGTERM);
	for (int i = 0; i < CLIENTS; i++) {
		assert_int_equal(answer(fds[i], &text), 202);
		has(text, "Connection: close\r\n");
		close(fds[i]);
	}
	assert_int_equal(ended(), 0);
}

static void a_second_signal_stops_now_and_says_what_is_left(void **state)
{
	(void)state;
	start(NULL);
	rd_kafka_mock_broker_set_rtt(p.cluster, 1, 5000);
	int fd = dial();
	post(fd, "x");
	usleep(200000);
	int64_t before = clock_mono_ms();
	kill(p.pid, SIGTERM);
	usleep(100000);
	kill(p.pid, SIGTERM);
	assert_int_equal(ended(), 75);
	assert_in_range(clock_mono_ms() - before, 0, 3500);
	close(fd);
}

static void a_stop_that_gives_up_answers_504_with_the_id(void **state)
{
	const char *const more[] = {"--drain.timeout-ms=300", NULL};
	char *text;

	(void)state;
	start(more);
	rd_kafka_mock_broker_set_rtt(p.cluster, 1, 8000);
	int one = dial(), lines = dial();
	post(one, "x");
	post_lines(lines, LINE("a") LINE("b"));
	usleep(200000);
	kill(p.pid, SIGTERM);
	assert_int_equal(answer(one, &text), 504);
	has(text, "may or may not be stored");
	has(text, "\"id\":\"x\"");
	assert_int_equal(answer(lines, &text), 207);
	has(text, "{\"line\":1,\"status\":504,\"id\":\"a\",");
	has(text, "{\"line\":2,\"status\":504,\"id\":\"b\",");
	assert_int_equal(ended(), 75);
	close(one);
	close(lines);
}

static void half_a_request_at_the_end_of_a_stop_is_no_work_left(void **state)
{
	static const char half[] = "POST /write-through HTTP/1.1\r\nHost: a\r\n"
				   "Content-Length: 100\r\n\r\n{";
	const char *const more[] = {"--drain.timeout-ms=300", NULL};

	(void)state;
	start(more);
	int fd = dial();
	assert_int_equal(send(fd, half, sizeof(half) - 1, 0), sizeof(half) - 1);
	usleep(100000);
	assert_int_equal(stop(), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sigterm_answers_everything_in_flight),
		cmocka_unit_test(a_second_signal_stops_now_and_says_what_is_left),
		cmocka_unit_test(a_stop_that_gives_up_answers_504_with_the_id),
		cmocka_unit_test(half_a_request_at_the_end_of_a_stop_is_no_work_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
