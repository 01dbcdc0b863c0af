/*
 * lag_source: the observer's questions to the brokers. It blocks, each question for at most the
 * given time; one thread at a time. Its client has the group's name, to find the coordinator, and
 * never subscribes, so it never joins.
 *
 *	open -> topics -> (committed, ends)... / group ... -> close
 */
#ifndef COMMON_LAG_SOURCE_H
#define COMMON_LAG_SOURCE_H

#include "common/err.h"

#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <stdint.h>

struct lag_source;

/* Who is in the group. */
struct lag_group {
	int members;
	char state[32];
	/* Assigned partitions; `metadata` of an element is its owner, "client-id@host". Release. */
	rd_kafka_topic_partition_list_t *owned;
};

/* `group` is copied, `kafka` is owned by the callee in every case. ERR_CONFIG. */
int lag_source_open(struct lag_source **source, const char *group, rd_kafka_conf_t *kafka,
	int timeout_ms, struct errmsg *msg);
/* What is asked from now on gives up at once: only the question under way is waited for. Any thread. */
void lag_source_hurry(struct lag_source *source);
void lag_source_close(struct lag_source *source);

/* Adds the partitions of a topic. ERR_UNAVAILABLE, ERR_INVALID when there is no such topic. */
int lag_source_topic(struct lag_source *source, const char *topic,
	rd_kafka_topic_partition_list_t *list, struct errmsg *msg);
/* Adds every topic on which the group has committed. */
int lag_source_group_topics(
	struct lag_source *source, rd_kafka_topic_partition_list_t *list, struct errmsg *msg);

/*
 * One figure per element of `list`, into `offsets`; LAG_UNKNOWN where its broker did not answer,
 * LAG_NONE for a committed offset that is not there. The bounds of a partition without a leader, and
 * of one whose leader is silent (after the first time), are unknown and the others are told.
 */
int lag_source_committed(struct lag_source *source, const rd_kafka_topic_partition_list_t *list,
	int64_t *offsets, struct errmsg *msg);
int lag_source_bounds(struct lag_source *source, const rd_kafka_topic_partition_list_t *list,
	int64_t *low, int64_t *end, struct errmsg *msg);

/* The ages of the records at the list's offsets, see lag_probe.h. */
void lag_source_ages(
	struct lag_source *source, const rd_kafka_topic_partition_list_t *list, double *ages_s);

/* ERR_UNAVAILABLE when the broker cannot or may not tell. */
int lag_source_group(struct lag_source *source, struct lag_group *group, struct errmsg *msg);
void lag_group_release(struct lag_group *group);

#endif
