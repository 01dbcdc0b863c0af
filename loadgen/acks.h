/*
 * acks: the account of what was acknowledged. Each 2xx names topic, partition and offset; a bit per
 * offset remembers it (an eighth of a byte a record), so that the end of the run can say how many
 * acknowledged records a consumer has not passed. One thread's. new -> add... -> ask -> free.
 */
#ifndef LOADGEN_ACKS_H
#define LOADGEN_ACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACK_TOPIC_BYTES 250 /* Kafka's limit is 249 */

struct ack {
	char topic[ACK_TOPIC_BYTES];
	int partition; /* -1: not named */
	int64_t offset; /* -1: not named, or null */
};

/* Finds the three in a JSON object's own fields; true if partition and offset are there. */
bool ack_parse(struct ack *ack, const char *json, size_t bytes);

enum ack_outcome {
	ACK_NEW,
	ACK_AGAIN, /* this offset was acknowledged before: somebody answers wrong */
	ACK_TOO_FAR, /* an offset so far from the others that it is not believed */
};

struct acks;
struct acks_partition;

struct acks *acks_new(void);
void acks_free(struct acks *a);
/* The ack has a partition and an offset. */
enum ack_outcome acks_add(struct acks *a, const struct ack *ack);

/* The partitions in the order of their first record; NULL at the end. Borrowed. */
const struct acks_partition *acks_next(
	const struct acks *a, const struct acks_partition *after);
const char *acks_topic(const struct acks_partition *p);
int acks_partition_id(const struct acks_partition *p);
uint64_t acks_count(const struct acks_partition *p);
int64_t acks_first(const struct acks_partition *p);
int64_t acks_last(const struct acks_partition *p);
/* How many of its offsets are >= from, and the lowest of those (-1: none). */
uint64_t acks_beyond(const struct acks_partition *p, int64_t from, int64_t *lowest);

#endif
