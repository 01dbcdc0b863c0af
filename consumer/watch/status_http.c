/* Who asks what: the routes of the status server. */
#include "consumer/watch/page.h"
#include "consumer/watch/status_metrics.h"
#include "consumer/watch/watch_impl.h"

#include "common/log.h"
#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON  "application/json"
#define FRESH "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
/* Nothing from elsewhere, nothing inline, in nobody's frame. */
#define PAGE_HEADERS                                                                           \
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "   \
	"connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "            \
	"frame-ancestors 'none'\r\n"                                                           \
	"X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"                  \
	"Vary: Accept-Encoding\r\nCache-Control: no-cache\r\n"

static void respond_json(struct http_request *request, int status, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (!text)
		text = mem_strdup("{}");
	http_respond_owned(request, status, JSON, FRESH, text, strlen(text));
}

static void get_status(struct watch *watch, struct http_request *request)
{
	struct picture picture;
	picture_take(&picture, &watch->source, &watch->latency);
	respond_json(request, 200, picture_json(&picture));
	picture_release(&picture);
}

static void get_metrics(struct watch *watch, struct http_request *request)
{
	struct metrics_writer w = {.openmetrics = http_request_header_has(
					   request, "Accept", "application/openmetrics-text")};
	struct picture picture;
	picture_take(&picture, &watch->source, &watch->latency);
	status_metrics_write(
		&w, &picture, watch->source.meters, http_server_stats(watch->server));
	picture_release(&picture);
	http_respond(request, 200, metrics_content_type(&w), FRESH, w.text, w.used);
	metrics_writer_release(&w);
}

/* "name=NUMBER" in the query; `otherwise` when it is not there. */
static int64_t query_number(
	const struct http_request *request, const char *name, int64_t otherwise)
{
	size_t length, n = strlen(name);
	const char *query = http_request_query(request, &length);
	char text[256];
	snprintf(text, sizeof(text), "&%.*s", (int)(length < 200 ? length : 200), query);
	for (char *at = text; (at = strchr(at, '&')); at++)
		if (strncmp(at + 1, name, n) == 0 && at[1 + n] == '=')
			return strtoll(at + 2 + n, NULL, 10);
	return otherwise;
}

static void get_history(struct watch *watch, struct http_request *request)
{
	int64_t points = query_number(request, "points", HISTORY_POINTS);
	respond_json(request, 200,
		history_json(&watch->history, query_number(request, "since", 0),
			points > 0 && points < HISTORY_POINTS ? (int)points : HISTORY_POINTS));
}

static void on_listener_gone(void *user)
{
	struct listener *gone = user;
	struct watch *watch = gone->watch;
	struct listener **at = &watch->listeners;
	while (*at && *at != gone)
		at = &(*at)->next;
	if (*at) {
		*at = gone->next;
		watch->listener_count--;
	}
	free(gone);
}

/* The server leaves out a body, but not what a stream goes on to say. */
static bool is_head(const struct http_request *request)
{
	size_t length;
	const char *method = http_request_method_text(request, &length);
	return length == 4 && memcmp(method, "HEAD", 4) == 0;
}

static void get_events(struct watch *watch, struct http_request *request)
{
	if (is_head(request)) {
		http_respond(request, 200, "text/event-stream", FRESH, "", 0);
		return;
	}
	if (watch->listener_count >= WATCH_LISTENERS) {
		http_respond_problem(request, 503, "Retry-After: 5\r\n", NULL,
			"%d listeners already; /status answers any number", WATCH_LISTENERS);
		return;
	}
	struct listener *l = mem_zero(1, sizeof(*l));
	l->watch = watch;
	l->stream = http_stream_start(request, "text/event-stream", FRESH, on_listener_gone, l);
	l->next = watch->listeners;
	watch->listeners = l;
	watch->listener_count++;
	size_t length;
	char *text = watch_event_text(watch, &length);
	static const char retry[] = "retry: 2000\n\n";
	http_stream_write(l->stream, retry, sizeof(retry) - 1, WATCH_SLOW_BYTES);
	http_stream_write(l->stream, text, length, WATCH_SLOW_BYTES + length);
	free(text);
}

static void get_ready(struct watch *watch, struct http_request *request)
{
	struct picture p;
	picture_take(&p, &watch->source, &watch->latency);
	if (p.pool.ready)
		http_respond(request, 200, "text/plain", FRESH, "ready\n", 6);
	else
		http_respond_problem(request, 503, NULL, NULL, "%s: %s", p.title, p.text);
	picture_release(&p);
}

/* Equal times for equal lengths, whatever the bytes. */
static bool same(const char *a, const char *b, size_t length)
{
	unsigned char difference = 0;
	for (size_t i = 0; i < length; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}

static bool has_token(const struct watch *watch, const struct http_request *request)
{
	size_t length, scheme = strlen("Bearer ");
	const char *given = http_request_header(request, "Authorization", &length);
	size_t wanted = strlen(watch->token);
	return given && length == scheme + wanted &&
	       strncasecmp(given, "Bearer ", scheme) == 0 &&
	       same(given + scheme, watch->token, wanted);
}

static bool is_loopback(const struct http_request *request)
{
	char peer[128];
	http_request_peer(request, peer, sizeof(peer));
	return strncmp(peer, "127.", 4) == 0 || strncmp(peer, "[::1]", 5) == 0 ||
	       strncmp(peer, "[::ffff:127.", 12) == 0;
}

/* Answers itself when the request may not change anything. */
static bool may_change(const struct watch *watch, struct http_request *request)
{
	size_t length;
	if (watch->token) {
		if (has_token(watch, request))
			return true;
		http_respond_problem(request, 401, "WWW-Authenticate: Bearer\r\n", NULL,
			"this needs the token of status.token-file");
		return false;
	}
	if (!is_loopback(request) || http_request_header(request, "Origin", &length)) {
		http_respond_problem(request, 403, NULL, NULL,
			"without status.token-file only loopback may do this, and not from a "
			"browser");
		return false;
	}
	return true;
}

/* {"count":3} or {"count":"auto"}; -1 when it is neither. */
static int wanted_workers(const struct http_request *request)
{
	size_t length;
	const char *body = http_request_body(request, &length);
	json_t *o = json_loadb(body ? body : "", length, JSON_REJECT_DUPLICATES, NULL);
	json_t *count = json_object_get(o, "count");
	int wanted = -1;
	if (json_is_integer(count) && json_integer_value(count) > 0 &&
		json_integer_value(count) <= 1000000)
		wanted = (int)json_integer_value(count);
	else if (json_is_string(count) && strcmp(json_string_value(count), "auto") == 0)
		wanted = 0;
	json_decref(o);
	return wanted;
}

static void post_workers(struct watch *watch, struct http_request *request)
{
	if (!may_change(watch, request))
		return;
	int wanted = wanted_workers(request);
	struct errmsg msg = {""};
	if (wanted < 0) {
		http_respond_problem(request, 400, NULL, NULL,
			"the body is {\"count\":N} with N from 1, or {\"count\":\"auto\"}");
	} else if (watch->source.set_workers(watch->source.user, wanted, &msg)) {
		http_respond_problem(request, 400, NULL, NULL, "%s", msg.text);
	} else {
		log_event(LOG_INFO, "workers_asked", LOG_F("count", LOG_INT(wanted)));
		respond_json(request, 200,
			wanted ? json_pack("{s:i}", "count", wanted)
			       : json_pack("{s:s}", "count", "auto"));
	}
}

static void post_drain(struct watch *watch, struct http_request *request)
{
	if (!may_change(watch, request))
		return;
	respond_json(request, 202, json_pack("{s:b}", "draining", 1));
	if (watch->drain_asked) /* the pool takes a second time for "now" */
		return;
	watch->drain_asked = true;
	log_event(LOG_INFO, "drain_asked");
	watch->source.drain(watch->source.user);
}

static void get_health(struct watch *watch, struct http_request *request)
{
	(void)watch;
	http_respond(request, 200, "text/plain", FRESH, "ok\n", 3);
}

static const struct route {
	const char *path;
	enum http_method method;
	void (*handle)(struct watch *watch, struct http_request *request);
} routes[] = {
	{"/status", HTTP_GET, get_status},
	{"/events", HTTP_GET, get_events},
	{"/history", HTTP_GET, get_history},
	{"/metrics", HTTP_GET, get_metrics},
	{"/healthz", HTTP_GET, get_health},
	{"/readyz", HTTP_GET, get_ready},
	{"/workers", HTTP_POST, post_workers},
	{"/drain", HTTP_POST, post_drain},
};

/* "gzip" among what is accepted, and not by "gzip;q=0". */
static bool takes_gzip(const struct http_request *request)
{
	static const char name[] = "Accept-Encoding";
	return http_request_header_has(request, name, "gzip") &&
	       !http_request_header_has(request, name, "gzip;q=0") &&
	       !http_request_header_has(request, name, "gzip; q=0");
}

static void get_page(struct http_request *request, const struct page_file *file)
{
	if (takes_gzip(request)) {
		http_respond(request, 200, file->type,
			PAGE_HEADERS "Content-Encoding: gzip\r\n", (const char *)file->gzip,
			file->length);
		return;
	}
	size_t length;
	char *plain = page_plain(file, &length);
	http_respond_owned(request, 200, file->type, PAGE_HEADERS, plain, length);
}

void status_http_handle(void *user, struct http_request *request)
{
	enum http_method method = http_request_method(request);
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!http_request_path_is(request, routes[i].path))
			continue;
		if (method == routes[i].method)
			routes[i].handle(user, request);
		else
			http_respond_not_allowed(
				request, routes[i].method == HTTP_GET ? "GET, HEAD" : "POST");
		return;
	}
	size_t length;
	const char *path = http_request_path(request, &length);
	const struct page_file *file = page_find(path, length);
	if (!file)
		http_respond_problem(request, 404, NULL, NULL,
			"there are /, /status, /events, /history, /metrics, /healthz, /readyz, "
			"/workers, /drain");
	else if (method != HTTP_GET)
		http_respond_not_allowed(request, "GET, HEAD");
	else
		get_page(request, file);
}
