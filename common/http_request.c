#include "common/http_private.h"

#include <stdio.h>
#include <string.h>

static const struct http_head *head_of(const struct http_request *request)
{
	return request->server->current == request ? request->server->head : NULL;
}

static const char *give(struct http_text text, size_t *length)
{
	*length = text.length;
	return text.text;
}

enum http_method http_request_method(const struct http_request *request)
{
	const struct http_head *head = head_of(request);

	return head ? head->method : HTTP_OTHER;
}

const char *http_request_method_text(const struct http_request *request, size_t *length)
{
	const struct http_head *head = head_of(request);

	return give(head ? head->method_text : (struct http_text){"", 0}, length);
}

const char *http_request_path(const struct http_request *request, size_t *length)
{
	const struct http_head *head = head_of(request);

	return give(head ? head->path : (struct http_text){"", 0}, length);
}

bool http_request_path_is(const struct http_request *request, const char *path)
{
	size_t length;
	const char *text = http_request_path(request, &length);

	return strlen(path) == length && memcmp(path, text, length) == 0;
}

const char *http_request_query(const struct http_request *request, size_t *length)
{
	const struct http_head *head = head_of(request);

	return give(head ? head->query : (struct http_text){"", 0}, length);
}

const char *http_request_header(
	const struct http_request *request, const char *name, size_t *length)
{
	return http_request_header_nth(request, name, 0, length);
}

const char *http_request_header_nth(
	const struct http_request *request, const char *name, int nth, size_t *length)
{
	const struct http_head *head = head_of(request);
	const struct http_text *value = head ? http_head_field(head, name, nth) : NULL;

	return value ? give(*value, length) : NULL;
}

bool http_request_header_has(
	const struct http_request *request, const char *name, const char *token)
{
	size_t length;
	const char *value = http_request_header(request, name, &length);

	return value && http_list_has(value, length, token);
}

const char *http_request_body(const struct http_request *request, size_t *length)
{
	*length = head_of(request) ? request->server->body_bytes : 0;
	return *length ? request->server->body : "";
}

const char *http_request_peer(const struct http_request *request, char *text, size_t bytes)
{
	struct sockaddr_storage address;
	int length = sizeof(address), port = 0;
	char name[64] = "?";

	if (request->conn && uv_tcp_getpeername(&request->conn->tcp,
				     (struct sockaddr *)&address, &length) == 0) {
		if (address.ss_family == AF_INET6) {
			uv_ip6_name((struct sockaddr_in6 *)&address, name, sizeof(name));
			port = ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
		} else {
			uv_ip4_name((struct sockaddr_in *)&address, name, sizeof(name));
			port = ntohs(((struct sockaddr_in *)&address)->sin_port);
		}
	}
	snprintf(text, bytes, strchr(name, ':') ? "[%s]:%d" : "%s:%d", name, port);
	return text;
}
