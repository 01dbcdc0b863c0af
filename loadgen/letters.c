#include "loadgen/letters.h"

#include "common/clock.h"
#include "common/dead_letter.h"
#include "common/kafka_topic.h"
#include "loadgen/stop.h"

#include <stdlib.h>

#define ANSWER_MS 5000
#define READ_MS	  60000

/* A consumer that asks and never joins. */
static rd_kafka_t *open_client(const rd_kafka_conf_t *kafka, struct errmsg *msg)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_dup(kafka);
	char why[200] = "";
	rd_kafka_t *client;

	rd_kafka_conf_set(conf, "group.id", "wt-loadgen-letters", why, sizeof(why));
	rd_kafka_conf_set(conf, "enable.auto.commit", "false", why, sizeof(why));
	rd_kafka_conf_set(conf, "enable.partition.eof", "true", why, sizeof(why));
	client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (!client) {
		rd_kafka_conf_destroy(conf);
		errmsg_set(msg, ERR_UNAVAILABLE, "%s", why);
	}
	return client;
}

/* The topic's partitions, each at its first letter since then. */
static int find_places(rd_kafka_t *client, const char *topic, int64_t since_ms,
	rd_kafka_topic_partition_list_t *places, struct errmsg *msg)
{
	rd_kafka_resp_err_t failed;
	int count, err = kafka_topic_look(client, topic, ANSWER_MS, &count, msg);

	if (err != 0)
		return err;
	if (count == 0)
		return errmsg_set(msg, ERR_UNAVAILABLE, "%s",
			rd_kafka_err2str(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART));
	for (int i = 0; i < count; i++)
		rd_kafka_topic_partition_list_add(places, topic, i)->offset = since_ms;
	failed = rd_kafka_offsets_for_times(client, places, ANSWER_MS);
	return failed ? errmsg_set(msg, ERR_UNAVAILABLE, "%s", rd_kafka_err2str(failed)) : 0;
}

/* Partitions without a letter since then are dropped from the list. */
static void keep_those_with_letters(rd_kafka_topic_partition_list_t *places)
{
	for (int i = places->cnt - 1; i >= 0; i--) {
		if (places->elems[i].offset < 0)
			rd_kafka_topic_partition_list_del_by_idx(places, i);
	}
}

static void take(const rd_kafka_message_t *message, letter_seen *seen, void *ctx)
{
	const char *topic = dead_letter_header(message, "wt.origin.topic"),
		   *partition = dead_letter_header(message, "wt.origin.partition"),
		   *offset = dead_letter_header(message, "wt.origin.offset");

	if (topic && partition && offset)
		seen(ctx, topic, atoi(partition), strtoll(offset, NULL, 10));
}

/* Until the end of each partition was met. */
static int read_all(rd_kafka_t *client, int partitions_left, letter_seen *seen, void *ctx,
	struct errmsg *msg)
{
	int64_t until = clock_mono_ms() + READ_MS;

	while (partitions_left > 0 && clock_mono_ms() < until && !stop_asked()) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 200);

		if (message && !message->err)
			take(message, seen, ctx);
		if (message && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			partitions_left--;
		if (message)
			rd_kafka_message_destroy(message);
	}
	return partitions_left ? errmsg_set(msg, ERR_UNAVAILABLE, "not read in time") : 0;
}

int letters_read(const rd_kafka_conf_t *kafka, const char *topic, int64_t since_ms,
	letter_seen *seen, void *ctx, struct errmsg *msg)
{
	rd_kafka_t *client = open_client(kafka, msg);
	rd_kafka_topic_partition_list_t *places;
	int err;

	if (!client)
		return ERR_UNAVAILABLE;
	rd_kafka_poll_set_consumer(client);
	places = rd_kafka_topic_partition_list_new(8);
	err = find_places(client, topic, since_ms, places, msg);
	if (err == 0) {
		keep_those_with_letters(places);
		if (places->cnt && !rd_kafka_assign(client, places))
			err = read_all(client, places->cnt, seen, ctx, msg);
	}
	rd_kafka_topic_partition_list_destroy(places);
	rd_kafka_consumer_close(client);
	rd_kafka_destroy(client);
	return err;
}
