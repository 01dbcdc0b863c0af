/* What the producer says about itself. */
#include "producer/http/service.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const struct metric_row metric_rows[] = {
#define METRIC METRIC_ROW
#include "producer/http/metrics.def"
#undef METRIC
};

enum {
#define METRIC(kind, field, name, labels, help) METRIC_##field,
#include "producer/http/metrics.def"
#undef METRIC
};

/* producer/http/openapi.json as it is, ended by a NUL. */
__asm__(".section .rodata\n"
	"openapi_text:\n"
	".incbin \"producer/http/openapi.json\"\n"
	".byte 0\n"
	".previous\n");
extern const char openapi_text[] __attribute__((visibility("hidden")));

void service_healthz(struct service *service, struct http_request *request)
{
	static const char text[] = "{\"status\":\"ok\"}\n";

	(void)service;
	http_respond(request, 200, "application/json", NULL, text, sizeof(text) - 1);
}

void service_readyz(struct service *service, struct http_request *request)
{
	const char *reason;
	char text[128];
	int length;

	if (service->draining) {
		http_respond_problem(request, 503, "Retry-After: 5\r\n", NULL, "stopping");
		return;
	}
	if (!kafka_out_ready(service->kafka, &reason)) {
		http_respond_problem(
			request, 503, "Retry-After: 2\r\n", NULL, "kafka: %s", reason);
		return;
	}
	length = snprintf(text, sizeof(text), "{\"ready\":true,\"partitions\":%d}\n",
		(int)kafka_out_partitions(service->kafka));
	http_respond(request, 200, "application/json", NULL, text, (size_t)length);
}

static void one(struct metrics_writer *w, int metric, double value)
{
	metrics_family(w, &metric_rows[metric]);
	metrics_sample(w, value, "%s", "");
}

static void write_http(struct metrics_writer *w, const struct http_server_stats *stats)
{
	metrics_family(w, &metric_rows[METRIC_requests]);
	for (int code = 0; code < 600; code++) {
		if (stats->codes[code] > 0)
			metrics_sample(w, (double)stats->codes[code], "code=\"%d\"", code);
	}
	metrics_family(w, &metric_rows[METRIC_request_seconds]);
	metrics_histogram(w, &stats->seconds, "%s", "");
	one(w, METRIC_connections, (double)stats->connections);
	one(w, METRIC_accepted, (double)stats->accepted);
	one(w, METRIC_timeouts, (double)stats->timeouts);
	one(w, METRIC_buffered, (double)stats->buffered_bytes);
}

static void write_stores(struct metrics_writer *w, const struct service *service)
{
	metrics_family(w, &metric_rows[METRIC_reads]);
	metrics_sample(w, (double)service->read_hits, "source=\"cache\"");
	metrics_sample(w, (double)service->read_misses, "source=\"database\"");
	metrics_sample(w, (double)service->read_absent, "source=\"absent\"");
	metrics_sample(w, (double)service->reads_failed, "source=\"failed\"");
	metrics_family(w, &metric_rows[METRIC_waits]);
	metrics_sample(w, (double)service->applied, "result=\"applied\"");
	metrics_sample(w, (double)service->not_applied, "result=\"not_applied\"");
	one(w, METRIC_waiting, (double)service->waiting);
	one(w, METRIC_redis_up, redis_link_up(service->redis));
}

void service_metrics(struct service *service, struct http_request *request)
{
	const struct admission *admission = &service->pool.admission;
	struct metrics_writer w = {.openmetrics = http_request_header_has(
					   request, "accept", "application/openmetrics-text")};

	write_http(&w, http_server_stats(service->http));
	metrics_family(&w, &metric_rows[METRIC_records]);
	metrics_sample(&w, (double)service->acknowledged, "result=\"acknowledged\"");
	metrics_sample(&w, (double)service->failed, "result=\"failed\"");
	metrics_sample(&w, (double)service->unconfirmed, "result=\"unconfirmed\"");
	metrics_family(&w, &metric_rows[METRIC_refused]);
	metrics_sample(&w, (double)service->refused_full, "reason=\"full\"");
	metrics_sample(&w, (double)service->refused_down, "reason=\"down\"");
	one(&w, METRIC_inflight, (double)admission->records);
	one(&w, METRIC_inflight_bytes, (double)admission->bytes);
	one(&w, METRIC_brokers_up, admission->down_since_ms ? 0 : 1);
	if (service->redis || service->reader)
		write_stores(&w, service);
	metrics_family(&w, &metric_rows[METRIC_build_info]);
	metrics_sample(&w, 1, "program=\"wt-producer\",version=\"%s\"", WT_VERSION);
	metrics_end(&w);
	http_respond_owned(request, 200, metrics_content_type(&w), NULL, w.text, w.used);
}

/* The description of http.record=object: a Record is any object whose key may be given. */
static char *openapi_of_objects(const char *key)
{
	json_t *page = json_loads(openapi_text, 0, NULL);
	json_t *schemas = json_object_get(json_object_get(page, "components"), "schemas");
	char *text;

	json_object_set_new(schemas, "Record",
		json_pack("{s:s, s:{s:{s:[{s:s, s:i, s:i}, {s:s}], s:s}}}", "type", "object",
			"properties", key, "oneOf", "type", "string", "minLength", 1,
			"maxLength", RECORD_ID_CHARS, "type", "integer", "description",
			"The key; a UUIDv7 is made when absent. The other members are for the "
			"consumer's mapping to judge."));
	text = json_dumps(page, JSON_COMPACT);
	json_decref(page);
	return text;
}

void service_openapi(struct service *service, struct http_request *request)
{
	char *made = service->form.object ? openapi_of_objects(service->form.key) : NULL;

	if (made)
		http_respond_owned(request, 200, "application/json", NULL, made, strlen(made));
	else
		http_respond(request, 200, "application/json", NULL, openapi_text,
			strlen(openapi_text));
}
