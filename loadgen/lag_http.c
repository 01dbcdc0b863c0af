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
	struct http_pool *pool;
	const struct http_url *url;
	lag_seen *seen;
	void *ctx;
};

static void render(void *ctx, const struct http_call *call, struct http_text *text)
{
	struct lag_http *l = ctx;
	char *head = mem_printf("GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: wt-loadgen/%s\r\n"
				"Accept: application/json\r\n\r\n",
		l->url->path, l->url->host, WT_VERSION);

	(void)call;
	http_text_add(text, head, strlen(head));
	free(head);
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
	if (outcome != HTTP_ANSWERED)
		snprintf(look.why, sizeof(look.why), "%s: %s", l->url->host, words[outcome]);
	else if (reply->status != 200)
		snprintf(
			look.why, sizeof(look.why), "%s: HTTP %d", l->url->host, reply->status);
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

	l->url = url;
	l->seen = seen;
	l->ctx = ctx;
	l->pool = http_pool_new(loop, url, &limits, &handlers);
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
