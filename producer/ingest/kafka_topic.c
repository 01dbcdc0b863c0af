#include "producer/ingest/kafka_topic.h"

#include "common/clock.h"
#include "common/log.h"

#include <poll.h>
#include <string.h>

#define ANSWER_MS 10000

/* 0 partitions: it is not there. Asks for all topics: asking for one may create it. */
static int look(rd_kafka_t *rk, const char *topic, int *partitions, struct errmsg *msg)
{
	const struct rd_kafka_metadata *all;
	rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 1, NULL, &all, ANSWER_MS);

	*partitions = 0;
	if (err)
		return errmsg_set(
			msg, ERR_UNAVAILABLE, "no broker answers: %s", rd_kafka_err2str(err));
	for (int i = 0; i < all->topic_cnt; i++) {
		if (strcmp(all->topics[i].topic, topic) == 0)
			*partitions = all->topics[i].partition_cnt;
	}
	rd_kafka_metadata_destroy(all);
	return 0;
}

static int read_answer(rd_kafka_event_t *event, struct errmsg *msg)
{
	const rd_kafka_CreateTopics_result_t *result =
		rd_kafka_event_CreateTopics_result(event);
	const rd_kafka_topic_result_t **topics;
	rd_kafka_resp_err_t err;
	size_t count;

	if (rd_kafka_event_error(event))
		return errmsg_set(msg, ERR_UNAVAILABLE, "cannot create the topic: %s",
			rd_kafka_event_error_string(event));
	topics = rd_kafka_CreateTopics_result_topics(result, &count);
	err = count ? rd_kafka_topic_result_error(topics[0]) : RD_KAFKA_RESP_ERR__FAIL;
	if (err && err != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
		return errmsg_set(msg,
			err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ? ERR_REFUSED
									    : ERR_UNAVAILABLE,
			"cannot create the topic: %s",
			count ? rd_kafka_topic_result_error_string(topics[0]) : "no answer");
	return 0;
}

static int create_topic(rd_kafka_t *rk, const char *topic, int partitions, struct errmsg *msg)
{
	char why[256];
	/* -1: as many replicas as the broker's default says */
	rd_kafka_NewTopic_t *wanted =
		rd_kafka_NewTopic_new(topic, partitions, -1, why, sizeof(why));
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *event;
	int err;

	if (!wanted)
		return errmsg_set(msg, ERR_CONFIG, "topic %s: %s", topic, why);
	queue = rd_kafka_queue_new(rk);
	rd_kafka_CreateTopics(rk, &wanted, 1, NULL, queue);
	event = rd_kafka_queue_poll(queue, 60000);
	err = event ? read_answer(event, msg)
		    : errmsg_set(msg, ERR_UNAVAILABLE, "cannot create the topic: no answer");
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	rd_kafka_NewTopic_destroy(wanted);
	return err;
}

int kafka_topic_partitions(
	rd_kafka_t *rk, const char *topic, int create, int *partitions, struct errmsg *msg)
{
	int64_t deadline = clock_mono_ms() + ANSWER_MS;
	int err = look(rk, topic, partitions, msg);

	if (err != 0 || *partitions > 0)
		return err;
	if (create == 0)
		return errmsg_set(msg, ERR_UNAVAILABLE,
			"topic %s does not exist; --create-topic 6 makes it with 6 partitions "
			"(or kafka-topics.sh --create --topic %s --partitions 6)",
			topic, topic);
	err = create_topic(rk, topic, create, msg);
	/* the controller knows it at once, the brokers a moment later */
	while (err == 0 && *partitions == 0 && clock_mono_ms() < deadline) {
		err = look(rk, topic, partitions, msg);
		poll(NULL, 0, 50);
	}
	if (err == 0 && *partitions == 0)
		err = errmsg_set(
			msg, ERR_UNAVAILABLE, "topic %s was created but is not seen", topic);
	if (err == 0)
		log_event(LOG_INFO, "topic_created", LOG_F("topic", LOG_STR(topic)),
			LOG_F("partitions", LOG_INT(*partitions)));
	return err;
}
