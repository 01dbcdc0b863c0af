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
	bool mysql_up, redis_up;
	struct backoff connect_backoff;
	int64_t connect_not_before_ms;
	int64_t next_ping_ms;
	struct errmsg connect_error;
};

void stepper_init(struct stepper *stepper, const struct pipeline *pipeline, int number);
void stepper_release(struct stepper *stepper);

/* To be called while there is nothing to do: keeps the connections alive. */
void stepper_idle(struct stepper *stepper);
/* Returns whether anything was done: false = sleep until woken, or until p->not_before_ms. */
bool step_partition(struct stepper *stepper, struct partition *partition);

#endif
