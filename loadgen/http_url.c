#include "loadgen/http_url.h"

#include "common/mem.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int split_host(struct http_url *url, const char *text, struct errmsg *msg)
{
	const char *host = url->host, *end;

	if (*host == '[') {
		end = strchr(host, ']');
		if (!end || (end[1] && end[1] != ':'))
			return errmsg_set(msg, ERR_CONFIG, "url '%s': the ] is missing", text);
		url->name = mem_strndup(host + 1, (size_t)(end - host - 1));
		end++;
	} else {
		end = host + strcspn(host, ":");
		url->name = mem_strndup(host, (size_t)(end - host));
	}
	url->port = mem_strdup(*end ? end + 1 : "80");
	if (!*url->name || !*url->port ||
		strspn(url->port, "0123456789") != strlen(url->port) || atol(url->port) < 1 ||
		atol(url->port) > 65535)
		return errmsg_set(msg, ERR_CONFIG,
			"url '%s': wanted http://HOST[:PORT][/PATH], port 1 to 65535", text);
	return 0;
}

int http_url_parse(struct http_url *url, const char *text, struct errmsg *msg)
{
	const char *rest;
	size_t host;

	*url = (struct http_url){0};
	if (strncmp(text, "https://", 8) == 0)
		return errmsg_set(msg, ERR_CONFIG,
			"url '%s': TLS is not supported; put a proxy before it", text);
	if (strncmp(text, "http://", 7) != 0)
		return errmsg_set(
			msg, ERR_CONFIG, "url '%s': wanted http://HOST[:PORT][/PATH]", text);
	for (const char *c = text; *c; c++) {
		if (*c <= ' ' || *c == 0x7f || *c == '@')
			return errmsg_set(msg, ERR_CONFIG,
				"url '%s': no spaces, control characters or user@", text);
	}
	rest = text + 7;
	host = strcspn(rest, "/?#");
	url->host = mem_strndup(rest, host);
	url->path = rest[host] == '/'
			    ? mem_strndup(rest + host, strcspn(rest + host, "#"))
			    : mem_printf("/%.*s", (int)strcspn(rest + host, "#"), rest + host);
	return split_host(url, text, msg);
}

/* 0 or an errno. */
static int try_address(const struct addrinfo *info, int timeout_ms)
{
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int failed = 0;
	socklen_t size = sizeof(failed);

	if (fd < 0)
		return errno;
	if (connect(fd, info->ai_addr, info->ai_addrlen) != 0) {
		struct pollfd wait = {.fd = fd, .events = POLLOUT};

		failed = errno;
		if (failed == EINPROGRESS) {
			failed = ETIMEDOUT;
			if (poll(&wait, 1, timeout_ms) == 1)
				getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size);
		}
	}
	close(fd);
	return failed;
}

int http_url_probe(struct http_url *url, int timeout_ms, struct errmsg *msg)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int failed = getaddrinfo(url->name, url->port, &hints, &list);

	if (failed)
		return errmsg_set(msg, ERR_UNAVAILABLE, "http://%s: cannot resolve %s: %s",
			url->host, url->name, gai_strerror(failed));
	failed = ENOENT;
	for (struct addrinfo *info = list; info; info = info->ai_next) {
		failed = try_address(info, timeout_ms);
		if (failed == 0) {
			memcpy(&url->address, info->ai_addr, info->ai_addrlen);
			break;
		}
	}
	freeaddrinfo(list);
	if (failed)
		return errmsg_set(msg, ERR_UNAVAILABLE, "no server at http://%s (%s:%s): %s",
			url->host, url->name, url->port, strerror(failed));
	return 0;
}

void http_url_release(struct http_url *url)
{
	free(url->host);
	free(url->path);
	free(url->name);
	free(url->port);
	*url = (struct http_url){0};
}
