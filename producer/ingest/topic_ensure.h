/* topic_ensure: how many partitions the topic has, and making it on request. Before the lanes start. */
#ifndef PRODUCER_INGEST_TOPIC_ENSURE_H
#define PRODUCER_INGEST_TOPIC_ENSURE_H

#include "common/err.h"

#include <librdkafka/rdkafka.h>

/*
 * The number of partitions. A missing topic is made with `create` partitions if that is not 0;
 * otherwise it is an ERR_UNAVAILABLE that says how to make it. Asking never makes one.
 */
int topic_ensure(
	rd_kafka_t *rk, const char *topic, int create, int *partitions, struct errmsg *msg);

#endif
