/*
 * probe: how long until a record that was posted stands in both stores? POST, read the answer, then
 * wait until Redis (which is written after MySQL's commit) says that it has the key. It says so by
 * itself (CLIENT TRACKING): who asks for it takes the cores from the work that is waited for.
 *
 *	probe PORT [--count=500] [--rate=100]
 *
 * Prints "P50 ms P99 ms ANSWERED ms": from the first byte sent to the key; the last is the median
 * of the answer's time.
 */
#include "common/clock.h"
#include "common/mem.h"
#include "tests/bench/bench_stores.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int connect_to(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		bench_fail("port %d: nobody listens", port);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* Reads one answer; its end is known by its length. */
static void read_answer(int fd)
{
	char text[4096], *body, *length;
	size_t have = 0;

	for (;;) {
		ssize_t got = read(fd, text + have, sizeof(text) - 1 - have);

		if (got <= 0)
			bench_fail("the server closed the connection");
		have += (size_t)got;
		text[have] = 0;
		body = strstr(text, "\r\n\r\n");
		length = strcasestr(text, "\r\ncontent-length:");
		if (body && length &&
			have >= (size_t)(body + 4 - text) + strtoul(length + 17, NULL, 10))
			break;
	}
	if (strncmp(text, "HTTP/1.1 202", 12) != 0)
		bench_fail("refused: %.200s", text);
}

static void post(int fd, const char *id)
{
	char body[160], text[400];
	int length = snprintf(body, sizeof(body),
		"{\"id\":\"%s\",\"name\":\"A probe\",\"age\":1,\"occupation\":\"nurse\"}", id);

	length = snprintf(text, sizeof(text),
		"POST /write-through HTTP/1.1\r\nHost: probe\r\nContent-Type: "
		"application/json\r\n"
		"Content-Length: %d\r\n\r\n%s",
		length, body);
	if (write(fd, text, (size_t)length) != length)
		bench_fail("the server takes nothing");
	read_answer(fd);
}

static redisReply *ask(redisContext *redis, const char *command, long long number)
{
	redisReply *reply = redisCommand(redis, command, number);

	if (!reply || reply->type == REDIS_REPLY_ERROR)
		bench_fail("redis: %s", reply ? reply->str : redis->errstr);
	return reply;
}

/* A connection that is told of each key of a probe, as soon as it is written. */
static redisContext *open_told(redisContext *asking)
{
	redisContext *told = bench_redis_open();
	redisReply *id = ask(told, "CLIENT ID", 0);

	freeReplyObject(ask(told, "SUBSCRIBE __redis__:invalidate", 0));
	freeReplyObject(ask(asking, "CLIENT TRACKING ON REDIRECT %lld BCAST PREFIX user:probe-",
		id->integer));
	freeReplyObject(id);
	return told;
}

static bool names(const redisReply *message, const char *key)
{
	const redisReply *keys = message->elements == 3 ? message->element[2] : NULL;

	for (size_t i = 0; keys && i < keys->elements; i++) {
		if (strcmp(keys->element[i]->str, key) == 0)
			return true;
	}
	return false;
}

static void wait_for_key(redisContext *told, const char *id)
{
	bool there = false;
	char key[64];

	snprintf(key, sizeof(key), "user:%s", id);
	while (!there) {
		void *message;

		if (redisGetReply(told, &message) != REDIS_OK)
			bench_fail("%s is not in Redis: %s", id, told->errstr);
		there = names(message, key);
		freeReplyObject(message);
	}
}

int main(int argc, char **argv)
{
	long count = bench_option(argc, argv, "count", 500);
	long rate = bench_option(argc, argv, "rate", 100);
	double *whole = mem_alloc((size_t)count * sizeof(double));
	double *answer = mem_alloc((size_t)count * sizeof(double));
	redisContext *redis = bench_redis_open(), *told = open_told(redis);
	int64_t start = clock_mono_ns();
	int fd;

	if (argc < 2)
		bench_fail("usage: probe PORT [--count=500] [--rate=100]");
	prctl(PR_SET_TIMERSLACK, 1); /* sleep as long as asked for, not 0.05 ms more */
	fd = connect_to(atoi(argv[1]));
	for (long i = 0; i < count; i++) {
		int64_t sent;
		char id[40];

		snprintf(id, sizeof(id), "probe-%d-%ld", (int)getpid(), i);
		bench_pace(start, i, rate);
		sent = clock_mono_ns();
		post(fd, id);
		answer[i] = (double)(clock_mono_ns() - sent) / 1e6;
		wait_for_key(told, id);
		whole[i] = (double)(clock_mono_ns() - sent) / 1e6;
	}
	printf("P50 %.4f P99 %.4f ANSWERED %.4f\n", bench_quantile(whole, (size_t)count, 0.5),
		bench_quantile(whole, (size_t)count, 0.99),
		bench_quantile(answer, (size_t)count, 0.5));
	close(fd);
	redisFree(told);
	redisFree(redis);
	free(whole);
	free(answer);
	return 0;
}
