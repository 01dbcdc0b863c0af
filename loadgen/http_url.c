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
	url->port = mem_strdup(*end ? end + 1 : url->secure ? "443" : "80");
	if (!*url->name || !*url->port ||
		strspn(url->port, "0123456789") != strlen(url->port) || atol(url->port) < 1 ||
		atol(url->port) > 65535)
		return errmsg_set(msg, ERR_CONFIG,
			"url '%s': wanted http[s]://HOST[:PORT][/PATH], port 1 to 65535", text);
	return 0;
}

int http_url_parse(struct http_url *url, const char *text, struct errmsg *msg)
{
	const char *rest;
	size_t host;

	*url = (struct http_url){0};
	url->secure = strncmp(text, "https://", 8) == 0;
	if (!url->secure && strncmp(text, "http://", 7) != 0)
		return errmsg_set(
			msg, ERR_CONFIG, "url '%s': wanted http[s]://HOST[:PORT][/PATH]", text);
	for (const char *c = text; *c; c++) {
		if (*c <= ' ' || *c == 0x7f || *c == '@')
			return errmsg_set(msg, ERR_CONFIG,
				"url '%s': no spaces, control characters or user@", text);
	}
	rest = text + (url->secure ? 8 : 7);
	host = strcspn(rest, "/?#");
	url->host = mem_strndup(rest, host);
	url->path = rest[host] == '/'
			    ? mem_strndup(rest + host, strcspn(rest + host, "#"))
			    : mem_printf("/%.*s", (int)strcspn(rest + host, "#"), rest + host);
	return split_host(url, text, msg);
}

/* A connected socket, or -1 with *failed an errno. */
static int try_address(const struct addrinfo *info, int timeout_ms, int *failed)
{
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(*failed);

	*failed = 0;
	if (fd < 0) {
		*failed = errno;
		return -1;
	}
	if (connect(fd, info->ai_addr, info->ai_addrlen) != 0) {
		struct pollfd wait = {.fd = fd, .events = POLLOUT};

		*failed = errno;
		if (*failed == EINPROGRESS) {
			*failed = ETIMEDOUT;
			if (poll(&wait, 1, timeout_ms) == 1)
				getsockopt(fd, SOL_SOCKET, SO_ERROR, failed, &size);
		}
	}
	if (*failed == 0)
		return fd;
	close(fd);
	return -1;
}

const char *http_url_scheme(const struct http_url *url)
{
	return url->secure ? "https" : "http";
}

int http_url_probe(struct http_url *url, int timeout_ms, struct errmsg *msg)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	int failed = getaddrinfo(url->name, url->port, &hints, &list), fd = -1, err = 0;

	if (failed)
		return errmsg_set(msg, ERR_UNAVAILABLE, "%s://%s: cannot resolve %s: %s",
			http_url_scheme(url), url->host, url->name, gai_strerror(failed));
	failed = ENOENT;
	for (struct addrinfo *info = list; info && fd < 0; info = info->ai_next) {
		fd = try_address(info, timeout_ms, &failed);
		if (fd >= 0)
			memcpy(&url->address, info->ai_addr, info->ai_addrlen);
	}
	freeaddrinfo(list);
	if (fd < 0)
		return errmsg_set(msg, ERR_UNAVAILABLE, "no server at %s://%s (%s:%s): %s",
			http_url_scheme(url), url->host, url->name, url->port,
			strerror(failed));
	if (url->tls)
		err = tls_client_probe(url->tls, fd, url->name, timeout_ms, msg);
	close(fd);
	if (err != 0)
		errmsg_wrap(msg, "https://%s", url->host);
	return err;
}

void http_url_release(struct http_url *url)
{
	free(url->host);
	free(url->path);
	free(url->name);
	free(url->port);
	*url = (struct http_url){0};
}
