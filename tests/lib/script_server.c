#include "tests/lib/script_server.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"

struct client {
	struct script_server *server;
	int fd;
};

static void send_text(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return;
}

static void send_answer(int fd, int status, const char *more, const char *body)
{
	char *text = mem_printf("HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n%s", status,
		strlen(body), more, body);

	send_text(fd, text);
	free(text);
}

static void send_acknowledgement(struct script_server *s, int fd, const char *more)
{
	int64_t offset = s->manner == SAME_OFFSET ? 7 : atomic_fetch_add(&s->next_offset, 1);
	char body[100];

	snprintf(body, sizeof(body),
		"{\"id\":\"x\",\"topic\":\"users\",\"partition\":0,\"offset\":%lld}",
		(long long)offset);
	send_answer(fd, 202, more, body);
}

static void send_status(struct script_server *s, int fd)
{
	long long end = (long long)atomic_load(&s->next_offset);
	long long behind = (long long)atomic_load(&s->applied_behind);
	char body[300];

	if (behind > end)
		behind = end;
	if (s->status_broken)
		send_answer(fd, 500, "", "oops");
	else if (s->status_unknown)
		send_answer(fd, 200, "",
			"{\"topic\":\"users\",\"partitions\":[{\"partition\":0,\"lag\":null}]"
			"}");
	else {
		snprintf(body, sizeof(body),
			"{\"topic\":\"users\",\"workers\":1,\"partitions\":[{\"partition\":0,"
			"\"end\":%lld,\"committed\":%lld,\"lag\":%lld,\"lag_seconds\":0.1}]}",
			end, end - behind, behind);
		send_answer(fd, 200, "", body);
	}
}

static void stall(struct script_server *s)
{
	int64_t now = clock_mono_ms(), none = 0;

	atomic_compare_exchange_strong(&s->first_ms, &none, now);
	now -= s->first_ms;
	if (now >= 500 && now < 500 + STALL_MS)
		usleep((useconds_t)(500 + STALL_MS - now) * 1000);
}

/* False: the connection is over. */
static bool serve(struct script_server *s, int fd)
{
	static const char drip[] = "HTTP/1.1 202 X\r\nContent-Length: 2\r\n\r\n{}";

	atomic_fetch_add(&s->requests, 1);
	switch (s->manner) {
	case RESET:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
			sizeof(struct linger));
		return false;
	case SILENT:
		return true;
	case GARBAGE:
		send_text(fd, "220 smtp.example ESMTP\r\n");
		return true;
	case HALF:
		send_text(fd, "HTTP/1.1 202 X\r\nContent-Length: 50\r\n\r\n{");
		return false;
	case BUSY_503:
		send_answer(fd, 503, "Retry-After: 1\r\n", "{}");
		return true;
	case CLOSING:
		send_acknowledgement(s, fd, "Connection: close\r\n");
		return false;
	case SAYS_CLOSE:
		send_acknowledgement(s, fd, "Connection: close\r\n");
		for (char rest[64]; recv(fd, rest, sizeof(rest), 0) > 0;)
			; /* whatever comes: nobody answers */
		return false;
	case DRIP:
		for (size_t i = 0; i < sizeof(drip) - 1; i++) {
			send(fd, drip + i, 1, MSG_NOSIGNAL);
			usleep(200);
		}
		return true;
	case STALL:
		stall(s);
		send_acknowledgement(s, fd, "");
		return true;
	case ACKNOWLEDGE:
	case SAME_OFFSET:
		send_acknowledgement(s, fd, "");
		return true;
	}
	return false;
}

/* One request is in the buffer? Then how long it is. */
static size_t whole_request(char *text, size_t used)
{
	char *end = memmem(text, used, "\r\n\r\n", 4), *length;
	size_t body = 0, head;

	if (!end)
		return 0;
	head = (size_t)(end - text) + 4;
	length = memmem(text, head, "Content-Length:", 15);
	if (length)
		body = strtoul(length + 15, NULL, 10);
	return used >= head + body ? head + body : 0;
}

static void *client_main(void *arg)
{
	struct client c = *(struct client *)arg;
	char text[8192];
	size_t used = 0, whole;
	ssize_t got;
	bool open = true;

	free(arg);
	while (open && (got = recv(c.fd, text + used, sizeof(text) - used, 0)) > 0) {
		used += (size_t)got;
		while (open && (whole = whole_request(text, used)) > 0) {
			if (memcmp(text, "GET /status", 11) == 0)
				send_status(c.server, c.fd);
			else
				open = serve(c.server, c.fd);
			memmove(text, text + whole, used - whole);
			used -= whole;
		}
	}
	close(c.fd);
	return NULL;
}

static void *server_main(void *arg)
{
	struct script_server *s = arg;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		struct client *c = mem_alloc(sizeof(*c));
		pthread_t thread;

		*c = (struct client){s, fd};
		pthread_create(&thread, NULL, client_main, c);
		pthread_detach(thread);
	}
	return NULL;
}

struct script_server *script_server_start(enum manner manner)
{
	static struct script_server all[40];
	static int used;
	struct script_server *s = &all[used++];
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	s->manner = manner;
	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(s->listener, 100), 0);
	getsockname(s->listener, (struct sockaddr *)&address, &size);
	s->port = ntohs(address.sin_port);
	pthread_create(&s->thread, NULL, server_main, s);
	return s;
}

void script_server_stop(struct script_server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
}
