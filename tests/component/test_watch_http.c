/* consumer/watch over real sockets, with a source of our own in place of pool and brokers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/http_get.h"
#include "consumer/watch/watch.h"

#define THREADS 6
#define TIMES	30

static atomic_int drains, asked_workers;
static struct meters meters;
static struct watch *watch;
static char address[32];
static int partitions = 1;
static double cache_ratio = 1;
static const char *trouble = "";

static void get_snapshot(void *user, struct snapshot *out)
{
	(void)user;
	*out = (struct snapshot){.group = "g",
		.assigned = true,
		.ready = true,
		.workers = 1,
		.partition_count = partitions};
	out->partitions = calloc((size_t)partitions, sizeof(*out->partitions));
	for (int i = 0; i < partitions; i++) {
		struct snapshot_partition *p = &out->partitions[i];
		*p = (struct snapshot_partition){.topic = "us\"ers",
			.partition = i,
			.mode = "running",
			.cache_ratio = cache_ratio};
		snprintf(p->error, sizeof(p->error), "%s", trouble);
	}
}

static void get_lag(void *user, struct lag_snapshot *out)
{
	(void)user;
	*out = (struct lag_snapshot){.rounds = 1, .count = (size_t)partitions, .members = 1};
	out->partitions = calloc((size_t)partitions, sizeof(*out->partitions));
	struct lag_view view = {.end = 9, .committed = LAG_NONE, .lag = LAG_UNKNOWN};
	view.lag_seconds = view.rate_in = view.rate_out = view.eta_seconds = view.eta_slope =
		NAN;
	for (int i = 0; i < partitions; i++) {
		out->partitions[i] = (struct lag_partition){.partition = i, .view = view};
		snprintf(out->partitions[i].topic, LAG_TOPIC_BYTES, "us\"ers");
	}
	out->total.view = view;
}

static int set_workers(void *user, int count, struct errmsg *msg)
{
	(void)user;
	atomic_store(&asked_workers, count);
	return count > 8 ? errmsg_set(msg, ERR_CONFIG, "too many") : 0;
}

static void drain(void *user)
{
	(void)user;
	atomic_fetch_add(&drains, 1);
}

static int start(void **state)
{
	(void)state;
	struct errmsg msg;
	struct watch_config config = {.listen = "127.0.0.1:0",
		.source = {.snapshot = get_snapshot,
			.lag = get_lag,
			.set_workers = set_workers,
			.drain = drain,
			.meters = &meters}};
	meters_init(&meters);
	atomic_store(&drains, 0);
	partitions = 1;
	cache_ratio = 1;
	trouble = "";
	if (watch_start(&watch, &config, &msg))
		return -1;
	snprintf(address, sizeof(address), "127.0.0.1:%d", watch_port(watch));
	return 0;
}

static int stop(void **state)
{
	(void)state;
	watch_stop(watch);
	meters_release(&meters);
	return 0;
}

/* Sends the text and reads until the server closes, or `bytes` are there. */
static int talk(const char *text, char *answer, size_t bytes, bool whole)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)watch_port(watch))};
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	size_t used = 0;
	ssize_t n = 1;
	while (n > 0 && used + 1 < bytes && (whole || used == 0)) {
		n = recv(fd, answer + used, bytes - used - 1, 0);
		used += n > 0 ? (size_t)n : 0;
	}
	answer[used] = 0;
	return fd;
}

static int post(const char *path, const char *headers, const char *body)
{
	char text[1024], answer[4096];
	snprintf(text, sizeof(text),
		"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%sContent-Length: "
		"%zu\r\n\r\n%s",
		path, headers, strlen(body), body);
	close(talk(text, answer, sizeof(answer), true));
	return atoi(answer + 9);
}

static char *get(const char *path)
{
	struct errmsg msg = {""};
	char *body = NULL;
	size_t length;
	if (http_get(address, path, 5000, &body, &length, &msg))
		fail_msg("%s", msg.text);
	assert_int_equal(strlen(body), length);
	return body;
}

static void unknown_is_null_and_has_no_sample(void **state)
{
	(void)state;
	char *status = get("/status"), *metrics = get("/metrics");
	assert_non_null(strstr(status, "\"lag\":null"));
	assert_non_null(strstr(status, "\"lag_seconds\":null"));
	assert_null(strstr(metrics, "\nkafka_consumergroup_lag{"));
	assert_null(strstr(metrics, "NaN"));
	assert_non_null(
		strstr(metrics, "kafka_topic_partition_current_offset{topic=\"us\\\"ers\""));
	free(status);
	free(metrics);
}

static void only_what_is_allowed_changes_something(void **state)
{
	(void)state;
	assert_int_equal(post("/workers", "", "{\"count\":3}"), 200);
	assert_int_equal(atomic_load(&asked_workers), 3);
	assert_int_equal(post("/workers", "", "{\"count\":\"auto\"}"), 200);
	assert_int_equal(atomic_load(&asked_workers), 0);
	assert_int_equal(post("/workers", "", "{\"count\":9}"), 400);
	assert_int_equal(post("/workers", "", "{\"count\":2.5}"), 400);
	assert_int_equal(post("/workers", "Origin: http://x\r\n", "{\"count\":2}"), 403);
	assert_int_equal(post("/drain", "Origin: null\r\n", ""), 403);
	assert_int_equal(atomic_load(&drains), 0);
	assert_int_equal(post("/drain", "", ""), 202);
	assert_int_equal(post("/drain", "", ""), 202);
	/* A second one would mean "now" to the pool. */
	assert_int_equal(atomic_load(&drains), 1);
}

/* The headline cuts it to 180 bytes: here within a character. */
static void an_error_that_is_cut_within_a_character_is_shown_all_the_same(void **state)
{
	(void)state;
	char text[300];
	snprintf(text, sizeof(text), "Lost\xff %0174d\xc3\xa4\xc3\xa4\xc3\xa4", 0);
	trouble = text;
	char *status = get("/status");
	assert_non_null(strstr(status, "\"error\":\"Lost\xef\xbf\xbd 000"));
	assert_non_null(strstr(status, "tries again: Lost\xef\xbf\xbd 000"));
	assert_null(strstr(status, "(not text)"));
	free(status);
}

static void *ask_often(void *arg)
{
	static const char *const paths[] = {
		"/status", "/metrics", "/history?points=5", "/readyz"};
	(void)arg;
	for (int i = 0; i < TIMES; i++)
		free(get(paths[i % 4]));
	return NULL;
}

static void many_ask_at_once(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, ask_often, NULL);
	for (int i = 0; i < 1000; i++)
		metric_histogram_observe(&meters.end_to_end_seconds, 0.01);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void listeners_are_limited_and_end_with_the_server(void **state)
{
	(void)state;
	char answer[2048];
	int fds[70];
	for (int i = 0; i < 70; i++) {
		fds[i] = talk("GET /events HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof(answer),
			false);
		assert_int_equal(atoi(answer + 9), i < 64 ? 200 : 503);
	}
	close(fds[0]);
	/* The rest is open when the watch stops. */
	for (int i = 1; i < 70; i++)
		shutdown(fds[i], SHUT_WR);
	for (int i = 1; i < 70; i++)
		close(fds[i]);
	free(get("/healthz"));
}

/* Reads until an event ends, or the server has nothing more to say. */
static bool hears_an_event(int fd)
{
	static char text[1 << 22];
	struct timeval patience = {.tv_sec = 3};
	size_t used = 0;
	ssize_t n = 1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (n > 0 && used + 1 < sizeof(text)) {
		n = recv(fd, text + used, sizeof(text) - used - 1, 0);
		used += n > 0 ? (size_t)n : 0;
		text[used] = 0;
		char *event = strstr(text, "event: status");
		if (event && strstr(event, "\n\n"))
			return true;
	}
	return false;
}

static void a_group_of_many_partitions_has_its_events_too(void **state)
{
	(void)state;
	char answer[2048];
	partitions = 3000;
	for (int i = 0; i < 2; i++) {
		int fd = talk("GET /events HTTP/1.1\r\nHost: x\r\n\r\n", answer, 2, false);
		assert_true(hears_an_event(fd)); /* the first */
		assert_true(hears_an_event(fd)); /* of the tick */
		close(fd);
	}
}

static void head_of_events_has_no_body(void **state)
{
	(void)state;
	char answer[4096];
	close(talk("HEAD /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", answer,
		sizeof(answer), true));
	assert_int_equal(atoi(answer + 9), 200);
	assert_non_null(strstr(answer, "text/event-stream"));
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void a_cache_that_nobody_fills_has_no_ratio(void **state)
{
	(void)state;
	char *metrics = get("/metrics");
	assert_non_null(strstr(metrics, "\nwritethrough_cache_rebuild_ratio{"));
	free(metrics);
	cache_ratio = -1;
	metrics = get("/metrics");
	assert_null(strstr(metrics, "\nwritethrough_cache_rebuild_ratio{"));
	free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unknown_is_null_and_has_no_sample, start, stop),
		cmocka_unit_test_setup_teardown(
			only_what_is_allowed_changes_something, start, stop),
		cmocka_unit_test_setup_teardown(
			an_error_that_is_cut_within_a_character_is_shown_all_the_same, start,
			stop),
		cmocka_unit_test_setup_teardown(many_ask_at_once, start, stop),
		cmocka_unit_test_setup_teardown(
			listeners_are_limited_and_end_with_the_server, start, stop),
		cmocka_unit_test_setup_teardown(
			a_group_of_many_partitions_has_its_events_too, start, stop),
		cmocka_unit_test_setup_teardown(head_of_events_has_no_body, start, stop),
		cmocka_unit_test_setup_teardown(
			a_cache_that_nobody_fills_has_no_ratio, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
