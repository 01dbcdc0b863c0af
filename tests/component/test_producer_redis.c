/* producer/http/redis_link and fence_wait, against a real Redis and one that misbehaves. needs: redis */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "producer/http/fence_wait.h"
#include "tests/lib/servers.h"

static struct test_server redis;
static uv_loop_t loop;

static int start_redis(void **state)
{
	static const char *const words[] = {"--requirepass", "s3cret", NULL};

	(void)state;
	test_redis_start(&redis, words);
	return 0;
}

static int stop_redis(void **state)
{
	(void)state;
	test_server_stop(&redis);
	return 0;
}

static struct redis_link *open_link(int port, const char *password, int64_t io_timeout_ms)
{
	const struct redis_link_config config = {.host = "localhost",
		.port = port,
		.password = password,
		.database = 3,
		.connect_timeout_ms = 1000,
		.io_timeout_ms = io_timeout_ms};

	uv_loop_init(&loop);
	return redis_link_open(&loop, &config);
}

static void turn_until(bool (*done)(void *of), void *of, int ms)
{
	int64_t end = clock_mono_ms() + ms;

	while (!done(of)) {
		if (clock_mono_ms() > end)
			fail_msg("not within %d ms", ms);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
}

static void turn_for(int ms)
{
	int64_t end = clock_mono_ms() + ms;

	while (clock_mono_ms() < end)
		uv_run(&loop, UV_RUN_NOWAIT);
}

static bool is_up(void *link)
{
	return redis_link_up(link);
}

static void close_all(struct redis_link *link)
{
	redis_link_close(link);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* ---- answers */

struct got {
	int count, lost;
	char text[64];
};

static void on_reply(void *user, const redisReply *reply)
{
	struct got *got = user;

	got->count++;
	got->lost += reply == NULL;
	if (reply && reply->str)
		snprintf(got->text, sizeof(got->text), "%s", reply->str);
}

static bool all_there(void *of)
{
	return ((struct got *)of)->count > 0;
}

static void ask(struct redis_link *link, struct got *got, const char *first, const char *second)
{
	*got = (struct got){0};
	assert_int_equal(
		redis_link_ask(link, 2, (const char *[]){first, second},
			(const size_t[]){strlen(first), strlen(second)}, on_reply, got),
		0);
}

static void it_logs_in_and_asks_in_its_database(void **state)
{
	struct redis_link *link = open_link(redis.port, "s3cret", 1000);
	struct got got;

	(void)state;
	assert_int_not_equal(
		redis_link_ask(link, 1, (const char *[]){"PING"}, NULL, on_reply, &got), 0);
	turn_until(is_up, link, 3000);
	ask(link, &got, "CLIENT", "LIST");
	turn_until(all_there, &got, 3000);
	ask(link, &got, "ECHO", "hello");
	turn_until(all_there, &got, 3000);
	assert_string_equal(got.text, "hello");
	ask(link, &got, "ECHO", "under way");
	redis_link_close(link);
	assert_int_equal(got.lost, 1);
	close_all(NULL);
}

static void a_wrong_password_never_comes_up(void **state)
{
	struct redis_link *link = open_link(redis.port, "wrong", 1000);

	(void)state;
	turn_for(700);
	assert_false(redis_link_up(link));
	close_all(link);
}

static void nobody_listening_is_no_reason_to_stop(void **state)
{
	struct redis_link *link = open_link(1, NULL, 1000);

	(void)state;
	turn_for(700);
	assert_false(redis_link_up(link));
	close_all(link);
}

/* ---- a server that lets anybody in and then says this */

static struct {
	uv_tcp_t listener;
	const char *says; /* to the second thing it reads; NULL: nothing, "": it hangs up */
	int port;
} bad;

struct client {
	uv_tcp_t tcp;
	int heard;
	char buf[4096];
};

static void give_buf(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct client *client = handle->data;

	(void)size;
	*buf = uv_buf_init(client->buf, sizeof(client->buf));
}

static void free_client(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	struct client *client = stream->data;
	const char *says = client->heard++ == 0 ? "+OK\r\n" : bad.says;

	(void)buf;
	if (got < 0 || (says && !*says)) {
		if (!uv_is_closing((uv_handle_t *)stream))
			uv_close((uv_handle_t *)stream, free_client);
	} else if (says) {
		uv_buf_t out = uv_buf_init((char *)(uintptr_t)says, (unsigned)strlen(says));

		assert_true(uv_try_write(stream, &out, 1) > 0);
	}
}

static void on_client(uv_stream_t *listener, int status)
{
	struct client *client = calloc(1, sizeof(*client));

	assert_int_equal(status, 0);
	uv_tcp_init(&loop, &client->tcp);
	client->tcp.data = client;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&client->tcp), 0);
	uv_read_start((uv_stream_t *)&client->tcp, give_buf, on_read);
}

static void start_bad(const char *says)
{
	struct sockaddr_in at;
	int size = sizeof(at);

	bad.says = says;
	uv_tcp_init(&loop, &bad.listener);
	uv_ip4_addr("127.0.0.1", bad.port, &at);
	assert_int_equal(uv_tcp_bind(&bad.listener, (struct sockaddr *)&at, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&bad.listener, 8, on_client), 0);
	uv_tcp_getsockname(&bad.listener, (struct sockaddr *)&at, &size);
	bad.port = ntohs(at.sin_port);
}

static void it_ends_without_a_reply_and_comes_back(const char *says, int ms)
{
	struct redis_link *link;
	struct got got[3];

	/* The port must be known before the link is opened, which makes the loop. */
	uv_loop_init(&loop);
	start_bad(says);
	const struct redis_link_config config = {.host = "127.0.0.1",
		.port = bad.port,
		.connect_timeout_ms = 1000,
		.io_timeout_ms = 300};
	link = redis_link_open(&loop, &config);
	turn_until(is_up, link, 3000);
	for (int i = 0; i < 3; i++)
		ask(link, &got[i], "GET", "x");
	turn_until(all_there, &got[2], ms);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(got[i].count, 1);
		assert_int_equal(got[i].lost, 1);
	}
	assert_false(redis_link_up(link));
	turn_until(is_up, link, 3000);
	uv_close((uv_handle_t *)&bad.listener, NULL);
	bad.port = 0;
	close_all(link);
}

static void silence_ends_in_time(void **state)
{
	(void)state;
	it_ends_without_a_reply_and_comes_back(NULL, 900);
}

static void garbage_is_no_reply(void **state)
{
	(void)state;
	it_ends_without_a_reply_and_comes_back("HTTP/1.1 200 OK\r\n\r\n", 500);
}

static void a_server_that_hangs_up_ends_everything_asked(void **state)
{
	(void)state;
	it_ends_without_a_reply_and_comes_back("", 500);
}

/* ---- fences */

static struct {
	struct fence_waiter waiter;
	int ends;
	bool applied;
} w[5];

static void on_end(void *user, struct fence_waiter *waiter, bool applied)
{
	(void)user;
	for (int i = 0; i < 5; i++) {
		if (&w[i].waiter == waiter) {
			w[i].ends++;
			w[i].applied = applied;
		}
	}
}

static void add(struct fence_wait *fences, int i, int32_t partition, int64_t offset, int ms)
{
	w[i].waiter = (struct fence_waiter){NULL, offset, clock_mono_ms() + ms};
	w[i].ends = 0;
	fence_wait_add(fences, partition, &w[i].waiter);
}

static bool ended(void *of)
{
	return w[*(int *)of].ends > 0;
}

static void set_fence(struct redis_link *link, const char *key, const char *next)
{
	struct got got = {0};

	assert_int_equal(redis_link_ask(link, 4, (const char *[]){"HSET", key, "next", next},
				 NULL, on_reply, &got),
		0);
	turn_until(all_there, &got, 3000);
}

static void who_waits_ends_when_the_fence_has_passed_and_not_before(void **state)
{
	struct redis_link *link = open_link(redis.port, "s3cret", 1000);
	struct fence_wait *fences =
		fence_wait_open(&loop, link, "write-through", "users", on_end, NULL);

	(void)state;
	turn_until(is_up, link, 3000);
	set_fence(link, "writethrough:{write-through:users:2}", "00000000000000000010");
	set_fence(link, "writethrough:{write-through:users:0}", "nonsense");
	add(fences, 0, 2, 11, 5000);
	add(fences, 1, 2, 9, 5000); /* behind it in time, before it in the log */
	add(fences, 2, 2, 10, 300);
	add(fences, 3, 5, 0, 5000); /* no fence there */
	add(fences, 4, 0, 0, 5000);
	turn_until(ended, &(int){1}, 1000);
	assert_true(w[1].applied);
	turn_for(50);
	assert_int_equal(w[0].ends + w[2].ends + w[3].ends + w[4].ends, 0);
	turn_until(ended, &(int){2}, 1000);
	assert_false(w[2].applied);
	set_fence(link, "writethrough:{write-through:users:2}", "00000000000000000012");
	turn_until(ended, &(int){0}, 1000);
	assert_true(w[0].applied);
	assert_int_equal(w[3].ends + w[4].ends, 0);
	fence_wait_close(fences);
	assert_true(w[3].ends == 1 && !w[3].applied && w[4].ends == 1 && !w[4].applied);
	for (int i = 0; i < 5; i++)
		assert_int_equal(w[i].ends, 1);
	close_all(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_logs_in_and_asks_in_its_database),
		cmocka_unit_test(a_wrong_password_never_comes_up),
		cmocka_unit_test(nobody_listening_is_no_reason_to_stop),
		cmocka_unit_test(silence_ends_in_time),
		cmocka_unit_test(garbage_is_no_reply),
		cmocka_unit_test(a_server_that_hangs_up_ends_everything_asked),
		cmocka_unit_test(who_waits_ends_when_the_fence_has_passed_and_not_before),
	};
	return cmocka_run_group_tests(tests, start_redis, stop_redis);
}
