/*
 * refill: wakes librdkafka's fetching. Before version 2.2 a broker's thread that found every queue
 * full sleeps until that broker answers anything, or for a second; meanwhile the queues run dry.
 * A question to the broker (for the ends of a partition's log) is the lightest thing that has it
 * answer. Its answer is of no interest.
 */
#ifndef CONSUMER_POOL_REFILL_H
#define CONSUMER_POOL_REFILL_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

struct refill;

/* A thread of its own. NULL where the library needs no waking. */
struct refill *refill_new(rd_kafka_t *kafka);
/* Before the handle is destroyed. False: a broker does not answer the question that is under way, and
 * the library waits for it: the handle and the thread have to be left to the end of the process. */
bool refill_free(struct refill *refill);
/* Any thread, never waits: this partition's queue is low. `topic` outlives the refill. */
void refill_ask(struct refill *refill, const char *topic, int32_t partition);

#endif
