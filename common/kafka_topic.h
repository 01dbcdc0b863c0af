/*
 * kafka_topic: is a topic there, with how many partitions, and make it when it is not.
 * Blocks up to the timeout; any thread; the client is borrowed and may be of either type.
 */
#ifndef COMMON_KAFKA_TOPIC_H
#define COMMON_KAFKA_TOPIC_H

#include "common/err.h"

#include <librdkafka/rdkafka.h>

/*
 * Kafka's rule: 1 to 249 of a-z A-Z 0-9 . _ -, and neither "." nor "..". ERR_CONFIG with the words
 * "option NAME (ORIGIN): ..." otherwise.
 */
int kafka_topic_name_check(
	const char *topic, const char *option, const char *origin, struct errmsg *msg);

/*
 * *partitions: 0 when the brokers know no such topic (or this client may not see it). Never creates
 * it: all topics are asked for, because a question for one topic makes a broker with
 * auto.create.topics.enable create it. ERR_UNAVAILABLE when no broker answers.
 */
int kafka_topic_look(rd_kafka_t *kafka, const char *topic, int timeout_ms, int *partitions,
	struct errmsg *msg);

/*
 * With the broker's default number of replicas; there already is fine. The brokers may need a
 * moment until kafka_topic_look() sees it. ERR_CONFIG (name), ERR_REFUSED (rights), ERR_UNAVAILABLE.
 */
int kafka_topic_create(rd_kafka_t *kafka, const char *topic, int partitions, int timeout_ms,
	struct errmsg *msg);

#endif
