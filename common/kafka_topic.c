#include "common/kafka_topic.h"

#include <string.h>

#define NAME_MAX_LENGTH 249
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

int kafka_topic_name_check(
	const char *topic, const char *option, const char *origin, struct errmsg *msg)
{
	size_t length = strlen(topic);

	if (length >= 1 && length <= NAME_MAX_LENGTH &&
		strspn(topic, NAME_CHARACTERS) == length && strcmp(topic, ".") != 0 &&
		strcmp(topic, "..") != 0)
		return 0;
	return errmsg_set(msg, ERR_CONFIG,
		"option %s (%s): '%.64s' is no topic's name: 1 to %d of a-z A-Z 0-9 . _ -",
		option, origin, topic, NAME_MAX_LENGTH);
}

int kafka_topic_look(rd_kafka_t *kafka, const char *topic, int timeout_ms, int *partitions,
	struct errmsg *msg)
{
	const struct rd_kafka_metadata *all;
	rd_kafka_resp_err_t err = rd_kafka_metadata(kafka, 1, NULL, &all, timeout_ms);

	*partitions = 0;
	if (err)
		return errmsg_set(
			msg, ERR_UNAVAILABLE, "no broker answers: %s", rd_kafka_err2str(err));
	err = 0;
	for (int i = 0; i < all->topic_cnt; i++) {
		if (strcmp(all->topics[i].topic, topic) != 0)
			continue;
		err = all->topics[i].err;
		*partitions = err ? 0 : all->topics[i].partition_cnt;
	}
	rd_kafka_metadata_destroy(all);
	if (err && err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
		return errmsg_set(
			msg, ERR_UNAVAILABLE, "topic %s: %s", topic, rd_kafka_err2str(err));
	return 0;
}

static int read_answer(rd_kafka_event_t *event, const char *topic, struct errmsg *msg)
{
	const rd_kafka_topic_result_t **topics;
	rd_kafka_resp_err_t err;
	size_t count;

	if (!event || rd_kafka_event_error(event))
		return errmsg_set(msg, ERR_UNAVAILABLE, "cannot create topic %s: %s", topic,
			event ? rd_kafka_event_error_string(event) : "no answer");
	topics = rd_kafka_CreateTopics_result_topics(
		rd_kafka_event_CreateTopics_result(event), &count);
	err = count ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR__FAIL;
	if (!err || err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
		return 0;
	return errmsg_set(msg,
		err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ? ERR_REFUSED
								    : ERR_UNAVAILABLE,
		"cannot create topic %s: %s", topic,
		count ? rd_kafka_topic_result_error_string(topics[0]) : "no answer");
}

int kafka_topic_create(rd_kafka_t *kafka, const char *topic, int partitions, int timeout_ms,
	struct errmsg *msg)
{
	char why[256];
	rd_kafka_NewTopic_t *wanted =
		rd_kafka_NewTopic_new(topic, partitions, -1, why, sizeof(why));
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *event;
	int err;

	if (!wanted)
		return errmsg_set(msg, ERR_CONFIG, "topic %s: %s", topic, why);
	queue = rd_kafka_queue_new(kafka);
	rd_kafka_CreateTopics(kafka, &wanted, 1, NULL, queue);
	event = rd_kafka_queue_poll(queue, timeout_ms);
	err = read_answer(event, topic, msg);
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	rd_kafka_NewTopic_destroy(wanted);
	return err;
}
