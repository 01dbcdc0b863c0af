#include "common/http_private.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

void http_conn_rest(struct http_conn *conn)
{
	if (conn->closed)
		return;
	if (conn->lingering)
		http_conn_limit(conn, HTTP_LINGER);
	else if (conn->writing)
		http_conn_limit(conn, HTTP_WRITE);
	else if (conn->in_body)
		http_conn_limit(conn, HTTP_BODY);
	else if (conn->used > 0 && !conn->paused)
		http_conn_limit(conn, HTTP_HEADER);
	else if (!conn->first && !conn->paused)
		http_conn_limit(conn, HTTP_IDLE);
	else
		http_conn_limit(conn, HTTP_NO_LIMIT);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct http_conn *conn = handle->data;

	(void)suggested;
	buf->base = conn->server->input;
	buf->len = HTTP_READ_BYTES;
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	struct http_conn *conn = stream->data;

	if (got == 0)
		return;
	if (got > 0) {
		if (!conn->closing)
			http_conn_feed(conn, buf->base, (size_t)got);
		http_conn_rest(conn);
		return;
	}
	/* A client may close its half after the last request and still read the answers. */
	conn->eof = true;
	if (got != UV_EOF || conn->lingering || (!conn->first && !conn->writing) ||
		(conn->last && conn->last->stream)) {
		http_conn_close(conn);
		return;
	}
	conn->closing = true;
	conn->in_body = false;
	http_conn_forget(conn);
	uv_read_stop(stream);
	http_conn_rest(conn);
}

void http_conn_resume(struct http_conn *conn)
{
	char *left = conn->buf;
	size_t used = conn->used;

	if (!conn->paused || http_conn_is_full(conn) || conn->writing)
		return;
	conn->paused = false;
	conn->server->stats.buffered_bytes -= conn->room;
	conn->buf = NULL;
	conn->used = conn->room = 0;
	if (!conn->closing)
		http_conn_feed(conn, left, used);
	free(left);
	if (!conn->paused)
		uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
}

void http_conn_accept(struct http_server *server)
{
	struct http_conn *conn = server->conn_pool;

	if (conn) {
		server->conn_pool = conn->dirty_next;
		server->conns_pooled--;
		memset(conn, 0, sizeof(*conn));
	} else {
		conn = mem_zero(1, sizeof(*conn));
	}
	conn->server = server;
	uv_tcp_init(server->loop, &conn->tcp);
	conn->tcp.data = conn;
	conn->next = server->conns;
	if (server->conns)
		server->conns->prev = conn;
	server->conns = conn;
	server->stats.connections++;
	if (uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)&conn->tcp) != 0) {
		http_conn_close(conn);
		return;
	}
	server->stats.accepted++;
	uv_tcp_nodelay(&conn->tcp, 1);
	uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
	if (server->stats.connections >
		server->config.max_connections + server->config.max_refused) {
		http_conn_close(conn);
	} else if (server->stats.connections > server->config.max_connections) {
		server->stats.refused++;
		http_conn_refuse(conn, 503, "too many connections; try again");
	}
	http_conn_rest(conn);
}

static void on_closed(uv_handle_t *handle)
{
	struct http_conn *conn = handle->data;
	struct http_server *server = conn->server;

	if (conn->writing) /* cannot be: libuv ends the write first */
		conn->writing = false;
	if (server->conns_pooled < 1024) {
		conn->dirty_next = server->conn_pool;
		server->conn_pool = conn;
		server->conns_pooled++;
	} else {
		free(conn);
	}
	server->stats.connections--;
	http_server_lost(server);
}

void http_conn_close(struct http_conn *conn)
{
	struct http_server *server = conn->server;

	if (conn->closed)
		return;
	conn->closed = conn->closing = true;
	http_conn_limit(conn, HTTP_NO_LIMIT);
	http_conn_forget(conn);
	if (conn->dirty) {
		struct http_conn **at = &server->dirty;

		while (*at != conn)
			at = &(*at)->dirty_next;
		*at = conn->dirty_next;
		conn->dirty = false;
	}
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		server->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	while (conn->first) {
		struct http_request *request = conn->first;

		conn->first = request->next;
		request->conn = NULL;
		if (request->ready)
			http_request_drop(request);
	}
	conn->last = NULL;
	uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

/* A slow client that reads gets the time again. A server that is closed grants no more. */
static bool makes_progress(struct http_conn *conn)
{
	size_t before = conn->unsent_bytes;

	if (!conn->writing || conn->lingering || conn->server->closed)
		return false;
	conn->unsent_bytes = http_conn_unsent(conn);
	return conn->unsent_bytes < before;
}

void http_conn_expired(struct http_conn *conn)
{
	bool waits = conn->in_body || conn->used > 0;

	if (makes_progress(conn)) {
		http_conn_rest(conn);
		return;
	}
	if (conn->lingering || conn->writing || !waits) {
		http_conn_close(conn);
		return;
	}
	conn->server->stats.timeouts++;
	http_conn_refuse(conn, 408, "the request did not arrive in time");
}
