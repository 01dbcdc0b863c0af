/*
 * log_position: what Kafka knows of a partition: its ends, the group's committed offset, and
 * moving the stream. Worker's thread; each call asks the brokers and is bounded by timeout_ms.
 */
#ifndef CONSUMER_PIPELINE_LOG_POSITION_H
#define CONSUMER_PIPELINE_LOG_POSITION_H

#include "common/err.h"
#include "consumer/pipeline/partition.h"

#include <stdint.h>

/* First offset that is there, and the next one to be written. */
int log_ends(rd_kafka_t *kafka, const struct partition *partition, int timeout_ms, int64_t *low,
	int64_t *high, struct errmsg *msg);
/* Makes `offset` the next one the partition's queue gives. Nothing to do when it is already. */
int log_seek(rd_kafka_t *kafka, struct partition *partition, int64_t offset, int timeout_ms,
	struct errmsg *msg);

/*
 * librdkafka's records point into the brokers' answers, and one answer holds records of many
 * partitions: a few records that wait in one queue pin what all others took meanwhile. So a
 * partition that waits while the others take much is held: not fetched for. Main thread.
 */
void log_hold(rd_kafka_t *kafka, struct partition *partition);
/* If it was held: lets go of what its queue has and fetches again; then a seek has to follow. */
bool log_release(rd_kafka_t *kafka, struct partition *partition);

#endif
