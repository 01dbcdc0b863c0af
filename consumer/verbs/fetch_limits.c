#include "consumer/verbs/fetch_limits.h"

#include "common/kafka_conf.h"

#include <stdio.h>

#define RECORD_COST_BYTES 320 /* of librdkafka's own for each that waits: 330 to 390 measured */
#define RECORDS_AHEAD	  6000
#define RECORDS_LEAST	  1000
#define ANSWER_MOST	  (5 << 19) /* bytes of a partition in one answer, of 12/5 as many queued */
#define ANSWER_LEAST	  (1 << 20)

static int set_least(const struct consumer_options *options, rd_kafka_conf_t *conf,
	int64_t records, struct errmsg *msg)
{
	int64_t most = options->fetch_bytes / RECORD_COST_BYTES;
	char text[24];

	if (records > most)
		records = most > RECORDS_LEAST ? most : RECORDS_LEAST;
	snprintf(text, sizeof(text), "%lld", (long long)records);
	return kafka_conf_default(conf, &options->conf, "queued.min.messages", text, msg);
}

static int set_answer(
	const struct consumer_options *options, rd_kafka_conf_t *conf, struct errmsg *msg)
{
	int64_t bytes = options->fetch_bytes / 12 * 5;
	char text[24];

	if (bytes > ANSWER_MOST)
		bytes = ANSWER_MOST;
	if (bytes < ANSWER_LEAST)
		bytes = ANSWER_LEAST;
	snprintf(text, sizeof(text), "%lld", (long long)bytes);
	return kafka_conf_default(conf, &options->conf, "fetch.message.max.bytes", text, msg);
}

/*
 * As few as never run dry, because those in the queue cost memory, and memory that was used a
 * moment ago is in the CPU's cache. Above the threshold librdkafka looks again after
 * fetch.queue.backoff.ms. Before 2.2 it looks when the broker answers anything, or after a second:
 * pool/refill.c has it answer. But while other partitions have nothing to send, their fetch waits at
 * the broker, and one busy partition waits with it, for there is one fetch at a time: not for its
 * usual half second, and an answer has more records than a worker takes in that time
 * (docs/performance.md).
 */
int fetch_limits(
	const struct consumer_options *options, rd_kafka_conf_t *conf, struct errmsg *msg)
{
	char value[32], text[24];
	size_t bytes = sizeof(value);
	int err = 0;

	snprintf(text, sizeof(text), "%lld", (long long)options->fetch_bytes / 1024);
	if (rd_kafka_conf_set(conf, "queued.max.messages.kbytes", text, msg->text,
		    sizeof(msg->text)) != RD_KAFKA_CONF_OK)
		return ERR_CONFIG;
	if (rd_kafka_conf_get(conf, "fetch.queue.backoff.ms", value, &bytes) ==
		RD_KAFKA_CONF_OK)
		err = kafka_conf_default(
			conf, &options->conf, "fetch.queue.backoff.ms", "5", msg);
	if (err == 0)
		err = kafka_conf_default(conf, &options->conf, "fetch.wait.max.ms", "8", msg);
	if (err == 0)
		err = set_answer(options, conf, msg);
	return err ? err : set_least(options, conf, RECORDS_AHEAD, msg);
}
