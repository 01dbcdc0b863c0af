/* kafka_topic: is it there, how many partitions has it, and making it. Before the lanes start. */
#ifndef PRODUCER_INGEST_KAFKA_TOPIC_H
#define PRODUCER_INGEST_KAFKA_TOPIC_H

#include "common/err.h"

#include <librdkafka/rdkafka.h>

/*
 * The number of partitions. A missing topic is made with `create` partitions if that is not 0;
 * otherwise it is an ERR_UNAVAILABLE that says how to make it. Asking never makes one.
 */
int kafka_topic_partitions(
	rd_kafka_t *rk, const char *topic, int create, int *partitions, struct errmsg *msg);

#endif
