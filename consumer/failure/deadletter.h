/*
 * deadletter: records that can never be applied go to their dead-letter topic, with the reason,
 * delivered before the position moves past them. Letters are at-least-once; the origin's
 * coordinates in the headers make them unique.
 *
 * One object for all workers; any thread may deliver. A letter that is too large for the topic is
 * sent again without its value (header wt.value.dropped tells its size).
 */
#ifndef CONSUMER_FAILURE_DEADLETTER_H
#define CONSUMER_FAILURE_DEADLETTER_H

#include "common/err.h"

#include <librdkafka/rdkafka.h>
#include <stddef.h>

struct deadletters;

/* Takes `conf` over. `topic` NULL = ORIGIN.dlq for each origin. */
int deadletters_new(struct deadletters **out, rd_kafka_conf_t *conf, const char *topic,
	const char *group, int timeout_ms, struct errmsg *msg);
void deadletters_free(struct deadletters *letters);

/* The letters' topic for an origin; caller frees with free(). */
char *deadletters_topic(const struct deadletters *letters, const char *origin);
/* Is it there? Creates it with `partitions` partitions when `create`. */
int deadletters_check(struct deadletters *letters, const char *origin, int partitions,
	int create, struct errmsg *msg);

/* A letter: the record, borrowed, and why. `reason` is a word, `class` finer, `text` for people. */
struct letter {
	const rd_kafka_message_t *record;
	const char *reason, *class, *text;
};

/* Sends all and waits until the brokers have them. ERR_UNAVAILABLE: send all of them again. */
int deadletters_deliver(struct deadletters *letters, const char *origin,
	const struct letter *items, size_t count, struct errmsg *msg);
/* Ends the waits of deadletters_deliver() at once, with ERR_UNAVAILABLE: what is in flight may be
 * delivered all the same. Any thread. */
void deadletters_give_up(struct deadletters *letters);

#endif
