#include "loadgen/lag_http.h"

#include "common/clock.h"
#include "common/mem.h"
#include "loadgen/http_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_BYTES_MAX (4 << 20)
#define TIMEOUT_MS	 2000

struct lag_http {
	uv_timer_t timer;
	uv_getaddrinfo_t resolve;
	bool resolving;
	struct http_pool *pool;
	struct http_url url; /* the address is ours; the texts are borrowed */
	lag_seen *seen;
	void *ctx;
};

static void render(void *ctx, const struct http_call *call, struct http_text *text)
{
	struct lag_http *l = ctx;
	char *head = mem_printf("GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: wt-loadgen/%s\r\n"
				"Accept: application/json\r\n\r\n",
		l->url.path, l->url.host, WT_VERSION);

	(void)call;
	http_text_add(text, head, strlen(head));
	free(head);
}

/* The address behind the present one, or the first; the next connection goes there. */
static void on_resolved(uv_getaddrinfo_t *resolve, int status, struct addrinfo *list)
{
	struct lag_http *l = resolve->data;
	const struct addrinfo *next = list;

	l->resolving = false;
	for (const struct addrinfo *info = list; info && status == 0; info = info->ai_next) {
		if (memcmp(&l->url.address, info->ai_addr, info->ai_addrlen) == 0 &&
			info->ai_next)
			next = info->ai_next;
	}
	if (status == 0 && next)
		memcpy(&l->url.address, next->ai_addr, next->ai_addrlen);
	uv_freeaddrinfo(list);
}

/* One of several consumers behind a name may have gone: the next look asks another one. */
static void try_elsewhere(struct lag_http *l)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};

	if (l->resolving)
		return;
	l->resolving = uv_getaddrinfo(l->timer.loop, &l->resolve, on_resolved, l->url.name,
			       l->url.port, &hints) == 0;
}

static void done(void *ctx, const struct http_call *call, enum http_outcome outcome,
	const struct http_reply *reply, int64_t now_ns)
{
	static const char *const words[HTTP_OUTCOMES] = {[HTTP_REFUSED] = "connection refused",
		[HTTP_RESET] = "connection reset",
		[HTTP_TIMEOUT] = "no answer",
		[HTTP_MALFORMED] = "no HTTP answer",
		[HTTP_TLS] = "TLS handshake failed"};
	struct lag_http *l = ctx;
	struct lag_look look;

	(void)now_ns;
	lag_look_init(&look);
	look.asked_ns = call->due_ns;
	if (outcome != HTTP_ANSWERED) {
		snprintf(look.why, sizeof(look.why), "%s: %s", l->url.host, words[outcome]);
		try_elsewhere(l);
	} else if (reply->status != 200)
		snprintf(look.why, sizeof(look.why), "%s: HTTP %d", l->url.host, reply->status);
	else
		lag_look_parse(&look, reply->body ? reply->body : "", reply->body_bytes);
	look.asked_ns -= look.age_ms * 1000000;
	l->seen(l->ctx, &look);
	lag_look_release(&look);
}

static void on_timer(uv_timer_t *timer)
{
	struct lag_http *l = timer->data;
	struct http_call call = {.due_ns = clock_mono_ns()};

	http_pool_call(l->pool, &call); /* still busy with the last look: this one is skipped */
}

struct lag_http *lag_http_new(
	uv_loop_t *loop, const struct http_url *url, int interval_ms, lag_seen *seen, void *ctx)
{
	struct lag_http *l = mem_zero(1, sizeof(*l));
	struct http_pool_limits limits = {
		.connections = 1, .timeout_ms = TIMEOUT_MS, .body_max = STATUS_BYTES_MAX};
	struct http_handlers handlers = {.ctx = l, .render = render, .done = done};

	l->url = *url;
	l->resolve.data = l;
	l->seen = seen;
	l->ctx = ctx;
	l->pool = http_pool_new(loop, &l->url, &limits, &handlers);
	uv_timer_init(loop, &l->timer);
	l->timer.data = l;
	lag_http_interval(l, interval_ms);
	return l;
}

void lag_http_interval(struct lag_http *l, int interval_ms)
{
	uv_timer_start(&l->timer, on_timer, 0, (uint64_t)interval_ms);
}

void lag_http_close(struct lag_http *l)
{
	if (l->resolving)
		uv_cancel((uv_req_t *)&l->resolve); /* its callback comes all the same */
	http_pool_close(l->pool);
	uv_close((uv_handle_t *)&l->timer, NULL);
}

void lag_http_free(struct lag_http *l)
{
	if (!l)
		return;
	http_pool_free(l->pool);
	free(l);
}
