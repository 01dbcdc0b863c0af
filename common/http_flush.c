/* The way out: what is ready is written in order, once per connection and turn of the loop. */
#include "common/http_private.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define IOVS 64

struct pending_write {
	uv_write_t write;
	struct http_conn *conn;
	char data[];
};

void http_conn_touch(struct http_conn *conn)
{
	if (conn->dirty || conn->closed)
		return;
	conn->dirty = true;
	conn->dirty_next = conn->server->dirty;
	conn->server->dirty = conn;
}

static void on_written(uv_write_t *write, int status)
{
	struct pending_write *pending = write->data;
	struct http_conn *conn = pending->conn;

	free(pending);
	conn->writing = false;
	conn->pending_bytes = 0;
	if (conn->closed)
		return;
	if (status != 0) {
		http_conn_close(conn);
		return;
	}
	http_conn_limit(conn, HTTP_NO_LIMIT);
	http_conn_touch(conn);
}

size_t http_conn_unsent(struct http_conn *conn)
{
	size_t unsent = uv_stream_get_write_queue_size((uv_stream_t *)&conn->tcp);
	uv_os_fd_t fd;
	int queued;

	/* A third of a socket's buffer must be free before it takes more: its own count is finer. */
	if (uv_fileno((uv_handle_t *)&conn->tcp, &fd) == 0 && ioctl(fd, SIOCOUTQ, &queued) == 0)
		unsent += (size_t)queued;
	return unsent;
}

/* What the socket did not take is copied and left to libuv; nothing more is written until then. */
static void write_rest(
	struct http_conn *conn, const uv_buf_t *bufs, unsigned count, size_t sent)
{
	struct pending_write *pending;
	size_t total = 0, used = 0;
	uv_buf_t buf;

	for (unsigned i = 0; i < count; i++)
		total += bufs[i].len;
	pending = mem_alloc(sizeof(*pending) + total - sent);
	for (unsigned i = 0; i < count; i++) {
		size_t skip = sent < bufs[i].len ? sent : bufs[i].len;

		memcpy(pending->data + used, bufs[i].base + skip, bufs[i].len - skip);
		used += bufs[i].len - skip;
		sent -= skip;
	}
	pending->conn = conn;
	pending->write.data = pending;
	conn->pending_bytes = used;
	conn->writing = true;
	buf = uv_buf_init(pending->data, (unsigned)used);
	if (uv_write(&pending->write, (uv_stream_t *)&conn->tcp, &buf, 1, on_written) != 0) {
		free(pending);
		conn->writing = false;
		http_conn_close(conn);
		return;
	}
	conn->unsent_bytes = http_conn_unsent(conn);
}

static unsigned add_buf(uv_buf_t *bufs, unsigned count, const char *text, size_t length)
{
	if (length > 0)
		bufs[count++] = uv_buf_init((char *)(uintptr_t)text, (unsigned)length);
	return count;
}

/* Gathers what is ready at the front; *end: the first request that is not part of it. */
static unsigned gather(struct http_conn *conn, uv_buf_t *bufs, struct http_request **end)
{
	struct http_request *request = conn->first;
	unsigned count = 0;

	while (request && request->ready && count + 3 <= IOVS) {
		struct http_stream *stream = request->stream;

		if (!stream || !stream->started)
			count = add_buf(bufs, count, request->text, request->text_bytes);
		count = add_buf(bufs, count, request->owned_body, request->body_bytes);
		if (stream) {
			count = add_buf(bufs, count, stream->text, stream->used);
			stream->started = true;
			break;
		}
		request = request->next;
	}
	*end = request;
	return count;
}

/* All is said: the client is told, and its last bytes are awaited. */
static void finish(struct http_conn *conn)
{
	uv_os_fd_t fd;

	if (conn->eof || uv_fileno((uv_handle_t *)&conn->tcp, &fd) != 0) {
		http_conn_close(conn);
		return;
	}
	conn->lingering = true;
	shutdown(fd, SHUT_WR);
	http_conn_rest(conn);
}

/* Writes one batch of answers. False when there is nothing more to do now. */
static bool flush_once(struct http_conn *conn)
{
	uv_buf_t bufs[IOVS];
	struct http_request *end;
	unsigned count = gather(conn, bufs, &end);
	struct http_stream *stream = end && end->ready ? end->stream : NULL;
	size_t total = 0;
	bool close = stream && stream->ended;
	int sent;

	if (count > 0) {
		for (unsigned i = 0; i < count; i++)
			total += bufs[i].len;
		sent = uv_try_write((uv_stream_t *)&conn->tcp, bufs, count);
		if (sent < 0 && sent != UV_EAGAIN) {
			http_conn_close(conn);
			return false;
		}
		if (sent < 0 || (size_t)sent < total)
			write_rest(conn, bufs, count, sent < 0 ? 0 : (size_t)sent);
		if (conn->closed) /* and its requests are gone */
			return false;
		if (stream)
			stream->used = 0;
	}
	while (conn->first != end) {
		struct http_request *request = conn->first;

		close = close || request->close;
		conn->first = request->next;
		conn->unanswered--;
		conn->ready_bytes -= request->text_bytes + request->body_bytes;
		http_request_drop(request);
	}
	if (!conn->first)
		conn->last = NULL;
	conn->closing = conn->closing || close;
	return count > 0 && !conn->writing && !conn->closed && conn->first &&
	       conn->first->ready && !stream;
}

static void flush_conn(struct http_conn *conn)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	bool ended;

	if (conn->closed || conn->lingering)
		return;
	while (!conn->writing && flush_once(conn))
		;
	if (conn->closed || conn->writing) {
		http_conn_rest(conn);
		return;
	}
	ended = conn->first && conn->first->stream && conn->first->stream->ended &&
		conn->first->stream->used == 0;
	if (conn->closing && (!conn->first || ended || conn->server->closed)) {
		finish(conn);
		return;
	}
	if (!conn->first && conn->want_continue) {
		uv_buf_t buf = uv_buf_init((char *)(uintptr_t)go_on, sizeof(go_on) - 1);

		conn->want_continue = false;
		if (uv_try_write((uv_stream_t *)&conn->tcp, &buf, 1) != (int)buf.len) {
			http_conn_close(conn);
			return;
		}
	}
	http_conn_resume(conn);
	http_conn_rest(conn);
}

void http_server_flush(struct http_server *server)
{
	/* A resumed connection may become dirty again; its left-over bytes only get fewer. */
	while (server->dirty) {
		struct http_conn *conn = server->dirty;

		server->dirty = conn->dirty_next;
		conn->dirty = false;
		flush_conn(conn);
	}
}
