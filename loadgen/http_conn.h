/*
 * http_conn: one keep-alive connection of a pool (http_out.h), plain or TLS, one request at a time.
 * Known to http_out.c and http_conn.c alone. Loop thread.
 *
 *	CLOSED -> CONNECTING -> (HANDSHAKE ->) (BUSY <-> IDLE) -> CLOSING -> CLOSED
 */
#ifndef LOADGEN_HTTP_CONN_H
#define LOADGEN_HTTP_CONN_H

#include "loadgen/http_out.h"

enum conn_state {
	CONN_CLOSED,
	CONN_CONNECTING,
	CONN_HANDSHAKE,
	CONN_IDLE,
	CONN_BUSY,
	CONN_CLOSING
};

struct conn {
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	struct http_pool *pool;
	enum conn_state state;
	bool has_call, writing, warming;
	struct http_call call;
	int64_t deadline_ns;
	int64_t idle_ns; /* since when, where it is idle */
	struct http_text text; /* the request */
	struct tls *tls; /* while it is open; NULL: plain */
	struct http_text cipher; /* bytes of tls on their way */
	struct http_reply reply;
	struct conn *next; /* in a stack of idle or closed ones */
	struct conn *older, *newer; /* among the calls in flight */
};

#define POOL_READ_BYTES (256 << 10)

struct http_pool {
	uv_loop_t *loop;
	uv_timer_t sweep;
	const struct http_url *url;
	struct http_pool_limits limits;
	struct http_handlers handlers;
	struct conn *all;
	struct conn *idle, *closed;
	struct conn *oldest, *newest; /* calls in flight, in the order of their deadlines */
	int in_flight, open, warming;
	uint64_t connects;
	bool stopping;
	void (*warm)(void *ctx);
	void *warm_ctx;
	int64_t warm_until_ns;
	char *read_buffer,
		*plain_buffer; /* for all: what was read is parsed before the next read */
};

/* Connects, shakes hands, sends the call if there is one. */
void conn_open(struct conn *c);
/* Writes the call's request; the connection is open and free. */
void conn_send(struct conn *c);
/* Ends the call, if there is one, and gives the connection back or closes it. */
void conn_finish(struct conn *c, enum http_outcome outcome, bool keep);
void conn_close(struct conn *c);
/* Has the server closed this idle connection, although we were not told yet? */
bool conn_is_stale(struct conn *c);
void conn_release(struct conn *c);

#endif
