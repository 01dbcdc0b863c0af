/*
 * http_out: a pool of keep-alive connections to one server, one request on each at a time. It
 * neither queues nor retries: a call that fails is reported, once, with its class.
 * Loop thread only. new -> call... -> close -> (loop runs until closed) -> free.
 */
#ifndef LOADGEN_HTTP_OUT_H
#define LOADGEN_HTTP_OUT_H

#include "loadgen/http_reply.h"
#include "loadgen/http_url.h"

#include <uv.h>

enum http_outcome {
	HTTP_ANSWERED, /* see reply->status */
	HTTP_REFUSED, /* no connection: refused, unreachable */
	HTTP_RESET, /* the connection ended before the answer was whole */
	HTTP_TIMEOUT,
	HTTP_MALFORMED, /* what came is no HTTP answer */
	HTTP_TLS, /* connected, but the TLS handshake failed */
	HTTP_OUTCOMES
};

/* What the caller wants back with the answer. */
struct http_call {
	uint64_t sequence;
	int64_t due_ns; /* intended start */
	int64_t sent_ns; /* set by the pool when the request is written; 0 = never was */
	uint64_t key;
};

/* A request's bytes, kept by the connection from call to call. */
struct http_text {
	char *text;
	size_t used, room;
};

/* Makes room for so many bytes more. */
void http_text_room(struct http_text *t, size_t bytes);
void http_text_add(struct http_text *t, const char *data, size_t bytes);

struct http_handlers {
	void *ctx;
	/* Appends the whole request. Called right before it is written. */
	void (*render)(void *ctx, const struct http_call *call, struct http_text *text);
	/* Once per call; the connection is free again. `reply` is borrowed, for ANSWERED only. */
	void (*done)(void *ctx, const struct http_call *call, enum http_outcome outcome,
		const struct http_reply *reply, int64_t now_ns);
	/* A connection that was closed may be used again; NULL: nobody waits for one. */
	void (*room)(void *ctx);
};

struct http_pool_limits {
	int connections;
	int timeout_ms; /* from the call to the whole answer, connecting included */
	size_t body_max; /* bytes of an answer that are kept */
	bool no_body; /* answers have none, whatever their headers say: HEAD */
};

struct http_pool;

/* `handlers` are copied; `url` was probed, is borrowed and says whether there is TLS. */
struct http_pool *http_pool_new(uv_loop_t *loop, const struct http_url *url,
	const struct http_pool_limits *limits, const struct http_handlers *handlers);
/* Opens all connections; warm() is called once, when each was made or failed, or after 3 s. */
void http_pool_warm_up(struct http_pool *p, void (*warm)(void *ctx), void *ctx);
/* False when every connection is busy. The call is copied. */
bool http_pool_call(struct http_pool *p, const struct http_call *call);
bool http_pool_idle(const struct http_pool *p);
int http_pool_in_flight(const struct http_pool *p);
int http_pool_open(const struct http_pool *p);
uint64_t http_pool_connects(const struct http_pool *p);
/* Closes the connections; calls in flight end without done(). free() after the loop has run dry. */
void http_pool_close(struct http_pool *p);
void http_pool_free(struct http_pool *p);

#endif
