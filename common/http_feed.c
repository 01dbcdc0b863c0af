/* Bytes in, whole requests out. */
#include "common/http_private.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

void http_conn_forget(struct http_conn *conn)
{
	conn->server->stats.buffered_bytes -= conn->room;
	free(conn->buf);
	conn->buf = NULL;
	conn->used = conn->room = conn->scanned = 0;
}

static bool reserve(struct http_conn *conn, size_t bytes)
{
	struct http_server *server = conn->server;
	size_t room = conn->room ? conn->room : 512;

	if (bytes <= conn->room)
		return true;
	while (room < bytes)
		room *= 2;
	if (server->stats.buffered_bytes + room - conn->room >
		server->config.max_buffered_bytes)
		room = bytes; /* without what would only spare copies */
	if (server->stats.buffered_bytes + room - conn->room >
		server->config.max_buffered_bytes)
		return false;
	server->stats.buffered_bytes += room - conn->room;
	conn->buf = mem_resize(conn->buf, room, 1);
	conn->room = room;
	return true;
}

/* A request that is answered without the handler, and the last of its connection. */
void http_conn_refuse(struct http_conn *conn, int status, const char *why)
{
	struct http_request *request = http_request_take(conn->server, conn);

	request->close = true;
	conn->closing = true;
	conn->in_body = false;
	http_conn_forget(conn);
	http_respond_problem(
		request, status, status == 503 ? "Retry-After: 1\r\n" : NULL, NULL, "%s", why);
}

static void refuse_full(struct http_conn *conn)
{
	conn->server->stats.refused++;
	http_conn_refuse(
		conn, 503, "too many unfinished requests are held in memory; try again");
}

static void deliver(
	struct http_conn *conn, const struct http_head *head, const char *body, size_t length)
{
	struct http_server *server = conn->server;
	struct http_request *request = http_request_take(server, conn);

	request->head_only = head->head_only;
	request->close = !head->keep_alive || server->draining;
	request->says_keep_alive = !request->close && head->minor == 0;
	conn->closing = request->close;
	conn->want_continue = false;
	http_conn_limit(conn, HTTP_NO_LIMIT);
	server->current = request;
	server->head = head;
	server->body = body;
	server->body_bytes = length;
	server->config.handle(server->config.user, request);
	server->current = NULL;
}

/* The body did not come along with its head: keep the head until it is whole. */
static bool start_body(struct http_conn *conn, const struct http_head *head, const char *data)
{
	if (!reserve(conn, head->bytes)) {
		refuse_full(conn);
		return false;
	}
	if (conn->buf != data)
		memcpy(conn->buf, data, head->bytes);
	conn->used = conn->head_bytes = head->bytes;
	conn->body_bytes = 0;
	conn->body_left = head->content_length;
	conn->is_chunked = head->chunked;
	conn->chunked = (struct http_chunked){0};
	conn->in_body = true;
	if (head->expect_continue) {
		conn->want_continue = true;
		http_conn_touch(conn);
	}
	http_conn_limit(conn, HTTP_BODY);
	return true;
}

/* The head at `data` is whole. Returns how many of the `length` bytes were used. */
static size_t after_head(
	struct http_conn *conn, const struct http_head *head, const char *data, size_t length)
{
	conn->scanned = 0;
	if (head->bytes > conn->server->config.max_header_bytes) {
		http_conn_refuse(conn, 431, "the request's head is too large");
		return length;
	}
	if (head->content_length > conn->server->config.max_body_bytes) {
		http_conn_refuse(conn, 413, "the request's body is too large");
		return length;
	}
	if (!head->chunked && head->content_length <= length - head->bytes) {
		deliver(conn, head, data + head->bytes, head->content_length);
		return head->bytes + head->content_length;
	}
	start_body(conn, head, data);
	return head->bytes;
}

static size_t feed_head(struct http_conn *conn, const char *data, size_t length)
{
	size_t before = conn->used, took = length, max = conn->server->config.max_header_bytes;
	struct http_head head;
	const char *why = "";
	const char *at = data;
	int got;

	if (before > 0) { /* part of it came earlier */
		took = length < max + 1 - before ? length : max + 1 - before;
		if (!reserve(conn, before + took)) {
			refuse_full(conn);
			return length;
		}
		memcpy(conn->buf + before, data, took);
		conn->used += took;
		at = conn->buf;
	}
	got = http_parse_head(&head, at, before + took, &conn->scanned, &why);
	if (got == 0 && before + took > max)
		got = -431, why = "the request's head is too large";
	if (got < 0) {
		http_conn_refuse(conn, -got, why);
		return length;
	}
	if (got == 0 && before == 0) {
		if (!reserve(conn, length))
			refuse_full(conn);
		else
			memcpy(conn->buf, data, length), conn->used = length;
	}
	if (got == 0)
		return took;
	if (before == 0)
		return after_head(conn, &head, data, length);
	/* In the buffer there may be more than the head: that part is read again from `data`. */
	after_head(conn, &head, conn->buf, head.bytes);
	if (!conn->in_body)
		http_conn_forget(conn);
	return head.bytes - before;
}

static void body_complete(struct http_conn *conn)
{
	struct http_head head;
	const char *why;
	size_t scanned = 0;

	/* The head is known to be good; it was kept as text because pointers go stale. */
	http_parse_head(&head, conn->buf, conn->head_bytes, &scanned, &why);
	conn->in_body = false;
	deliver(conn, &head, conn->buf + conn->head_bytes, conn->body_bytes);
	http_conn_forget(conn);
}

static size_t feed_chunked(struct http_conn *conn, const char *data, size_t length)
{
	const char *why = "";
	size_t used, made;
	int got;

	if (!reserve(conn, conn->used + length)) {
		refuse_full(conn);
		return length;
	}
	got = http_chunked_feed(
		&conn->chunked, data, length, &used, conn->buf + conn->used, &made, &why);
	conn->used += made;
	conn->body_bytes += made;
	if (got == 0 && conn->chunked.left > conn->server->config.max_body_bytes)
		got = -413;
	if (conn->body_bytes > conn->server->config.max_body_bytes || got == -413)
		http_conn_refuse(conn, 413, "the request's body is too large");
	else if (got < 0)
		http_conn_refuse(conn, -got, why);
	else if (got > 0)
		body_complete(conn);
	return got < 0 || conn->closing ? length : used;
}

static size_t feed_body(struct http_conn *conn, const char *data, size_t length)
{
	size_t took = length < conn->body_left ? length : conn->body_left;

	if (conn->is_chunked)
		return feed_chunked(conn, data, length);
	if (!reserve(conn, conn->used + took)) {
		refuse_full(conn);
		return length;
	}
	memcpy(conn->buf + conn->used, data, took);
	conn->used += took;
	conn->body_bytes += took;
	conn->body_left -= took;
	if (conn->body_left == 0)
		body_complete(conn);
	return took;
}

bool http_conn_is_full(const struct http_conn *conn)
{
	return conn->unanswered >= conn->server->config.max_pipelined ||
	       conn->pending_bytes + conn->ready_bytes > HTTP_PENDING_BYTES;
}

void http_conn_feed(struct http_conn *conn, const char *data, size_t length)
{
	while (length > 0 && !conn->closing) {
		size_t used;

		if (!conn->in_body && conn->used == 0 && http_conn_is_full(conn)) {
			conn->paused = true;
			uv_read_stop((uv_stream_t *)&conn->tcp);
			if (!reserve(conn, length)) {
				refuse_full(conn);
				return;
			}
			memcpy(conn->buf, data, length);
			conn->used = length;
			return;
		}
		used = conn->in_body ? feed_body(conn, data, length)
				     : feed_head(conn, data, length);
		data += used;
		length -= used;
	}
}
