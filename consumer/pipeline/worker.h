/*
 * worker: one thread that runs the pipeline for the partitions it owns, with its own MySQL and
 * Redis connection. A plain blocking loop; the stores bound every call.
 *
 * Pool's thread: worker_start, worker_give, worker_take_back, worker_interrupt, worker_stop,
 * worker_free, in this order of life. A partition is owned by one worker at a time: give it only
 * when its owner is -1.
 */
#ifndef CONSUMER_PIPELINE_WORKER_H
#define CONSUMER_PIPELINE_WORKER_H

#include "consumer/pipeline/partition.h"
#include "consumer/pipeline/pipeline.h"

#include <stdbool.h>
#include <stdint.h>

struct worker;

/* Borrowed: pipeline. `number` is its name in logs and pages. */
struct worker *worker_start(const struct pipeline *pipeline, int number);
/* The worker owns it until worker_take_back(). */
void worker_give(struct worker *worker, struct partition *partition);
/* Asks the owner to let go after its batch; returns at once. */
void worker_ask_back(struct worker *worker, struct partition *partition);
/* True once the partition has no owner; waits at most until the deadline (monotonic ms). */
bool worker_wait_back(
	struct worker *worker, const struct partition *partition, int64_t deadline_ms);
/* Makes a blocked store call fail soon; the worker goes on with a reconnect. */
void worker_interrupt(struct worker *worker);
/* Lets everything go, ends the thread, frees. Partitions keep existing, without owner. */
void worker_stop(struct worker *worker);

int worker_number(const struct worker *worker);
/* How many partitions it owns or was given. Any thread. */
int worker_load(const struct worker *worker);

#endif
