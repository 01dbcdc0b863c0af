#include "producer/http/kafka_out_private.h"

#include "common/clock.h"
#include "common/kafka_conf.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/murmur2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Says what the brokers know of the topic; 0 partitions and an error otherwise. Blocks. */
static int32_t look(
	struct kafka_out *out, rd_kafka_topic_t *only, int timeout_ms, rd_kafka_resp_err_t *err)
{
	const struct rd_kafka_metadata *metadata;
	int32_t partitions = 0;

	/* Asking for all topics never creates one, unlike asking for this one. */
	*err = rd_kafka_metadata(out->rk, only ? 0 : 1, only, &metadata, timeout_ms);
	if (*err)
		return 0;
	*err = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	for (int i = 0; i < metadata->topic_cnt; i++) {
		if (strcmp(metadata->topics[i].topic, out->topic) != 0)
			continue;
		*err = metadata->topics[i].err;
		partitions = metadata->topics[i].partition_cnt;
	}
	rd_kafka_metadata_destroy(metadata);
	return *err ? 0 : partitions;
}

static void set_up(struct kafka_out *out, bool up, const char *reason)
{
	if (!up)
		snprintf(out->reason, sizeof(out->reason), "%s", reason);
	else
		*out->reason = 0;
	if (out->up == up)
		return;
	out->up = up;
	log_event(up ? LOG_INFO : LOG_WARN, up ? "brokers_up" : "brokers_down",
		LOG_F("reason", LOG_STR(reason)));
	out->config.on_state(out->config.user, up, reason);
}

static void probe_work(uv_work_t *work)
{
	struct kafka_out *out = work->data;

	out->seen_partitions = look(out, out->rkt, 2000, &out->seen_err);
}

static void finish_close(struct kafka_out *out)
{
	if (out->handles > 0 || out->probing)
		return;
	if (out->rkt)
		rd_kafka_topic_destroy(out->rkt);
	rd_kafka_destroy(out->rk);
	gather_release(&out->gather);
	close(out->wake_fd);
	free(out->topic);
	free(out);
}

static void probe_done(uv_work_t *work, int status)
{
	struct kafka_out *out = work->data;

	(void)status;
	out->probing = false;
	if (out->closing) {
		finish_close(out);
		return;
	}
	if (out->seen_partitions > 0) {
		if (out->seen_partitions != out->partitions)
			log_event(LOG_WARN, "partitions_changed",
				LOG_F("was", LOG_INT(out->partitions)),
				LOG_F("now", LOG_INT(out->seen_partitions)));
		out->partitions = out->seen_partitions;
		set_up(out, true, "brokers answer");
	} else if (out->seen_err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
		snprintf(out->reason, sizeof(out->reason), "topic %s does not exist",
			out->topic);
	} else {
		set_up(out, false, rd_kafka_err2str(out->seen_err));
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct kafka_out *out = timer->data;
	int64_t now = clock_mono_ms();

	/* While the brokers are away look often, so that the way back is short. */
	if (out->probing || (out->up && now < out->probe_due_ms))
		return;
	out->probe_due_ms = now + out->config.probe_interval_ms;
	out->probing = true;
	uv_queue_work(timer->loop, &out->probe, probe_work, probe_done);
}

static void on_error(struct kafka_out *out, rd_kafka_resp_err_t err, const char *text)
{
	if (err == RD_KAFKA_RESP_ERR__FATAL) {
		char why[256];

		rd_kafka_fatal_error(out->rk, why, sizeof(why));
		snprintf(out->reason, sizeof(out->reason), "%s", why);
		out->config.on_fatal(out->config.user, why);
	} else if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
		set_up(out, false, "all brokers are down");
	} else {
		log_limited(LOG_WARN, "kafka_error", LOG_F("error", LOG_STR(text)));
	}
}

static void drain_events(struct kafka_out *out)
{
	rd_kafka_event_t *event;

	while ((event = rd_kafka_queue_poll(out->queue, 0))) {
		const rd_kafka_message_t *message;

		if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
			on_error(out, rd_kafka_event_error(event),
				rd_kafka_event_error_string(event));
		while (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR &&
			(message = rd_kafka_event_message_next(event))) {
			gather_done(&out->gather);
			if (!message->err && !out->up)
				set_up(out, true, "a record was acknowledged");
			out->config.on_report(out->config.user, message->_private, message->err,
				message->partition, message->offset);
		}
		rd_kafka_event_destroy(event);
	}
	if (out->gather.waiting > 0)
		kafka_out_look_again(out);
}

static void on_wake(uv_poll_t *wake, int status, int events)
{
	struct kafka_out *out = wake->data;
	uint64_t count;

	(void)status;
	(void)events;
	if (read(out->wake_fd, &count, sizeof(count)) < 0)
		count = 0; /* somebody else's wake-up: the queue is asked all the same */
	drain_events(out);
}

static int wait_for_topic(struct kafka_out *out, struct errmsg *msg)
{
	int64_t end = clock_mono_ms() + out->config.start_timeout_ms, left;
	rd_kafka_resp_err_t err;
	char *brokers;

	do {
		left = end - clock_mono_ms();
		left = left < 100 ? 100 : left > 1000 ? 1000 : left;
		out->partitions = look(out, NULL, (int)left, &err);
		if (out->partitions > 0)
			return 0;
		if (err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
			usleep(200 * 1000); /* a fresh cluster may just be making it */
	} while (clock_mono_ms() < end);
	brokers = kafka_conf_brokers_text(out->config.conf);
	if (err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
		errmsg_set(msg, ERR_UNAVAILABLE,
			"option topic=%s: the brokers (%s) have no such topic; create it "
			"first, "
			"for example: kafka-topics.sh --create --topic %s --partitions 6",
			out->topic, brokers, out->topic);
	else
		errmsg_set(msg, ERR_UNAVAILABLE,
			"option %s: no broker answered within %lld ms: %s", brokers,
			(long long)out->config.start_timeout_ms, rd_kafka_err2str(err));
	free(brokers);
	return ERR_UNAVAILABLE;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct kafka_out *out = handle->data;

	out->handles--;
	finish_close(out);
}

static void join_loop(struct kafka_out *out, uv_loop_t *loop)
{
	const uint64_t one = 1;
	rd_kafka_event_t *old;

	out->queue = rd_kafka_queue_get_main(out->rk);
	/* Complaints of a start that went well in the end. */
	while ((old = rd_kafka_queue_poll(out->queue, 0)))
		rd_kafka_event_destroy(old);
	rd_kafka_queue_io_event_enable(out->queue, out->wake_fd, &one, sizeof(one));
	uv_poll_init(loop, &out->wake, out->wake_fd);
	uv_timer_init(loop, &out->timer);
	kafka_out_gather_init(out, loop);
	out->wake.data = out->timer.data = out->probe.data = out;
	out->handles = 4;
	uv_poll_start(&out->wake, UV_READABLE, on_wake);
	uv_timer_start(&out->timer, on_timer, 250, 250);
	out->probe_due_ms = clock_mono_ms() + out->config.probe_interval_ms;
	drain_events(out); /* what came between */
}

int kafka_out_open(struct kafka_out **result, uv_loop_t *loop,
	const struct kafka_out_config *config, struct errmsg *msg)
{
	struct kafka_out *out;
	rd_kafka_conf_t *conf;
	char why[256];
	int err = kafka_out_conf(config, &conf, msg);

	if (err != 0)
		return err;
	out = mem_zero(1, sizeof(*out));
	out->config = *config;
	out->up = true;
	out->gather.max_ns = config->gather_max_ms * 1000000;
	out->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!out->rk) {
		rd_kafka_conf_destroy(conf);
		free(out);
		return errmsg_set(msg, ERR_CONFIG, "kafka options: %s", why);
	}
	out->topic = mem_strdup(config->topic);
	out->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	err = wait_for_topic(out, msg);
	if (err == 0) {
		out->rkt = rd_kafka_topic_new(out->rk, out->topic, NULL);
		join_loop(out, loop);
		*result = out;
		return 0;
	}
	finish_close(out);
	return err;
}

int32_t kafka_out_partition(const struct kafka_out *out, const char *key, size_t length)
{
	return murmur2_partition(key, length, out->partitions);
}

bool kafka_out_ready(const struct kafka_out *out, const char **reason)
{
	*reason = out->reason;
	return !*out->reason;
}

int32_t kafka_out_partitions(const struct kafka_out *out)
{
	return out->partitions;
}

void kafka_out_purge(struct kafka_out *out)
{
	kafka_out_hurry(out);
	rd_kafka_purge(out->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	drain_events(out);
}

void kafka_out_close(struct kafka_out *out)
{
	if (!out || out->closing)
		return;
	out->closing = true;
	rd_kafka_queue_io_event_enable(out->queue, -1, NULL, 0);
	rd_kafka_queue_destroy(out->queue);
	uv_close((uv_handle_t *)&out->wake, on_handle_closed);
	uv_close((uv_handle_t *)&out->timer, on_handle_closed);
	uv_close((uv_handle_t *)&out->turn, on_handle_closed);
	uv_close((uv_handle_t *)&out->waited, on_handle_closed);
}
