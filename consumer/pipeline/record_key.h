/*
 * record_key: is a record's Kafka key the key of its row? Order is a partition's and the key chooses
 * the partition, so where they differ two partitions may hold records of one row.
 */
#ifndef CONSUMER_PIPELINE_RECORD_KEY_H
#define CONSUMER_PIPELINE_RECORD_KEY_H

#include "consumer/mapping.h"

#include <librdkafka/rdkafka.h>

/* True also where it cannot be told: several key columns, or a type with more than one spelling.
 * `row` is decoded and no tombstone. Any thread. */
bool record_key_agrees(
	const struct route *route, const struct row *row, const rd_kafka_message_t *record);

#endif
