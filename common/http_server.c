#include "common/http_private.h"

#include "common/http_address.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

static void on_tick(uv_timer_t *timer)
{
	struct http_server *server = timer->data;
	int64_t now = (int64_t)uv_now(server->loop);

	for (int i = HTTP_IDLE; i < HTTP_LIMITS; i++) {
		struct http_conn *conn;

		while ((conn = http_limit_expired(&server->limits[i], now)))
			http_conn_expired(conn);
	}
	http_server_flush(server);
}

static void on_prepare(uv_prepare_t *prepare)
{
	http_server_flush(prepare->data);
}

static void on_check(uv_check_t *check)
{
	http_server_flush(check->data);
}

static void on_connection(uv_stream_t *stream, int status)
{
	if (status == 0)
		http_conn_accept(stream->data);
}

static int start_listening(struct http_server *server, struct errmsg *msg)
{
	struct sockaddr_storage address = {0};
	int length = sizeof(address);
	int err = http_address_parse(server->config.listen, &address, msg);

	if (err != 0)
		return err;
	err = uv_tcp_bind(&server->listener, (struct sockaddr *)&address, 0);
	if (err == 0)
		err = uv_listen((uv_stream_t *)&server->listener, 1024, on_connection);
	if (err == 0)
		err = uv_tcp_getsockname(
			&server->listener, (struct sockaddr *)&address, &length);
	if (err != 0)
		return errmsg_set(msg, err == UV_EADDRNOTAVAIL ? ERR_CONFIG : ERR_UNAVAILABLE,
			"cannot listen on %s: %s", server->config.listen, uv_strerror(err));
	server->port = ntohs(address.ss_family == AF_INET6
				     ? ((struct sockaddr_in6 *)&address)->sin6_port
				     : ((struct sockaddr_in *)&address)->sin_port);
	return 0;
}

static void fill_defaults(struct http_server *server)
{
	struct http_server_config *c = &server->config;

#define DEFAULT(field, value) c->field = c->field ? c->field : (value)
	DEFAULT(max_connections, 10000);
	DEFAULT(max_refused, 1000);
	DEFAULT(max_header_bytes, 16 * 1024);
	DEFAULT(max_body_bytes, 1024 * 1024);
	DEFAULT(max_buffered_bytes, 64 * 1024 * 1024);
	DEFAULT(max_pipelined, 64);
	DEFAULT(idle_ms, 60000);
	DEFAULT(header_ms, 10000);
	DEFAULT(body_ms, 30000);
	DEFAULT(write_ms, 30000);
#undef DEFAULT
	server->limits[HTTP_IDLE].ms = c->idle_ms;
	server->limits[HTTP_HEADER].ms = c->header_ms;
	server->limits[HTTP_BODY].ms = c->body_ms;
	server->limits[HTTP_WRITE].ms = c->write_ms;
	server->limits[HTTP_LINGER].ms = HTTP_LINGER_MS;
	metric_histogram_init_decades(&server->stats.seconds, 0.0001, 50);
}

int http_server_open(struct http_server **out, uv_loop_t *loop,
	const struct http_server_config *config, struct errmsg *msg)
{
	struct http_server *server = mem_zero(1, sizeof(*server));
	int err;

	server->loop = loop;
	server->config = *config;
	server->config.listen = mem_strdup(config->listen);
	fill_defaults(server);
	uv_tcp_init(loop, &server->listener);
	uv_timer_init(loop, &server->tick);
	uv_prepare_init(loop, &server->prepare);
	uv_check_init(loop, &server->check);
	server->listener.data = server->tick.data = server;
	server->prepare.data = server->check.data = server;
	server->handles = 4;
	err = start_listening(server, msg);
	if (err != 0) {
		http_server_close(server);
		return err;
	}
	uv_timer_start(&server->tick, on_tick, HTTP_TICK_MS, HTTP_TICK_MS);
	uv_prepare_start(&server->prepare, on_prepare);
	uv_check_start(&server->check, on_check);
	/* The listener and the connections keep the loop alive; these three need not. */
	uv_unref((uv_handle_t *)&server->tick);
	uv_unref((uv_handle_t *)&server->prepare);
	uv_unref((uv_handle_t *)&server->check);
	*out = server;
	return 0;
}

int http_server_port(const struct http_server *server)
{
	return server->port;
}

const struct http_server_stats *http_server_stats(const struct http_server *server)
{
	return &server->stats;
}

/* Freed when its handles are closed, its connections gone and its requests answered. */
void http_server_unref(struct http_server *server)
{
	if (!server->closed || server->handles > 0 || server->stats.connections > 0 ||
		server->stats.requests_open > 0)
		return;
	while (server->request_pool) {
		struct http_request *next = server->request_pool->next;

		free(server->request_pool);
		server->request_pool = next;
	}
	while (server->conn_pool) {
		struct http_conn *next = server->conn_pool->dirty_next;

		free(server->conn_pool);
		server->conn_pool = next;
	}
	free((char *)(uintptr_t)server->config.listen);
	free(server);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct http_server *server = handle->data;

	server->handles--;
	http_server_unref(server);
}

static void stop_listening(struct http_server *server)
{
	if (!uv_is_closing((uv_handle_t *)&server->listener))
		uv_close((uv_handle_t *)&server->listener, on_handle_closed);
}

static void close_handles(struct http_server *server)
{
	if (uv_is_closing((uv_handle_t *)&server->tick))
		return;
	uv_close((uv_handle_t *)&server->tick, on_handle_closed);
	uv_close((uv_handle_t *)&server->prepare, on_handle_closed);
	uv_close((uv_handle_t *)&server->check, on_handle_closed);
}

void http_server_lost(struct http_server *server)
{
	if (server->draining && !server->drained && server->stats.connections == 0) {
		server->drained = true;
		if (server->on_drained)
			server->on_drained(server->drained_user);
	}
	if (server->closed && server->stats.connections == 0)
		close_handles(server);
	http_server_unref(server);
}

void http_server_drain(struct http_server *server, void (*on_drained)(void *user), void *user)
{
	if (server->draining)
		return;
	server->draining = true;
	server->on_drained = on_drained;
	server->drained_user = user;
	stop_listening(server);
	/* A kept-alive client may just be sending: it gets until the next tick. */
	server->limits[HTTP_IDLE].ms = HTTP_TICK_MS;
	for (struct http_conn *c = server->limits[HTTP_IDLE].first; c; c = c->limit_next)
		c->deadline_ms = (int64_t)uv_now(server->loop) + HTTP_TICK_MS;
	for (struct http_conn *c = server->conns; c; c = c->next) {
		if (c->last && c->last->stream)
			http_stream_close(c->last->stream);
		if (!c->last || c->used > 0)
			continue;
		if (!c->last->ready)
			c->last->close = true;
		c->closing = true;
		http_conn_touch(c);
	}
	http_server_lost(server);
}

/* Its answers are on their way, or its last bytes are awaited: the limits end that soon. */
static bool may_go_on(const struct http_conn *conn)
{
	return (conn->writing || conn->lingering) && !(conn->last && conn->last->stream);
}

void http_server_close(struct http_server *server)
{
	if (!server || server->closed)
		return;
	server->closed = true;
	server->draining = server->drained = true;
	stop_listening(server);
	for (struct http_conn *c = server->conns; c; c = c->next)
		c->closing = true;
	http_server_flush(server);
	server->limits[HTTP_WRITE].ms = HTTP_LINGER_MS;
	/* Somebody has to look at the limits, also when nothing else keeps the loop alive. */
	uv_ref((uv_handle_t *)&server->tick);
	for (struct http_conn *c = server->conns, *next; c; c = next) {
		next = c->next;
		http_conn_limit(c, HTTP_NO_LIMIT);
		if (may_go_on(c))
			http_conn_rest(c);
		else
			http_conn_close(c);
	}
	http_server_lost(server);
}
