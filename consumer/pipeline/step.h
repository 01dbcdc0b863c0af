/*
 * step: the next thing to do for one partition, on one pair of connections. Never waits for
 * records; the stores bound every call. One worker's thread; stepper_init on that thread.
 */
#ifndef CONSUMER_PIPELINE_STEP_H
#define CONSUMER_PIPELINE_STEP_H

#include "common/backoff.h"
#include "consumer/pipeline/apply.h"

#include <stdbool.h>
#include <stdint.h>

struct stepper {
	const struct pipeline *pipeline;
	int number; /* of the worker, for logs */
	struct apply_tools tools;
	struct partition *behind; /* its `sent` waits for Redis' answer; NULL: none */
	bool mysql_up, redis_up;
	struct backoff connect_backoff;
	int64_t connect_not_before_ms;
	int64_t next_ping_ms;
	struct errmsg connect_error;
};

/* step_partition may leave a batch with Redis and return: stepper_settle waits for the answer. It is
 * to be called before a partition is let go and before the thread sleeps. */
void stepper_init(struct stepper *stepper, const struct pipeline *pipeline, int number);
void stepper_release(struct stepper *stepper);

void stepper_settle(struct stepper *stepper);
/* To be called while there is nothing to do: keeps the connections alive. */
void stepper_idle(struct stepper *stepper);
/* Returns whether anything was done: false = sleep until woken, or until p->not_before_ms. */
bool step_partition(struct stepper *stepper, struct partition *partition);

#endif
