/*
 * http_kit: a common/http_server in a thread of a test's own; the test is the client.
 *
 *	start -> dial, say ... hear, has; command -> stop, or command 'C' and joined
 */
#ifndef TESTS_HTTP_KIT_H
#define TESTS_HTTP_KIT_H

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

static inline void on_stream_closed(void *user)
{
	(void)user;
	s.streams_closed++;
	s.stream = NULL;
}

/* /hold waits for 'a'; /echo gives the body back; /stream stays open; else the path. */
static inline void handle(void *user, struct http_request *request)
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

static inline void on_drained(void *user)
{
	(void)user;
	s.drained = 1;
}

/* What was held back is answered with much, and nobody waits until it is written. */
static inline void answer_and_close(void)
{
	while (s.held_count > 0)
		http_respond_owned(s.held[--s.held_count], 200, "text/plain", NULL,
			calloc(1, 4 << 20), 4 << 20);
	http_server_close(s.server);
}

static inline void on_async(uv_async_t *async)
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

static inline void *run(void *user)
{
	uv_run(&s.loop, UV_RUN_DEFAULT);
	return user;
}

static inline void start(const struct http_server_config *limits)
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

static inline void command(int what)
{
	__atomic_store_n(&s.command, what, __ATOMIC_SEQ_CST);
	uv_async_send(&s.async);
	while (__atomic_load_n(&s.command, __ATOMIC_SEQ_CST))
		usleep(1000);
	usleep(20000);
}

static inline void joined(void)
{
	pthread_join(s.thread, NULL);
	assert_int_equal(uv_loop_close(&s.loop), 0);
}

static inline void stop(void)
{
	command('c');
	joined();
}

static inline int dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s.port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static inline void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads until `words` has come, the end, or 3 s; what came is in a static buffer. */
static inline char *hear(int fd, const char *words)
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

static inline void has(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("'%s' is not in: %s", words, text);
}

#define HOST " HTTP/1.1\r\nHost: a\r\n"

#endif
