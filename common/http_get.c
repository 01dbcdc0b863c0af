#include "common/http_get.h"

#include "common/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)16 << 20)

static int connect_one(const struct addrinfo *info, int timeout_ms)
{
	struct timeval limit = {
		.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
	int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC, info->ai_protocol);
	if (fd < 0)
		return -1;
	/* Linux applies the send limit to connect() too. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, info->ai_addr, info->ai_addrlen) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

static int connect_to(const char *address, int timeout_ms, struct errmsg *msg)
{
	const char *colon = strrchr(address, ':');
	if (!colon || !colon[1])
		return errmsg_set(msg, ERR_CONFIG, "'%s' is not HOST:PORT", address);
	size_t length = (size_t)(colon - address);
	bool bracketed = length >= 2 && address[0] == '[' && address[length - 1] == ']';
	char *host =
		bracketed ? mem_strndup(address + 1, length - 2) : mem_strndup(address, length);
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	int err = getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &found);
	free(host);
	if (err)
		return errmsg_set(msg, ERR_CONFIG, "'%s': %s", address, gai_strerror(err));
	int fd = -1;
	for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
		fd = connect_one(at, timeout_ms);
	if (fd < 0)
		errmsg_set(msg, ERR_UNAVAILABLE, "%s: %s", address, strerror(errno));
	freeaddrinfo(found);
	return fd < 0 ? ERR_UNAVAILABLE : fd;
}

/* Everything until the server closes. Caller frees. */
static char *read_all(int fd, size_t *used)
{
	size_t room = 64 << 10;
	char *text = mem_alloc(room);
	ssize_t n = 1;
	*used = 0;
	while (n > 0 && *used < ANSWER_MAX) {
		if (room - *used < 2)
			text = mem_resize(text, room *= 2, 1);
		n = recv(fd, text + *used, room - *used - 1, 0);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			*used += (size_t)n;
	}
	text[*used] = 0;
	if (n == 0)
		return text;
	free(text);
	return NULL;
}

int http_get(const char *address, const char *path, int timeout_ms, char **body, size_t *length,
	struct errmsg *msg)
{
	int fd = connect_to(address, timeout_ms, msg);
	if (fd < 0)
		return fd;
	/* HTTP/1.0: the body ends with the connection, never chunked. */
	char *ask = mem_printf(
		"GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n", path, address);
	size_t used = 0;
	char *answer = NULL;
	if (send(fd, ask, strlen(ask), MSG_NOSIGNAL) == (ssize_t)strlen(ask))
		answer = read_all(fd, &used);
	free(ask);
	close(fd);
	char *blank = answer ? strstr(answer, "\r\n\r\n") : NULL;
	if (!blank || strncmp(answer, "HTTP/1.", 7) != 0 ||
		strncmp(answer + 8, " 200", 4) != 0) {
		errmsg_set(msg, ERR_UNAVAILABLE, "%s%s: %.60s", address, path,
			blank ? answer : "no answer");
		free(answer);
		return ERR_UNAVAILABLE;
	}
	*length = used - (size_t)(blank + 4 - answer);
	memmove(answer, blank + 4, *length + 1);
	*body = answer;
	return 0;
}
