#include "producer/ingest/topic_ensure.h"

#include "common/clock.h"
#include "common/kafka_topic.h"
#include "common/log.h"

#include <poll.h>

#define ANSWER_MS 10000
#define CREATE_MS 60000

int topic_ensure(
	rd_kafka_t *rk, const char *topic, int create, int *partitions, struct errmsg *msg)
{
	int64_t deadline = clock_mono_ms() + ANSWER_MS;
	int err = kafka_topic_look(rk, topic, ANSWER_MS, partitions, msg);

	if (err != 0 || *partitions > 0)
		return err;
	if (create == 0)
		return errmsg_set(msg, ERR_UNAVAILABLE,
			"topic %s does not exist; --create-topic 6 makes it with 6 partitions "
			"(or kafka-topics.sh --create --topic %s --partitions 6)",
			topic, topic);
	err = kafka_topic_create(rk, topic, create, CREATE_MS, msg);
	/* the controller knows it at once, the brokers a moment later */
	while (err == 0 && *partitions == 0 && clock_mono_ms() < deadline) {
		err = kafka_topic_look(rk, topic, ANSWER_MS, partitions, msg);
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
