#include "producer/http/service.h"

#include "common/clock.h"
#include "common/http_address.h"
#include "common/kafka_topic.h"
#include "common/log.h"
#include "common/mem.h"
#include "producer/http/answer.h"
#include "producer/http/file_limit.h"

#include <stdlib.h>
#include <string.h>

#define TICK_MS	      50
#define FILES_OF_OURS 100 /* brokers, Redis, logs, what libraries open */

static void on_state(void *user, bool up, const char *reason)
{
	struct service *service = user;

	(void)reason;
	service->pool.admission.down_since_ms = up ? 0 : clock_mono_ms();
}

static void on_fatal(void *user, const char *reason)
{
	struct service *service = user;

	log_event(LOG_ERROR, "producer_fatal", LOG_F("reason", LOG_STR(reason)));
	service->exit_err = ERR_UNAVAILABLE;
	service_drain(service);
}

static void finish(struct service *service)
{
	if (service->finished)
		return;
	service->finished = true;
	uv_close((uv_handle_t *)&service->tick, NULL);
	service_close_stores(service);
	http_server_close(service->http);
	kafka_out_close(service->kafka);
}

static void give_up(struct service *service)
{
	size_t left = service->pool.admission.records;

	uint64_t unanswered;

	answer_refusals(service, clock_mono_ms());
	unanswered = http_server_stats(service->http)->requests_open;
	/* A client that has not finished its request was promised nothing. */
	if (left > 0 || unanswered > 0) {
		log_event(LOG_ERROR, "stopped_with_work_left",
			LOG_F("records_not_confirmed", LOG_INT(left)),
			LOG_F("requests_not_answered", LOG_INT(unanswered)));
		service->exit_err = ERR_UNFINISHED;
	}
	/* The reports of what is given up answer those who still wait. */
	kafka_out_purge(service->kafka);
	finish(service);
}

static void on_tick(uv_timer_t *timer)
{
	struct service *service = timer->data;
	int64_t now = clock_mono_ms();

	service_expire(service, now);
	if (!service->draining)
		return;
	if (service->http_drained && service->pool.admission.records == 0) {
		log_event(LOG_INFO, "drained",
			LOG_F("acknowledged", LOG_INT(service->acknowledged)));
		finish(service);
	} else if (now >= service->drain_deadline_ms) {
		give_up(service);
	}
}

static int load_token(struct service *service, struct errmsg *msg)
{
	const struct producer_options *o = service->options;
	int err;

	if (!o->http_token_file)
		return 0;
	err = conf_read_secret_file(o->http_token_file, &service->token, msg);
	if (err == 0 && !*service->token)
		err = errmsg_set(msg, ERR_CONFIG, "its first line is empty");
	if (err != 0)
		errmsg_wrap(msg, "option http.token-file=%s", o->http_token_file);
	return err;
}

static int check_memory(const struct producer_options *o, struct errmsg *msg)
{
	long long body = o->http_max_body, header = o->http_max_header;
	long long buffered = o->http_max_buffered;

	if (body + header <= buffered)
		return 0;
	return errmsg_set(msg, ERR_CONFIG,
		"option http.max-body=%lld (%s): with http.max-header=%lld it is more than "
		"http.max-buffered=%lld (%s), so such a body could never be taken in",
		body, conf_origin(&o->conf, "http.max-body"), header, buffered,
		conf_origin(&o->conf, "http.max-buffered"));
}

/* What needs no server to be found wrong. */
static int check_options(const struct producer_options *o, struct errmsg *msg)
{
	struct sockaddr_storage address;
	int err =
		kafka_topic_name_check(o->topic, "topic", conf_origin(&o->conf, "topic"), msg);

	if (err != 0)
		return err;
	err = http_address_parse(o->http_listen, &address, msg);
	if (err != 0)
		errmsg_wrap(
			msg, "option http.listen (%s)", conf_origin(&o->conf, "http.listen"));
	else if (!o->http_token_file && !o->http_open && !http_address_is_loopback(&address))
		err = errmsg_set(msg, ERR_CONFIG,
			"option http.listen=%s: others could write without a token; set "
			"http.token-file, or http.open=true if that is meant",
			o->http_listen);
	return err != 0 ? err : check_memory(o, msg);
}

static int open_kafka(struct service *service, struct errmsg *msg)
{
	const struct producer_options *o = service->options;
	struct kafka_out_config config = {
		.conf = &o->conf,
		.topic = o->topic,
		.start_timeout_ms = o->start_timeout_ms,
		.delivery_timeout_ms = o->http_timeout_ms,
		.probe_interval_ms = o->probe_interval_ms,
		.max_records = (size_t)o->http_max_inflight,
		.sender_gives_way = o->sender_gives_way,
		.gather_max_ms = o->gather_max_ms,
		.on_report = service_report,
		.on_refused = service_refused,
		.on_state = on_state,
		.on_fatal = on_fatal,
		.user = service,
	};

	return kafka_out_open(&service->kafka, service->loop, &config, msg);
}

/* The open files bound the connections before the option does, or Kafka's sockets run out. */
static struct file_limit_share share_files(const struct producer_options *o)
{
	size_t wanted = (size_t)o->http_max_connections, files = file_limit_raise();
	size_t reserve = FILES_OF_OURS + (o->mysql_host ? (size_t)o->mysql_connections : 0);
	struct file_limit_share share = file_limit_share(files, reserve, wanted);

	if (share.connections < wanted)
		log_event(LOG_WARN, "connections_limited",
			LOG_F("accepted", LOG_INT(share.connections)),
			LOG_F("http.max-connections", LOG_INT(wanted)),
			LOG_F("open_files", LOG_INT(files)));
	return share;
}

static int open_http(struct service *service, struct errmsg *msg)
{
	const struct producer_options *o = service->options;
	struct file_limit_share share = share_files(o);
	struct http_server_config config = {
		.listen = o->http_listen,
		.max_connections = share.connections,
		.max_refused = share.refused,
		.max_header_bytes = (size_t)o->http_max_header,
		.max_body_bytes = (size_t)o->http_max_body,
		.max_buffered_bytes = (size_t)o->http_max_buffered,
		.max_pipelined = (size_t)o->http_max_pipelined,
		.idle_ms = o->http_idle_timeout_ms,
		.header_ms = o->http_header_timeout_ms,
		.body_ms = o->http_body_timeout_ms,
		.write_ms = o->http_write_timeout_ms,
		.handle = service_handle,
		.user = service,
	};
	int err = http_server_open(&service->http, service->loop, &config, msg);

	if (err != 0)
		errmsg_wrap(msg, "option http.listen=%s", o->http_listen);
	return err;
}

int service_open(struct service *service, uv_loop_t *loop,
	const struct producer_options *options, struct errmsg *msg)
{
	int err;

	*service = (struct service){.options = options, .loop = loop};
	service->pool.admission = (struct admission){
		.max_records = (size_t)options->http_max_inflight,
		.max_bytes = (size_t)options->http_max_inflight_bytes,
		.down_grace_ms = options->http_timeout_ms,
	};
	service->topic_json_length = http_json_quote(service->topic_json,
		sizeof(service->topic_json), options->topic, strlen(options->topic));
	err = check_options(options, msg);
	if (err == 0)
		err = http_in_form(
			&service->form, options->http_record == 1, options->key_field, msg);
	if (err == 0)
		err = load_token(service, msg);
	if (err == 0)
		err = open_kafka(service, msg);
	if (err != 0)
		return err;
	err = service_open_stores(service, msg);
	if (err == 0)
		err = open_http(service, msg);
	if (err != 0) {
		service_close_stores(service);
		kafka_out_close(service->kafka);
		return err;
	}
	uv_timer_init(loop, &service->tick);
	service->tick.data = service;
	uv_timer_start(&service->tick, on_tick, TICK_MS, TICK_MS);
	log_event(LOG_INFO, "producer_ready",
		LOG_F("port", LOG_INT(http_server_port(service->http))),
		LOG_F("topic", LOG_STR(options->topic)),
		LOG_F("partitions", LOG_INT(kafka_out_partitions(service->kafka))));
	return 0;
}

static void on_http_drained(void *user)
{
	struct service *service = user;

	service->http_drained = true;
}

void service_drain(struct service *service)
{
	if (service->draining)
		return;
	service->draining = true;
	service->drain_deadline_ms = clock_mono_ms() + service->options->drain_timeout_ms;
	log_event(LOG_INFO, "draining",
		LOG_F("inflight", LOG_INT(service->pool.admission.records)));
	kafka_out_hurry(service->kafka);
	if (service->fences)
		fence_wait_flush(service->fences);
	http_server_drain(service->http, on_http_drained, service);
}

void service_stop_now(struct service *service)
{
	service->draining = true;
	if (!service->finished)
		give_up(service);
}

void service_release(struct service *service)
{
	while (service->refused_first) {
		struct refusal *next = service->refused_first->next;

		free(service->refused_first);
		service->refused_first = next;
	}
	inflight_release(&service->pool);
	service_release_stores(service);
	free(service->token);
}
