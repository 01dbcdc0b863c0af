/*
 * probe: how long until a record that was posted stands in both stores? POST, read the answer, then
 * ask Redis (which is written after MySQL's commit) until the key is there: each 0.1 ms, because a
 * question as soon as the last is answered keeps two cores from the work that it waits for.
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

#define LOOK_NS 100000

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

static void wait_for_key(redisContext *redis, const char *id, int64_t end_ns)
{
	bool there = false;

	while (!there) {
		redisReply *reply = redisCommand(redis, "EXISTS user:%s", id);

		if (!reply || reply->type != REDIS_REPLY_INTEGER)
			bench_fail("redis: %s", reply ? reply->str : redis->errstr);
		there = reply->integer == 1;
		freeReplyObject(reply);
		if (!there)
			nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
		if (clock_mono_ns() > end_ns)
			bench_fail("%s is not in Redis after 30 s", id);
	}
}

int main(int argc, char **argv)
{
	long count = bench_option(argc, argv, "count", 500);
	long rate = bench_option(argc, argv, "rate", 100);
	double *whole = mem_alloc((size_t)count * sizeof(double));
	double *answer = mem_alloc((size_t)count * sizeof(double));
	redisContext *redis = bench_redis_open();
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
		wait_for_key(redis, id, sent + 30000000000);
		whole[i] = (double)(clock_mono_ns() - sent) / 1e6;
	}
	printf("P50 %.4f P99 %.4f ANSWERED %.4f\n", bench_quantile(whole, (size_t)count, 0.5),
		bench_quantile(whole, (size_t)count, 0.99),
		bench_quantile(answer, (size_t)count, 0.5));
	close(fd);
	redisFree(redis);
	free(whole);
	free(answer);
	return 0;
}
