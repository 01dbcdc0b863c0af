/*
 * The life of a connection. With TLS the bytes take one more step on either way: what comes is fed
 * to it and read from it, what is written is taken from it; all else is the same.
 */
#include "loadgen/http_conn.h"

#include "common/clock.h"
#include "loadgen/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	struct http_pool *p = c->pool;

	tls_free(c->tls);
	c->tls = NULL;
	c->state = CONN_CLOSED;
	c->next = p->closed;
	p->closed = c;
	if (p->handlers.room && !p->stopping)
		p->handlers.room(p->handlers.ctx);
}

void conn_close(struct conn *c)
{
	if (c->state == CONN_CLOSED || c->state == CONN_CLOSING)
		return;
	if (c->state == CONN_IDLE) { /* rare: the server closed it */
		struct conn **at = &c->pool->idle;

		while (*at && *at != c)
			at = &(*at)->next;
		if (*at)
			*at = c->next;
	}
	if (c->state != CONN_CONNECTING)
		c->pool->open--;
	c->state = CONN_CLOSING;
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

void conn_finish(struct conn *c, enum http_outcome outcome, bool keep)
{
	struct http_pool *p = c->pool;
	bool had = c->has_call;

	if (had) {
		list_remove(p, c);
		c->has_call = false;
	}
	if (keep && !c->writing) {
		c->state = CONN_IDLE;
		c->idle_ns = clock_mono_ns();
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

/* Sends bytes that stay where they are until they are written. */
static bool put(struct conn *c, char *data, size_t bytes);

/* Sends what tls has for the other side, unless it is at it. */
static bool flush(struct conn *c)
{
	size_t bytes = c->tls ? tls_outgoing(c->tls) : 0;

	if (bytes == 0 || c->writing)
		return true;
	c->cipher.used = 0;
	http_text_room(&c->cipher, bytes);
	c->cipher.used = tls_take(c->tls, c->cipher.text, bytes);
	return put(c, c->cipher.text, c->cipher.used);
}

static void on_written(uv_write_t *write, int status)
{
	struct conn *c = write->data;
	bool good = status >= 0;

	c->writing = false;
	if (c->state != CONN_BUSY && c->state != CONN_HANDSHAKE)
		return;
	if (good)
		good = flush(c);
	if (!good)
		conn_finish(c, HTTP_RESET, false);
}

static bool put(struct conn *c, char *data, size_t bytes)
{
	uv_buf_t buf = uv_buf_init(data, (unsigned)bytes);
	int sent = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);

	if (sent == (int)bytes)
		return true;
	if (sent < 0 && sent != UV_EAGAIN)
		return false;
	if (sent > 0) {
		buf.base += sent;
		buf.len -= (size_t)sent;
	}
	c->write.data = c;
	c->writing = uv_write(&c->write, (uv_stream_t *)&c->tcp, &buf, 1, on_written) == 0;
	return c->writing;
}

void conn_send(struct conn *c)
{
	struct http_pool *p = c->pool;
	bool good;

	c->state = CONN_BUSY;
	c->text.used = 0;
	http_reply_reset(&c->reply, p->limits.no_body);
	p->handlers.render(p->handlers.ctx, &c->call, &c->text);
	c->call.sent_ns = clock_mono_ns();
	if (c->tls)
		good = tls_write(c->tls, c->text.text, c->text.used) && flush(c);
	else
		good = put(c, c->text.text, c->text.used);
	if (!good)
		conn_finish(c, HTTP_RESET, false);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct conn *c = handle->data;

	(void)wanted;
	*buf = uv_buf_init(c->pool->read_buffer, POOL_READ_BYTES);
}

/* The other side says no more. */
static void on_end(struct conn *c, bool orderly)
{
	switch (c->state) {
	case CONN_IDLE:
		conn_close(c);
		break;
	case CONN_HANDSHAKE:
		conn_finish(c, HTTP_TLS, false);
		break;
	case CONN_BUSY:
		orderly = orderly && http_reply_end(&c->reply) == REPLY_DONE;
		conn_finish(c, orderly ? HTTP_ANSWERED : HTTP_RESET, false);
		break;
	case CONN_CLOSED:
	case CONN_CONNECTING:
	case CONN_CLOSING:
		break;
	}
}

/* Plain bytes of an answer. */
static void take(struct conn *c, const char *data, size_t bytes)
{
	size_t used;

	if (c->state != CONN_BUSY) {
		conn_close(c); /* bytes nobody asked for */
		return;
	}
	switch (http_reply_feed(&c->reply, data, bytes, &used)) {
	case REPLY_MORE:
		break;
	case REPLY_MALFORMED:
		conn_finish(c, HTTP_MALFORMED, false);
		break;
	case REPLY_DONE:
		conn_finish(c, HTTP_ANSWERED, c->reply.keep_alive && used == bytes);
		break;
	}
}

static bool is_open(const struct conn *c)
{
	return c->state == CONN_IDLE || c->state == CONN_BUSY;
}

/* Connected, and with TLS trusted: to the call, or to the others that wait. */
static void ready(struct conn *c)
{
	c->state = CONN_BUSY;
	if (c->has_call)
		conn_send(c);
	else
		conn_finish(c, HTTP_ANSWERED, true);
	warmed(c);
}

static void shake_hands(struct conn *c)
{
	enum tls_result result = tls_handshake(c->tls);

	if (!flush(c) || (result != TLS_READY && result != TLS_MORE))
		conn_finish(c, HTTP_TLS, false);
	else if (result == TLS_READY)
		ready(c);
}

static void take_tls(struct conn *c, const char *data, size_t bytes)
{
	enum tls_result result;
	size_t got;

	tls_feed(c->tls, data, bytes);
	if (c->state == CONN_HANDSHAKE)
		shake_hands(c);
	while (is_open(c)) { /* the answer's end may send the next request at once */
		result = tls_read(c->tls, c->pool->plain_buffer, POOL_READ_BYTES, &got);
		if (result == TLS_READY)
			take(c, c->pool->plain_buffer, got);
		else if (result == TLS_MORE)
			break;
		else
			on_end(c, result == TLS_ENDED);
	}
	if (is_open(c) && !flush(c)) /* a key update wants an answer */
		on_end(c, false);
}

static void on_read(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *buf)
{
	struct conn *c = stream->data;

	if (bytes < 0)
		on_end(c, bytes == UV_EOF);
	else if (bytes > 0 && c->tls)
		take_tls(c, buf->base, (size_t)bytes);
	else if (bytes > 0)
		take(c, buf->base, (size_t)bytes);
}

static void on_connect(uv_connect_t *connect, int status)
{
	struct conn *c = connect->data;
	const struct http_url *url = c->pool->url;

	if (c->state != CONN_CONNECTING)
		return; /* closed meanwhile */
	if (status < 0) {
		conn_finish(c, status == UV_ETIMEDOUT ? HTTP_TIMEOUT : HTTP_REFUSED, false);
		return;
	}
	c->pool->open++;
	c->pool->connects++;
	uv_tcp_nodelay(&c->tcp, 1);
	uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
	if (!url->tls) {
		ready(c);
		return;
	}
	c->state = CONN_HANDSHAKE;
	c->tls = tls_new(url->tls, url->name);
	shake_hands(c);
}

void conn_open(struct conn *c)
{
	struct http_pool *p = c->pool;

	uv_tcp_init(p->loop, &c->tcp);
	c->tcp.data = c;
	c->connect.data = c;
	c->writing = false;
	c->state = CONN_CONNECTING;
	if (uv_tcp_connect(&c->connect, &c->tcp, (const struct sockaddr *)&p->url->address,
		    on_connect) != 0)
		conn_finish(c, HTTP_REFUSED, false);
}

bool conn_is_stale(struct conn *c)
{
	char byte;
	uv_os_fd_t fd;

	if (uv_fileno((uv_handle_t *)&c->tcp, &fd) != 0)
		return true;
	/* bytes of TLS may wait there without harm; an end or an error may not */
	errno = 0;
	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0 && errno != EAGAIN;
}

void conn_release(struct conn *c)
{
	tls_free(c->tls);
	free(c->text.text);
	free(c->cipher.text);
	http_reply_release(&c->reply);
}
