/*
 * letter_log: the dead-letter topic read from its beginning to its present end: letters, and the
 * markers that tell which of them were sent again. Letters are at-least-once, so the same origin
 * coordinates count once.
 */
#ifndef CONSUMER_VERBS_LETTER_LOG_H
#define CONSUMER_VERBS_LETTER_LOG_H

#include "common/err.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The header of a marker: "TOPIC/PARTITION/OFFSET" of the origin; the record has no value. */
#define LETTER_MARKER "wt.replayed"

struct letter_entry {
	rd_kafka_message_t *message; /* owned */
	const char *reason, *class, *origin_topic; /* into the message's headers */
	int32_t origin_partition;
	int64_t origin_offset, origin_timestamp; /* ms; -1 = unknown */
	bool value_dropped; /* too large for the topic: only its coordinates are left */
	bool replayed;
	bool homeless; /* the topic has no such partition any more; replay finds out */
};

struct letter_log {
	struct letter_entry *entries; /* by origin topic, partition, offset; no duplicates */
	size_t count, room;
	size_t duplicates, strangers; /* strangers: records that are no letters of ours */
	rd_kafka_t *kafka; /* the messages live on it */
};

/* Takes `conf` over. Reads all partitions of `topic` to the end they have now. */
int letter_log_read(struct letter_log *log, rd_kafka_conf_t *conf, const char *topic,
	int timeout_ms, struct errmsg *msg);
void letter_log_release(struct letter_log *log);

#endif
