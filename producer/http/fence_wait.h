/*
 * fence_wait: Prefer: wait. Who waits for the fence of a partition (docs/protocol) to pass the
 * offset of his record. While anybody waits all those partitions are asked in one round each
 * millisecond, one round at a time; nobody waiting, no question. The loop's thread only.
 *
 *	open -> add ... on_end -> flush (all: not applied) -> close, and run the loop until it is
 *	empty
 */
#ifndef PRODUCER_FENCE_WAIT_H
#define PRODUCER_FENCE_WAIT_H

#include "producer/http/redis_link.h"

struct fence_wait;

struct fence_waiter {
	struct fence_waiter *next; /* of its partition, by offset */
	int64_t offset, until_ms;
};

/* The waiter is the callee's again; inside flush, and never inside add. */
typedef void (*fence_wait_end)(void *user, struct fence_waiter *waiter, bool applied);

/* `link` is *borrowed*: close it later. */
struct fence_wait *fence_wait_open(uv_loop_t *loop, struct redis_link *link, const char *group,
	const char *topic, fence_wait_end on_end, void *user);
/* `waiter` is *borrowed* until on_end, which comes at `until_ms` (monotonic) at the latest. */
void fence_wait_add(struct fence_wait *fences, int32_t partition, struct fence_waiter *waiter);
void fence_wait_flush(struct fence_wait *fences);
/* Flushes. NULL is harmless. */
void fence_wait_close(struct fence_wait *fences);

#endif
