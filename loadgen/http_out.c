/*
 * The pool. A call takes an idle connection, the one used last (so that at a low rate the others may be closed by
 * the server without harm), or else opens a closed one. Calls in flight stand in one list in the
 * order of their deadlines, which is the order of their calls, since all have the same timeout.
 */
#include "loadgen/http_conn.h"

#include "common/clock.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

#define SWEEP_MS      20
#define WARM_UP_MS    3000
#define LOOK_AFTER_NS INT64_C(1000000000)

void http_text_room(struct http_text *t, size_t bytes)
{
	if (t->used + bytes > t->room) {
		t->room = (t->used + bytes) * 2;
		t->text = mem_resize(t->text, t->room, 1);
	}
}

void http_text_add(struct http_text *t, const char *data, size_t bytes)
{
	http_text_room(t, bytes);
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

struct http_pool *http_pool_new(uv_loop_t *loop, const struct http_url *url,
	const struct http_pool_limits *limits, const struct http_handlers *handlers)
{
	struct http_pool *p = mem_zero(1, sizeof(*p));

	p->loop = loop;
	p->limits = *limits;
	p->handlers = *handlers;
	p->url = url;
	p->read_buffer = mem_alloc(POOL_READ_BYTES);
	if (url->tls)
		p->plain_buffer = mem_alloc(POOL_READ_BYTES);
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

/*
 * The idle connection used last, or NULL. One that was idle for long is looked at first: after a
 * pause of ours the server's end may lie in the socket, unread, and a request sent after it would
 * be an error that is nobody's.
 */
static struct conn *take_idle(struct http_pool *p, int64_t now_ns)
{
	struct conn *c;

	while ((c = p->idle) != NULL) {
		if (now_ns - c->idle_ns < LOOK_AFTER_NS || !conn_is_stale(c)) {
			p->idle = c->next;
			return c;
		}
		conn_close(c);
	}
	return NULL;
}

bool http_pool_call(struct http_pool *p, const struct http_call *call)
{
	int64_t now = clock_mono_ns();
	struct conn *c = take_idle(p, now);
	bool open = c != NULL;

	if (!open) {
		c = p->closed;
		if (!c)
			return false;
		p->closed = c->next;
	}
	c->call = *call;
	c->call.sent_ns = 0;
	c->has_call = true;
	c->deadline_ns = now + (int64_t)p->limits.timeout_ms * 1000000;
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
	for (int i = 0; i < p->limits.connections; i++)
		conn_release(&p->all[i]);
	free(p->all);
	free(p->read_buffer);
	free(p->plain_buffer);
	free(p);
}
