/*
 * The life of a connection: CLOSED -> CONNECTING -> (BUSY <-> IDLE) -> CLOSING -> CLOSED. A call
 * takes an idle connection, the one used last (so that at a low rate the others may be closed by
 * the server without harm), or else opens a closed one. Calls in flight stand in one list in the
 * order of their deadlines, which is the order of their calls, since all have the same timeout.
 */
#include "loadgen/http_out.h"

#include "common/clock.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

#define READ_BYTES (256 << 10)
#define SWEEP_MS   20
#define WARM_UP_MS 3000

enum state { CLOSED, CONNECTING, IDLE, BUSY, CLOSING };

struct conn {
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	struct http_pool *pool;
	enum state state;
	bool has_call, writing, warming;
	struct http_call call;
	int64_t deadline_ns;
	struct http_text text;
	struct http_reply reply;
	struct conn *next; /* in a stack of idle or closed ones */
	struct conn *older, *newer; /* among the calls in flight */
};

struct http_pool {
	uv_loop_t *loop;
	uv_timer_t sweep;
	struct sockaddr_storage address;
	struct http_pool_limits limits;
	struct http_handlers handlers;
	struct conn *all;
	struct conn *idle, *closed;
	struct conn *oldest, *newest;
	int in_flight, open, warming;
	uint64_t connects;
	bool stopping;
	void (*warm)(void *ctx);
	void *warm_ctx;
	int64_t warm_until_ns;
	char read_buffer[READ_BYTES];
};

void http_text_add(struct http_text *t, const char *data, size_t bytes)
{
	if (t->used + bytes > t->room) {
		t->room = (t->used + bytes) * 2;
		t->text = mem_resize(t->text, t->room, 1);
	}
	memcpy(t->text + t->used, data, bytes);
	t->used += bytes;
}

static void list_add(struct http_pool *p, struct conn *c)
{
	c->older = p->newest;
	c->newer = NULL;
	*(p->newest ? &p->newest->newer : &p->oldest) = c;
	p->newest = c;
	p->in_flight++;
}

static void list_remove(struct http_pool *p, struct conn *c)
{
	*(c->older ? &c->older->newer : &p->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &p->newest) = c->older;
	p->in_flight--;
}

/* The warm-up is over when the last connection has been made or has failed. */
static void warmed(struct conn *c)
{
	struct http_pool *p = c->pool;

	if (!c->warming)
		return;
	c->warming = false;
	if (--p->warming == 0 && !p->stopping)
		p->warm(p->warm_ctx);
}

static void on_closed(uv_handle_t *handle)
{
	struct conn *c = handle->data;

	c->state = CLOSED;
	c->next = c->pool->closed;
	c->pool->closed = c;
}

static void conn_close(struct conn *c)
{
	if (c->state == CLOSED || c->state == CLOSING)
		return;
	if (c->state == IDLE) { /* rare: the server closed it */
		struct conn **at = &c->pool->idle;

		while (*at && *at != c)
			at = &(*at)->next;
		if (*at)
			*at = c->next;
	}
	if (c->state != CONNECTING)
		c->pool->open--;
	c->state = CLOSING;
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

/* Ends the call, if there is one, and gives the connection back or closes it. */
static void conn_finish(struct conn *c, enum http_outcome outcome, bool keep)
{
	struct http_pool *p = c->pool;
	bool had = c->has_call;

	if (had) {
		list_remove(p, c);
		c->has_call = false;
	}
	if (keep && !c->writing) {
		c->state = IDLE;
		c->next = p->idle;
		p->idle = c;
	} else {
		conn_close(c);
	}
	if (had && !p->stopping)
		p->handlers.done(
			p->handlers.ctx, &c->call, outcome, &c->reply, clock_mono_ns());
	warmed(c);
}

static void on_written(uv_write_t *write, int status)
{
	struct conn *c = write->data;

	c->writing = false;
	if (status < 0 && c->state == BUSY)
		conn_finish(c, HTTP_RESET, false);
}

static void conn_send(struct conn *c)
{
	struct http_pool *p = c->pool;
	uv_buf_t buf;
	int sent;

	c->state = BUSY;
	c->text.used = 0;
	http_reply_reset(&c->reply, false);
	p->handlers.render(p->handlers.ctx, &c->call, &c->text);
	buf = uv_buf_init(c->text.text, (unsigned)c->text.used);
	c->call.sent_ns = clock_mono_ns();
	sent = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
	if (sent == (int)c->text.used)
		return;
	if (sent < 0 && sent != UV_EAGAIN) {
		conn_finish(c, HTTP_RESET, false);
		return;
	}
	if (sent > 0) {
		buf.base += sent;
		buf.len -= (size_t)sent;
	}
	c->writing = true;
	c->write.data = c;
	if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &buf, 1, on_written) != 0) {
		c->writing = false;
		conn_finish(c, HTTP_RESET, false);
	}
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct conn *c = handle->data;

	(void)wanted;
	/* one buffer for all: what was read is parsed before the next read */
	*buf = uv_buf_init(c->pool->read_buffer, READ_BYTES);
}

static void on_end(struct conn *c, ssize_t error)
{
	enum reply_state state = error == UV_EOF ? http_reply_end(&c->reply) : REPLY_MORE;

	if (c->state == IDLE)
		conn_close(c);
	else if (c->state == BUSY)
		conn_finish(c, state == REPLY_DONE ? HTTP_ANSWERED : HTTP_RESET, false);
}

static void on_read(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *buf)
{
	struct conn *c = stream->data;
	size_t used;

	if (bytes == 0)
		return;
	if (bytes < 0) {
		on_end(c, bytes);
		return;
	}
	if (c->state != BUSY) {
		conn_close(c); /* bytes nobody asked for */
		return;
	}
	switch (http_reply_feed(&c->reply, buf->base, (size_t)bytes, &used)) {
	case REPLY_MORE:
		break;
	case REPLY_MALFORMED:
		conn_finish(c, HTTP_MALFORMED, false);
		break;
	case REPLY_DONE:
		conn_finish(c, HTTP_ANSWERED, c->reply.keep_alive && used == (size_t)bytes);
		break;
	}
}

static void on_connect(uv_connect_t *connect, int status)
{
	struct conn *c = connect->data;

	if (c->state != CONNECTING)
		return; /* closed meanwhile */
	if (status < 0) {
		conn_finish(c, status == UV_ETIMEDOUT ? HTTP_TIMEOUT : HTTP_REFUSED, false);
		return;
	}
	c->pool->open++;
	c->pool->connects++;
	c->state = BUSY;
	uv_tcp_nodelay(&c->tcp, 1);
	uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
	if (c->has_call)
		conn_send(c);
	else
		conn_finish(c, HTTP_ANSWERED, true);
	warmed(c);
}

static void conn_open(struct conn *c)
{
	struct http_pool *p = c->pool;
	int failed;

	uv_tcp_init(p->loop, &c->tcp);
	c->tcp.data = c;
	c->connect.data = c;
	c->writing = false;
	c->state = CONNECTING;
	failed = uv_tcp_connect(
		&c->connect, &c->tcp, (const struct sockaddr *)&p->address, on_connect);
	if (failed)
		conn_finish(c, HTTP_REFUSED, false);
}

static void on_sweep(uv_timer_t *timer)
{
	struct http_pool *p = timer->data;
	int64_t now = clock_mono_ns();

	while (p->oldest && p->oldest->deadline_ns <= now)
		conn_finish(p->oldest, HTTP_TIMEOUT, false);
	if (p->warming && !p->stopping && now >= p->warm_until_ns) {
		/* some hang, as with a full listen queue: they may join later */
		for (int i = 0; i < p->limits.connections; i++)
			p->all[i].warming = false;
		p->warming = 0;
		p->warm(p->warm_ctx);
	}
}

struct http_pool *http_pool_new(uv_loop_t *loop, const struct sockaddr *address,
	const struct http_pool_limits *limits, const struct http_handlers *handlers)
{
	struct http_pool *p = mem_zero(1, sizeof(*p));

	p->loop = loop;
	p->limits = *limits;
	p->handlers = *handlers;
	memcpy(&p->address, address,
		address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					       : sizeof(struct sockaddr_in));
	p->all = mem_zero((size_t)limits->connections, sizeof(*p->all));
	for (int i = limits->connections - 1; i >= 0; i--) {
		struct conn *c = &p->all[i];

		c->pool = p;
		http_reply_init(&c->reply, limits->body_max);
		c->next = p->closed;
		p->closed = c;
	}
	uv_timer_init(loop, &p->sweep);
	p->sweep.data = p;
	uv_timer_start(&p->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	uv_unref((uv_handle_t *)&p->sweep);
	return p;
}

void http_pool_warm_up(struct http_pool *p, void (*warm)(void *ctx), void *ctx)
{
	struct conn *c;

	p->warm = warm;
	p->warm_ctx = ctx;
	p->warm_until_ns = clock_mono_ns() + (int64_t)WARM_UP_MS * 1000000;
	p->warming = 1; /* ours, so that it cannot end before the last has started */
	while ((c = p->closed) != NULL) {
		p->closed = c->next;
		c->warming = true;
		p->warming++;
		conn_open(c);
	}
	if (--p->warming == 0)
		warm(ctx);
}

bool http_pool_idle(const struct http_pool *p)
{
	return p->idle || p->closed;
}

bool http_pool_call(struct http_pool *p, const struct http_call *call)
{
	struct conn *c = p->idle ? p->idle : p->closed;
	bool open = p->idle != NULL;

	if (!c)
		return false;
	*(open ? &p->idle : &p->closed) = c->next;
	c->call = *call;
	c->call.sent_ns = 0;
	c->has_call = true;
	c->deadline_ns = clock_mono_ns() + (int64_t)p->limits.timeout_ms * 1000000;
	list_add(p, c);
	if (open)
		conn_send(c);
	else
		conn_open(c);
	return true;
}

int http_pool_in_flight(const struct http_pool *p)
{
	return p->in_flight;
}

int http_pool_open(const struct http_pool *p)
{
	return p->open;
}

uint64_t http_pool_connects(const struct http_pool *p)
{
	return p->connects;
}

void http_pool_close(struct http_pool *p)
{
	p->stopping = true;
	for (int i = 0; i < p->limits.connections; i++)
		conn_close(&p->all[i]);
	uv_close((uv_handle_t *)&p->sweep, NULL);
}

void http_pool_free(struct http_pool *p)
{
	if (!p)
		return;
	for (int i = 0; i < p->limits.connections; i++) {
		free(p->all[i].text.text);
		http_reply_release(&p->all[i].reply);
	}
	free(p->all);
	free(p);
}
