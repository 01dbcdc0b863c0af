/*
 * How wt-producer lets records wait for one another, against librdkafka's mock cluster. needs: nothing
 * but loopback
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/lib/producer_kit.h"

/* The connection to the brokers and the producer's id are there: only records are slow from now on. */
static void make_slow(int fd, int rtt_ms)
{
	char *text;

	post(fd, "first");
	assert_int_equal(answer(fd, &text), 202);
	rd_kafka_mock_broker_set_rtt(p.cluster, 1, rtt_ms);
}

/*
 * Five records of one partition that are under way for `rtt_ms`, in one request to the brokers: a
 * further one waits for others.
 */
static int send_earlier_ones(int rtt_ms)
{
	int fd = dial();

	make_slow(fd, rtt_ms);
	post_lines(fd, LINE("b") LINE("b") LINE("b") LINE("b") LINE("b"));
	usleep(100000); /* gather.max-ms below is longer or shorter than this by far */
	return fd;
}

static int send_last(void)
{
	int fd = dial();

	post(fd, "last");
	return fd;
}

/* The earlier ones are answered too, and both connections end. */
static void finish(int earlier, int fd)
{
	char *text;

	assert_int_equal(answer(earlier, &text), 202);
	close(earlier);
	close(fd);
}

static int ms_until_answered(int fd, int status)
{
	int64_t before = clock_mono_ms();
	char *text;

	assert_int_equal(answer(fd, &text), status);
	return (int)(clock_mono_ms() - before);
}

static void a_record_waits_for_those_under_way_but_not_beyond_its_bound(void **state)
{
	const char *const wait[] = {"--gather.max-ms=1000", NULL};
	const char *const hardly[] = {"--gather.max-ms=20", NULL};

	(void)state;
	start(wait);
	int earlier = send_earlier_ones(600);
	int fd = send_last();
	/* 500 ms of the others, then its own 600. */
	assert_in_range(ms_until_answered(fd, 202), 1000, 1550);
	finish(earlier, fd);
	assert_int_equal(stop(), 0);
	start(hardly);
	earlier = send_earlier_ones(600);
	fd = send_last();
	assert_in_range(ms_until_answered(fd, 202), 600, 1000);
	finish(earlier, fd);
	assert_int_equal(stop(), 0);
}

static void sigterm_sends_what_waits_for_others_at_once(void **state)
{
	const char *const more[] = {"--gather.max-ms=1000", NULL};

	(void)state;
	start(more);
	int earlier = send_earlier_ones(600);
	int fd = send_last();
	usleep(50000);
	kill(p.pid, SIGTERM);
	assert_in_range(ms_until_answered(fd, 202), 500, 950);
	finish(earlier, fd);
	assert_int_equal(ended(), 0);
}

static void what_waits_for_others_is_504_when_its_time_is_up(void **state)
{
	const char *const more[] = {"--gather.max-ms=1000", "--http.timeout-ms=300",
		"--kafka.message.timeout.ms=10000", NULL};
	char *text;

	(void)state;
	start(more);
	int earlier = send_earlier_ones(3000);
	int fd = send_last();
	assert_in_range(ms_until_answered(fd, 504), 290, 600);
	assert_int_equal(answer(earlier, &text), 207); /* each line 504 */
	/* Its slot outlives the answer, and the end waits for its report. */
	assert_int_equal(stop(), 0);
	close(earlier);
	close(fd);
}

static void lines_of_one_body_wait_for_nobody(void **state)
{
	const char *const more[] = {"--gather.max-ms=1000", NULL};

	(void)state;
	start(more);
	int earlier = send_earlier_ones(600);
	int fd = dial();
	post_lines(fd, LINE("a") LINE("c"));
	assert_in_range(ms_until_answered(fd, 202), 600, 1000);
	finish(earlier, fd);
	assert_int_equal(stop(), 0);
}

static void what_comes_at_once_and_alone_does_not_wait_for_itself(void **state)
{
	enum { REQUESTS = 30 }; /* in six partitions */
	const char *const more[] = {"--gather.max-ms=1000", NULL};
	char text[8192], answers[32768];
	size_t length = 0, used = 0;
	int seen = 0;

	(void)state;
	start(more);
	int fd = dial();
	make_slow(fd, 300);
	for (int i = 0; i < REQUESTS; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length,
			"PUT /write-through/key-%d HTTP/1.1\r\nHost: a\r\nContent-Type: "
			"application/json\r\nContent-Length: 37\r\n\r\n"
			"{\"name\":\"A\",\"age\":1,\"occupation\":\"B\"}",
			i);
	int64_t before = clock_mono_ms();
	assert_int_equal(send(fd, text, length, MSG_NOSIGNAL), (int)length);
	while (seen < REQUESTS) {
		ssize_t got = recv(fd, answers + used, sizeof(answers) - 1 - used, 0);

		assert_true(got > 0);
		used += (size_t)got;
		answers[used] = 0;
		seen = 0;
		for (const char *at = answers; (at = strstr(at, "HTTP/1.1 202")); at++)
			seen++;
	}
	/* Five requests at a time are librdkafka's own limit; one after the other: 1300 and more. */
	assert_in_range(clock_mono_ms() - before, 300, 1000);
	close(fd);
	assert_int_equal(stop(), 0);
}

static void records_of_one_key_keep_the_order_of_their_requests(void **state)
{
	enum { REQUESTS = 60 };
	const char *const more[] = {"--gather.max-ms=50", NULL};
	static char all[65536];
	size_t used = 0;
	int seen = 0, last = -1;

	(void)state;
	start(more);
	rd_kafka_mock_broker_set_rtt(p.cluster, 1, 20);
	int fd = dial(), others = dial();
	for (int i = 0; i < REQUESTS; i++) {
		post(others, i % 2 ? "b" : "c");
		post(fd, "a");
		usleep(2000);
	}
	/* Answers come in the order of the requests; so must the places in the log. */
	for (const char *at = all; seen < REQUESTS;) {
		const char *next = strstr(at, "\"offset\":");

		if (next && strchr(next, '}')) {
			int offset = atoi(next + sizeof("\"offset\":") - 1);
			assert_in_range(offset, last + 1, 1000);
			last = offset;
			at = next + 1;
			seen++;
			continue;
		}
		ssize_t got = recv(fd, all + used, sizeof(all) - 1 - used, 0);
		assert_true(got > 0);
		used += (size_t)got;
	}
	close(fd);
	close(others);
	assert_int_equal(stop(), 0);
}

/* How many of its threads are in this class and talk to brokers, or do not. */
static int threads(int class, bool of_brokers)
{
	char path[300], name[32] = "";
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)p.pid);
	DIR *folder = opendir(path);
	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder));) {
		snprintf(
			path, sizeof(path), "/proc/%d/task/%s/comm", (int)p.pid, entry->d_name);
		FILE *f = *entry->d_name == '.' ? NULL : fopen(path, "r");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) &&
			(strncmp(name, "rdk:broker", 10) == 0) == of_brokers &&
			sched_getscheduler(atoi(entry->d_name)) == class)
			count++;
		fclose(f);
	}
	closedir(folder);
	return count;
}

static void only_the_threads_that_send_give_way(void **state)
{
	const char *const more[] = {"--sender.gives-way=false", NULL};
	char *text;

	(void)state;
	start(NULL);
	assert_int_equal(post_once("x", &text), 202);
	assert_int_not_equal(threads(SCHED_BATCH, true), 0);
	assert_int_equal(threads(SCHED_OTHER, true), 0);
	assert_int_equal(threads(SCHED_BATCH, false), 0);
	assert_int_equal(stop(), 0);
	start(more);
	assert_int_equal(post_once("x", &text), 202);
	assert_int_equal(threads(SCHED_BATCH, true), 0);
	assert_int_not_equal(threads(SCHED_OTHER, true), 0);
	assert_int_equal(stop(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_waits_for_those_under_way_but_not_beyond_its_bound),
		cmocka_unit_test(sigterm_sends_what_waits_for_others_at_once),
		cmocka_unit_test(what_waits_for_others_is_504_when_its_time_is_up),
		cmocka_unit_test(lines_of_one_body_wait_for_nobody),
		cmocka_unit_test(what_comes_at_once_and_alone_does_not_wait_for_itself),
		cmocka_unit_test(records_of_one_key_keep_the_order_of_their_requests),
		cmocka_unit_test(only_the_threads_that_send_give_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
