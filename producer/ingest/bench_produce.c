#include "producer/ingest/bench_produce.h"

#include "common/clock.h"
#include "common/kafka_conf.h"
#include "common/mem.h"
#include "producer/ingest/topic_ensure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_COUNT 10000

/* What the opaque mode sends along: the record's own place. */
struct sent {
	int64_t at_ns, took_ns;
};

struct bench {
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
	bool opaque;
	int64_t acknowledged, failed;
	int64_t last_sent_ns; /* sync */
	int64_t took_ns; /* sum, of the modes that know */
	char why[256];
};

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	struct bench *b = opaque;
	struct sent *sent = message->_private;

	(void)rk;
	if (message->err) {
		b->failed++;
		snprintf(b->why, sizeof(b->why), "%s", rd_kafka_err2str(message->err));
		return;
	}
	b->acknowledged++;
	if (sent) {
		sent->took_ns = clock_mono_ns() - sent->at_ns;
		b->took_ns += sent->took_ns;
	}
}

static int open_producer(struct bench *b, const struct ingest_options *o, struct errmsg *msg)
{
	char linger[32], why[256];
	rd_kafka_conf_t *conf;
	int partitions;
	int err = kafka_conf_new(&conf, &o->conf, "wt-ingest", msg);

	if (err != 0)
		return err;
	snprintf(linger, sizeof(linger), "%lld", (long long)o->linger_ms);
	err = kafka_conf_default(conf, &o->conf, "linger.ms", linger, msg);
	if (err == 0)
		err = kafka_conf_default(conf, &o->conf, "enable.idempotence", "true", msg);
	if (err != 0) {
		rd_kafka_conf_destroy(conf);
		return err;
	}
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	rd_kafka_conf_set_opaque(conf, b);
	b->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!b->rk) {
		rd_kafka_conf_destroy(conf);
		return errmsg_set(msg, ERR_CONFIG, "librdkafka: %s", why);
	}
	err = topic_ensure(b->rk, o->topic, (int)o->create_topic, &partitions, msg);
	if (err == 0)
		b->topic = rd_kafka_topic_new(b->rk, o->topic, NULL);
	return err;
}

static int send_one(struct bench *b, int64_t i, struct sent *sent, struct errmsg *msg)
{
	char value[64];
	int len = snprintf(value, sizeof(value), "{\"message\":%lld}", (long long)i);

	if (sent)
		sent->at_ns = clock_mono_ns();
	while (rd_kafka_produce(b->topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value,
		       (size_t)len, NULL, 0, sent) != 0) {
		if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			return errmsg_set(msg, ERR_UNAVAILABLE, "cannot produce: %s",
				rd_kafka_err2str(rd_kafka_last_error()));
		rd_kafka_poll(b->rk, 100);
	}
	return 0;
}

static int run(struct bench *b, int mode, int64_t count, struct sent *sent, struct errmsg *msg)
{
	int err = 0;

	for (int64_t i = 0; err == 0 && i < count; i++) {
		err = send_one(b, i, sent ? &sent[i] : NULL, msg);
		rd_kafka_poll(b->rk, 0);
		while (err == 0 && mode == 1 && b->acknowledged + b->failed <= i)
			rd_kafka_poll(b->rk, 1000);
	}
	while (err == 0 && b->acknowledged + b->failed < count) {
		rd_kafka_flush(b->rk, 0);
		rd_kafka_poll(b->rk, 100);
	}
	if (err == 0 && b->failed > 0)
		err = errmsg_set(msg, ERR_UNAVAILABLE, "%lld of %lld were not delivered: %s",
			(long long)b->failed, (long long)count, b->why);
	return err;
}

int bench_produce(const struct ingest_options *options, struct errmsg *msg)
{
	static const char *const modes[] = {"async", "sync", "opaque"};
	int64_t count = options->count ? options->count : DEFAULT_COUNT;
	struct sent *sent = NULL;
	struct bench b = {0};
	int64_t start, took;
	int err = open_producer(&b, options, msg);

	if (err == 0 && options->mode > 0)
		sent = mem_zero((size_t)count, sizeof(*sent));
	start = clock_mono_ns();
	if (err == 0)
		err = run(&b, options->mode, count, sent, msg);
	took = clock_mono_ns() - start;
	if (err == 0) {
		printf("mode %s, linger %lld ms: %lld messages acknowledged\n",
			modes[options->mode], (long long)options->linger_ms,
			(long long)b.acknowledged);
		printf("total time %.3f s, average %.3f us a message, %.0f messages/s\n",
			(double)took / 1e9, (double)took / 1e3 / (double)count,
			(double)count * 1e9 / (double)took);
		if (sent)
			printf("average time to the acknowledgement %.3f ms\n",
				(double)b.took_ns / 1e6 / (double)count);
	}
	if (b.topic)
		rd_kafka_topic_destroy(b.topic);
	if (b.rk)
		rd_kafka_destroy(b.rk);
	free(sent);
	return err;
}
