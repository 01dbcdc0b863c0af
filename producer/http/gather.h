/*
 * gather: records wait for one another by partition, so that one request to the brokers carries
 * more of them. A few in all go at once, and so does a partition that has its share of all, or 16;
 * of many, the partition with the most records goes when what is under way has shrunk to less than
 * it. So the brokers' answers set the pace, and what is waited for is at most max_ns. Pure: no
 * clock, no Kafka; one thread's.
 *
 *	add ... -> gather_next() and gather_take() until there is none, at each end of a turn
 *	gather_done() for each record that was taken
 */
#ifndef PRODUCER_GATHER_H
#define PRODUCER_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATHER_NONE (-1)

/* In the caller's memory until it was taken. */
struct gather_record {
	struct gather_record *next;
	int32_t partition;
};

struct gather_queue {
	struct gather_record *first, *last;
	size_t count;
	int64_t since_ns; /* of its first record */
};

/* Zeroed, but max_ns: 0 lets nothing wait beyond the turn. */
struct gather {
	int64_t max_ns;
	struct gather_queue *queues;
	int32_t partitions;
	size_t waiting, under_way;
};

void gather_release(struct gather *gather);
/* How many of its partition wait now. */
size_t gather_add(struct gather *gather, struct gather_record *record, int64_t now_ns);
/* Whose records go now, or GATHER_NONE. */
int32_t gather_next(const struct gather *gather, int64_t now_ns);
/* Its records in the order in which they came, now under way; NULL: none. */
struct gather_record *gather_take(struct gather *gather, int32_t partition);
/* One that was taken has ended. */
void gather_done(struct gather *gather);
/* When the first wait ends; INT64_MAX: nothing waits. */
int64_t gather_due_ns(const struct gather *gather);

#endif
