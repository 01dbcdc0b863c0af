#include "loadgen/consumer_api.h"

#include "common/clock.h"
#include "common/mem.h"
#include "loadgen/http_out.h"
#include "loadgen/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MS	5000
#define WORKERS_WAIT_MS 15000

struct once {
	const char *request;
	struct http_pool *pool;
	enum http_outcome outcome;
	int status;
	char *body;
};

static void render(void *ctx, const struct http_call *call, struct http_text *text)
{
	struct once *o = ctx;

	(void)call;
	http_text_add(text, o->request, strlen(o->request));
}

static void done(void *ctx, const struct http_call *call, enum http_outcome outcome,
	const struct http_reply *reply, int64_t now_ns)
{
	struct once *o = ctx;

	(void)call;
	(void)now_ns;
	o->outcome = outcome;
	if (outcome == HTTP_ANSWERED) {
		o->status = reply->status;
		o->body = mem_strdup(reply->body && reply->body_bytes ? reply->body : "");
	}
	http_pool_close(o->pool);
}

/* One request on a loop of its own. The caller frees o->body. */
static int ask(struct once *o, const struct http_url *url, struct errmsg *msg)
{
	static const char *const words[HTTP_OUTCOMES] = {[HTTP_REFUSED] = "connection refused",
		[HTTP_RESET] = "connection reset",
		[HTTP_TIMEOUT] = "no answer",
		[HTTP_MALFORMED] = "no HTTP answer",
		[HTTP_TLS] = "TLS handshake failed"};
	struct http_pool_limits limits = {
		.connections = 1, .timeout_ms = TIMEOUT_MS, .body_max = 4 << 20};
	struct http_handlers handlers = {.ctx = o, .render = render, .done = done};
	struct http_call call = {0};
	uv_loop_t loop;

	uv_loop_init(&loop);
	o->pool = http_pool_new(&loop, url, &limits, &handlers);
	http_pool_call(o->pool, &call);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	http_pool_free(o->pool);
	if (o->outcome == HTTP_ANSWERED)
		return 0;
	return errmsg_set(msg, ERR_UNAVAILABLE, "%s://%s: %s", http_url_scheme(url), url->host,
		words[o->outcome]);
}

int consumer_look(const struct http_url *url, struct lag_look *look, struct errmsg *msg)
{
	char *request =
		mem_printf("GET %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n\r\n",
			url->path, url->host);
	struct once o = {.request = request};
	int err = ask(&o, url, msg);

	lag_look_init(look);
	if (err == 0 && (o.status != 200 || !lag_look_parse(look, o.body, strlen(o.body))))
		err = errmsg_set(msg, ERR_UNAVAILABLE, "%s://%s%s: HTTP %d, no status document",
			http_url_scheme(url), url->host, url->path, o.status);
	free(o.body);
	free(request);
	return err;
}

static int wait_for_workers(const struct http_url *url, int count, struct errmsg *msg)
{
	int64_t until = clock_mono_ms() + WORKERS_WAIT_MS;

	do {
		struct lag_look look;
		int err = consumer_look(url, &look, msg), there = look.workers;

		lag_look_release(&look);
		if (err != 0)
			return err;
		if (there == count)
			return 0;
		if (there < 0)
			return errmsg_set(msg, ERR_TIMEOUT,
				"workers=%d was accepted, but /status does not tell their "
				"number",
				count);
		usleep(100000);
	} while (clock_mono_ms() < until && !stop_asked());
	return errmsg_set(msg, ERR_TIMEOUT,
		"workers=%d was accepted, but after %d s /status "
		"shows another number",
		count, WORKERS_WAIT_MS / 1000);
}

int consumer_set_workers(
	const struct http_url *url, const char *token, int count, struct errmsg *msg)
{
	char *body = mem_printf("{\"count\":%d}", count);
	char *header =
		token ? mem_printf("Authorization: Bearer %s\r\n", token) : mem_strdup("");
	char *request = mem_printf("POST /workers HTTP/1.1\r\nHost: %s\r\nContent-Type: "
				   "application/json\r\n%sContent-Length: %zu\r\n\r\n%s",
		url->host, header, strlen(body), body);
	struct once o = {.request = request};
	int err = ask(&o, url, msg);

	if (err == 0 && (o.status < 200 || o.status > 299))
		err = errmsg_set(msg, ERR_REFUSED,
			"POST /workers {\"count\":%d}: HTTP %d %.200s", count, o.status,
			o.body);
	free(o.body);
	free(request);
	free(header);
	free(body);
	return err ? err : wait_for_workers(url, count, msg);
}
