/* wt-producer as a process, against librdkafka's mock cluster. needs: nothing but loopback */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/murmur2.h"
#include "tests/lib/producer_kit.h"

static void an_answer_names_the_place_that_java_would_choose(void **state)
{
	char *text, expected[128];

	(void)state;
	start(NULL);
	for (int i = 0; i < 20; i++) {
		char id[16];

		int length = snprintf(id, sizeof(id), "key-%d", i);
		assert_int_equal(post_once(id, &text), 202);
		snprintf(expected, sizeof(expected),
			"{\"id\":\"%s\",\"topic\":\"users\",\"partition\":%d,\"offset\":", id,
			murmur2_partition(id, (size_t)length, 6));
		has(text, expected);
	}
	assert_int_equal(stop(), 0);
}

static void a_delivery_that_fails_is_504_with_the_id(void **state)
{
	const char *const more[] = {"--probe.interval-ms=200", NULL};
	char *text;

	(void)state;
	start(more);
	rd_kafka_mock_push_request_errors(
		p.cluster, 0, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(post_once("x", &text), 504);
	has(text, "may or may not be stored");
	has(text, "\"id\":\"x\"");
	/* librdkafka refuses the topic until it has looked again; nothing is queued meanwhile. */
	int64_t end = clock_mono_ms() + 8000;
	int status = post_once("x", &text);
	for (; status != 202 && clock_mono_ms() < end; status = post_once("x", &text)) {
		assert_int_equal(status, 503);
		has(text, "nothing was queued");
		usleep(50000);
	}
	assert_int_equal(status, 202);
	assert_int_equal(stop(), 0);
}

static void a_repeat_is_not_called_harmless_where_rows_may_be_appended(void **state)
{
	const char *const more[] = {"--http.record=object", NULL};
	char *text;

	(void)state;
	start(more);
	rd_kafka_mock_push_request_errors(
		p.cluster, 0, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	assert_int_equal(post_once("x", &text), 504);
	has(text, "harmless, unless the mapping appends its rows");
	assert_int_equal(stop(), 0);
}

static void a_record_that_the_brokers_find_too_large_is_413(void **state)
{
	char *text;

	(void)state;
	start(NULL);
	rd_kafka_mock_push_request_errors(
		p.cluster, 0, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	assert_int_equal(post_once("x", &text), 413);
	assert_int_equal(stop(), 0);
}

static void brokers_that_go_cost_504_then_503_and_nothing_when_they_are_back(void **state)
{
	const char *const more[] = {"--http.timeout-ms=700", NULL};
	char *text;

	(void)state;
	start(more);
	assert_int_equal(post_once("before", &text), 202);
	rd_kafka_mock_broker_set_down(p.cluster, 1);
	assert_int_equal(post_once("during", &text), 504);
	usleep(1000000);
	assert_int_equal(post_once("during", &text), 503);
	has(text, "Retry-After: ");
	has(text, "nothing was queued");
	rd_kafka_mock_broker_set_up(p.cluster, 1);
	int64_t end = clock_mono_ms() + 8000;
	int status;
	do {
		usleep(100000);
		status = post_once("after", &text);
	} while (status != 202 && clock_mono_ms() < end);
	assert_int_equal(status, 202);
	assert_int_equal(stop(), 0);
}

static void a_short_outage_costs_only_time(void **state)
{
	char *text;

	(void)state;
	start(NULL);
	assert_int_equal(post_once("before", &text), 202);
	rd_kafka_mock_broker_set_down(p.cluster, 1);
	int fd = dial();
	post(fd, "during");
	usleep(500000);
	rd_kafka_mock_broker_set_up(p.cluster, 1);
	assert_int_equal(answer(fd, &text), 202);
	close(fd);
	assert_int_equal(stop(), 0);
}

static void more_than_the_limit_in_flight_is_503_before_it_is_queued(void **state)
{
	const char *const more[] = {"--http.max-inflight=2", NULL};
	char *text;
	int fds[3];

	(void)state;
	start(more);
	rd_kafka_mock_broker_set_rtt(p.cluster, 1, 1000);
	for (int i = 0; i < 3; i++) {
		fds[i] = dial();
		post(fds[i], i == 0 ? "a" : i == 1 ? "b" : "c");
		usleep(20000);
	}
	assert_int_equal(answer(fds[2], &text), 503);
	has(text, "nothing was queued");
	assert_int_equal(answer(fds[0], &text), 202);
	assert_int_equal(answer(fds[1], &text), 202);
	rd_kafka_mock_broker_set_rtt(p.cluster, 1, 0);
	post(fds[2], "c");
	assert_int_equal(answer(fds[2], &text), 202);
	/* The refused one was never written: before it are those of its partition only. */
	int32_t place = murmur2_partition("c", 1, 6);
	char offset[32];
	snprintf(offset, sizeof(offset), "\"offset\":%d}",
		(murmur2_partition("a", 1, 6) == place) +
			(murmur2_partition("b", 1, 6) == place));
	has(text, offset);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	assert_int_equal(stop(), 0);
}

static void lines_that_are_not_confirmed_are_504_each_with_its_id(void **state)
{
	const char *const more[] = {"--http.timeout-ms=700", NULL};
	char *text;

	(void)state;
	start(more);
	assert_int_equal(post_once("before", &text), 202);
	rd_kafka_mock_broker_set_down(p.cluster, 1);
	int fd = dial();
	post_lines(fd, LINE("a") "{\n" LINE("b"));
	assert_int_equal(answer(fd, &text), 207);
	has(text,
		"{\"line\":1,\"status\":504,\"id\":\"a\",\"detail\":\"delivery not confirmed");
	has(text, "{\"line\":2,\"status\":400,\"detail\":\"invalid JSON at byte 1");
	has(text, "{\"line\":3,\"status\":504,\"id\":\"b\",");
	close(fd);
	rd_kafka_mock_broker_set_up(p.cluster, 1);
	assert_int_equal(stop(), 0);
}

static void a_line_that_the_brokers_refuse_is_the_end_of_that_line_only(void **state)
{
	char *text;

	(void)state;
	start(NULL);
	/* "a" and "b" go to different partitions, so into different requests. */
	assert_int_not_equal(murmur2_partition("a", 1, 6), murmur2_partition("b", 1, 6));
	rd_kafka_mock_push_request_errors(
		p.cluster, 0, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	int fd = dial();
	post_lines(fd, LINE("a") LINE("b"));
	assert_int_equal(answer(fd, &text), 207);
	has(text, "\"status\":413,");
	has(text, "\"status\":202,");
	close(fd);
	assert_int_equal(stop(), 0);
}

static void a_topic_that_is_not_there_is_69_and_named(void **state)
{
	const char *const more[] = {"--topic=nonesuch", "--start.timeout-ms=300", NULL};

	(void)state;
	start_cluster();
	spawn(more);
	log_says("option topic=nonesuch");
	assert_int_equal(ended(), 69);
}

static void a_public_address_without_a_token_is_64(void **state)
{
	const char *const more[] = {"--http.listen=0.0.0.0:0", NULL};

	(void)state;
	start_cluster();
	spawn(more);
	log_says("http.token-file");
	assert_int_equal(ended(), 64);
}

static void two_prefer_headers_are_one_list(void **state)
{
	static const char request[] =
		"POST /write-through HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
		"Content-Length: 37\r\nPrefer: respond-async\r\nPrefer: wait=5\r\n\r\n"
		"{\"name\":\"A\",\"age\":1,\"occupation\":\"B\"}";
	char *text;

	(void)state;
	start(NULL);
	int fd = dial();
	assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	assert_int_equal(answer(fd, &text), 501); /* wait is what needs redis.host */
	close(fd);
	assert_int_equal(stop(), 0);
}

static void what_cannot_work_is_64_at_the_start_and_named(void **state)
{
	static const struct {
		const char *options[4], *words;
	} bad[] = {
		{{"--kafka.delivery.report.only.error=true"},
			"kafka.delivery.report.only.error=true"},
		{{"--kafka.transactional.id=x"}, "kafka.transactional.id=x"},
		{{"--kafka.request.required.acks=1"}, "kafka.request.required.acks=1"},
		{{"--http.max-body=2MiB", "--http.max-buffered=1MiB"}, "option http.max-body"},
		{{"--redis.host=127.0.0.1", "--redis.key=user:{id}:{name}"},
			"option redis.key"},
		{{"--redis.host=127.0.0.1", "--redis.key=user:{id}:{id}"}, "option redis.key"},
		{{"--redis.host=127.0.0.1", "--redis.key={name}:{id}"}, "option redis.key"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start_cluster();
		spawn(bad[i].options);
		log_says(bad[i].words);
		assert_int_equal(ended(), 64);
	}
}

/* The last one: its limit stays. The clients' and the program's files count each for itself. */
static void connections_never_take_the_files_of_the_way_to_the_brokers(void **state)
{
	enum { CLIENTS = 170 };
	const struct rlimit few = {230, 230};
	int fds[CLIENTS];
	char *text;

	(void)state;
	start_cluster();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	spawn(NULL);
	text = (char *)(uintptr_t)log_says("event=connections_limited accepted=");
	assert_int_equal(atoi(text), 117); /* of 130 beside the reserve, 13 are for refusals */
	text = strstr(text, "producer_ready port=");
	p.port = text ? atoi(text + strlen("producer_ready port="))
		      : atoi(log_says("producer_ready port="));
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = dial();
	assert_int_equal(answer(fds[117], &text), 503);
	post(fds[0], "x");
	assert_int_equal(answer(fds[0], &text), 202);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	assert_int_equal(stop(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_names_the_place_that_java_would_choose),
		cmocka_unit_test(a_delivery_that_fails_is_504_with_the_id),
		cmocka_unit_test(a_repeat_is_not_called_harmless_where_rows_may_be_appended),
		cmocka_unit_test(a_record_that_the_brokers_find_too_large_is_413),
		cmocka_unit_test(
			brokers_that_go_cost_504_then_503_and_nothing_when_they_are_back),
		cmocka_unit_test(a_short_outage_costs_only_time),
		cmocka_unit_test(more_than_the_limit_in_flight_is_503_before_it_is_queued),
		cmocka_unit_test(lines_that_are_not_confirmed_are_504_each_with_its_id),
		cmocka_unit_test(a_line_that_the_brokers_refuse_is_the_end_of_that_line_only),
		cmocka_unit_test(a_topic_that_is_not_there_is_69_and_named),
		cmocka_unit_test(a_public_address_without_a_token_is_64),
		cmocka_unit_test(two_prefer_headers_are_one_list),
		cmocka_unit_test(what_cannot_work_is_64_at_the_start_and_named),
		cmocka_unit_test(connections_never_take_the_files_of_the_way_to_the_brokers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
