/*
 * The watch's thread. Once a second:
 *	1. latency   the window moves on
 *	2. picture   pool, lag and meters, copied
 *	3. history   a point
 *	4. listeners the same event to each that keeps up
 */
#include "consumer/watch/watch_impl.h"

#include "common/log.h"
#include "common/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *watch_event_text(struct watch *watch, size_t *length)
{
	struct picture picture;
	picture_take(&picture, &watch->source, &watch->latency);
	json_t *o = picture_json(&picture);
	char *json = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	picture_release(&picture);
	char *text = mem_printf("event: status\ndata: %s\n\n", json ? json : "{}");
	free(json);
	*length = strlen(text);
	return text;
}

static void remember(struct watch *watch)
{
	struct picture p;
	picture_take(&p, &watch->source, &watch->latency);
	const struct lag_view *v = &p.lag.total.view;
	struct history_point point = {
		.wall_ms = p.wall_ms,
		.lag = v->lag < 0 ? NAN : (double)v->lag,
		.lag_seconds = v->lag_seconds,
		.rate_in = v->rate_in,
		.rate_out = v->rate_out,
		.p50 = (float)p.latency.p50,
		.p99 = (float)p.latency.p99,
		.deadlettered = (float)p.deadlettered,
		.workers = p.pool.workers,
	};
	history_add(&watch->history, &point);
	story_tell(&watch->story, &p, story_tick(&watch->story, &p));
	picture_release(&p);
}

static void on_tick(uv_timer_t *timer)
{
	struct watch *watch = timer->data;
	latency_tick(
		&watch->window, &watch->source.meters->end_to_end_seconds, &watch->latency);
	remember(watch);
	if (!watch->listeners)
		return;
	size_t length;
	char *text = watch_event_text(watch, &length);
	for (struct listener *l = watch->listeners; l; l = l->next)
		http_stream_write(l->stream, text, length, WATCH_SLOW_BYTES + length);
	free(text);
}

static void on_drained(void *user)
{
	struct watch *watch = user;
	http_server_close(watch->server);
	uv_close((uv_handle_t *)&watch->timer, NULL);
	uv_close((uv_handle_t *)&watch->stop, NULL);
}

static void on_stop(uv_async_t *async)
{
	struct watch *watch = async->data;
	if (watch->stopping)
		return;
	watch->stopping = true;
	http_server_drain(watch->server, on_drained, watch);
}

static void run(void *arg)
{
	struct watch *watch = arg;
	uv_run(&watch->loop, UV_RUN_DEFAULT);
}

static void watch_free(struct watch *watch)
{
	uv_run(&watch->loop, UV_RUN_DEFAULT);
	uv_loop_close(&watch->loop);
	free(watch->token);
	free(watch);
}

int watch_start(struct watch **out, const struct watch_config *config, struct errmsg *msg)
{
	struct watch *watch = mem_zero(1, sizeof(*watch));
	watch->source = config->source;
	watch->token = config->token ? mem_strdup(config->token) : NULL;
	watch->latency = (struct latency){.p50 = NAN, .p99 = NAN};
	uv_loop_init(&watch->loop);
	uv_async_init(&watch->loop, &watch->stop, on_stop);
	uv_timer_init(&watch->loop, &watch->timer);
	watch->stop.data = watch->timer.data = watch;
	struct http_server_config http = {.listen = config->listen,
		.max_connections = 256,
		.max_body_bytes = 4096,
		.max_buffered_bytes = 1 << 20,
		.handle = status_http_handle,
		.user = watch};
	int rc = http_server_open(&watch->server, &watch->loop, &http, msg);
	if (rc) {
		errmsg_wrap(msg, "option status.listen");
		goto err_after_handles;
	}
	watch->port = http_server_port(watch->server);
	uv_timer_start(&watch->timer, on_tick, 0, WATCH_TICK_MS);
	if (uv_thread_create(&watch->thread, run, watch)) {
		rc = errmsg_set(msg, ERR_BUG, "status server: no thread");
		http_server_close(watch->server);
		goto err_after_handles;
	}
	*out = watch;
	return 0;
err_after_handles:
	uv_close((uv_handle_t *)&watch->timer, NULL);
	uv_close((uv_handle_t *)&watch->stop, NULL);
	watch_free(watch);
	return rc;
}

int watch_port(const struct watch *watch)
{
	return watch->port;
}

void watch_stop(struct watch *watch)
{
	if (!watch)
		return;
	uv_async_send(&watch->stop);
	uv_thread_join(&watch->thread);
	watch_free(watch);
}
