#include "common/http_private.h"

#include "common/clock.h"
#include "common/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct http_request *http_request_take(struct http_server *server, struct http_conn *conn)
{
	struct http_request *request = server->request_pool;

	if (request) {
		server->request_pool = request->next;
		server->requests_pooled--;
	} else {
		request = mem_alloc(sizeof(*request));
	}
	memset(request, 0, offsetof(struct http_request, inline_text));
	request->server = server;
	request->conn = conn;
	request->started_ns = clock_mono_ns();
	if (conn->last)
		conn->last->next = request;
	else
		conn->first = request;
	conn->last = request;
	conn->unanswered++;
	server->stats.requests_open++;
	return request;
}

/* Back to the pool; it is out of every FIFO. */
void http_request_drop(struct http_request *request)
{
	struct http_server *server = request->server;
	struct http_stream *stream = request->stream;

	if (stream) {
		stream->on_closed(stream->user);
		free(stream->text);
		free(stream);
	}
	free(request->owned_text);
	free(request->owned_body);
	if (server->requests_pooled < 8192) {
		request->next = server->request_pool;
		server->request_pool = request;
		server->requests_pooled++;
	} else {
		free(request);
	}
}

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{200, "OK"},
		{202, "Accepted"},
		{204, "No Content"},
		{207, "Multi-Status"},
		{304, "Not Modified"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{411, "Length Required"},
		{413, "Content Too Large"},
		{415, "Unsupported Media Type"},
		{417, "Expectation Failed"},
		{422, "Unprocessable Content"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "Unknown";
}

static const char *date_now(struct http_server *server)
{
	int64_t now = clock_wall_ms() / 1000;

	if (now != server->date_s) {
		time_t t = (time_t)now;
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(server->date, sizeof(server->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		server->date_s = now;
	}
	return server->date;
}

static char *put(char *to, const char *text, size_t length)
{
	memcpy(to, text, length);
	return to + length;
}

static char *put_text(char *to, const char *text)
{
	return put(to, text, strlen(text));
}

static char *put_number(char *to, uint64_t number)
{
	char digits[20];
	int count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while (number /= 10);
	while (count > 0)
		*to++ = digits[--count];
	return to;
}

/* Status line and headers; by hand, because this is the hot path. */
static char *put_head(char *to, struct http_request *request, int status,
	const char *content_type, const char *headers, size_t length)
{
	to = put_text(to, "HTTP/1.1 ");
	to = put_number(to, (uint64_t)status);
	*to++ = ' ';
	to = put_text(to, reason_of(status));
	to = put_text(to, "\r\nDate: ");
	to = put_text(to, date_now(request->server));
	if (content_type) {
		to = put_text(to, "\r\nContent-Type: ");
		to = put_text(to, content_type);
	}
	if (!request->stream && status != 204) {
		to = put_text(to, "\r\nContent-Length: ");
		to = put_number(to, length);
	}
	to = put_text(to, "\r\n");
	if (headers)
		to = put_text(to, headers);
	if (request->close)
		to = put_text(to, "Connection: close\r\n");
	else if (request->says_keep_alive) /* HTTP/1.0 waits for the end unless it is told */
		to = put_text(to, "Connection: keep-alive\r\n");
	return put_text(to, "\r\n");
}

static void count_answer(struct http_request *request, int status)
{
	struct http_server_stats *stats = &request->server->stats;
	int64_t took_ns = clock_mono_ns() - request->started_ns;

	stats->requests_open--;
	stats->codes[status > 0 && status < 600 ? status : 0]++;
	metric_histogram_observe(&stats->seconds, (double)took_ns / 1e9);
}

static bool client_gone(struct http_request *request)
{
	struct http_server *server = request->server;

	if (request->conn)
		return false;
	http_request_drop(request);
	http_server_unref(server);
	return true;
}

static void answer(struct http_request *request, int status, const char *content_type,
	const char *headers, const char *body, size_t length, char *owned)
{
	size_t need = 200 + (content_type ? strlen(content_type) : 0) +
		      (headers ? strlen(headers) : 0);
	char *text = request->inline_text, *end;

	count_answer(request, status);
	request->owned_body = owned;
	if (client_gone(request))
		return;
	if (!owned)
		need += length;
	if (need > HTTP_INLINE_BYTES)
		text = request->owned_text = mem_alloc(need);
	end = put_head(text, request, status, content_type, headers, length);
	if (request->head_only)
		length = 0;
	if (!owned && length > 0)
		end = put(end, body, length);
	request->text = text;
	request->text_bytes = (size_t)(end - text);
	request->body_bytes = owned ? length : 0;
	request->ready = true;
	request->conn->ready_bytes += request->text_bytes + request->body_bytes;
	http_conn_touch(request->conn);
}

void http_respond(struct http_request *request, int status, const char *content_type,
	const char *headers, const char *body, size_t length)
{
	answer(request, status, content_type, headers, body, length, NULL);
}

void http_respond_owned(struct http_request *request, int status, const char *content_type,
	const char *headers, char *body, size_t length)
{
	answer(request, status, content_type, headers, NULL, length, body);
}

size_t http_json_quote(char *to, size_t bytes, const char *text, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	size_t used = 0;

	if (bytes < 2)
		return 0;
	to[used++] = '"';
	for (size_t i = 0; i < length && used + 8 <= bytes; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\') {
			to[used++] = '\\';
			to[used++] = (char)c;
		} else if (c < 0x20 || c == 0x7f) {
			memcpy(to + used, "\\u00", 4);
			to[used + 4] = hex[c >> 4];
			to[used + 5] = hex[c & 15];
			used += 6;
		} else {
			to[used++] = (char)c;
		}
	}
	to[used++] = '"';
	return used;
}

void http_respond_problem(struct http_request *request, int status, const char *headers,
	const char *members, const char *detail, ...)
{
	char words[600], quoted[1300], body[3200];
	va_list args;
	int length;

	va_start(args, detail);
	vsnprintf(words, sizeof(words), detail, args);
	va_end(args);
	length = (int)http_json_quote(quoted, sizeof(quoted), words, strlen(words));
	length = snprintf(body, sizeof(body),
		"{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":%.*s%s%s}"
		"\n",
		reason_of(status), status, length, quoted, members ? "," : "",
		members ? members : "");
	http_respond(request, status, "application/problem+json", headers, body,
		length < (int)sizeof(body) ? (size_t)length : sizeof(body) - 1);
}

void http_respond_not_allowed(struct http_request *request, const char *allow)
{
	char header[128];

	snprintf(header, sizeof(header), "Allow: %s\r\n", allow);
	http_respond_problem(request, 405, header, NULL, "this path answers %s only", allow);
}
