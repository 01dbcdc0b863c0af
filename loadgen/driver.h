/*
 * driver: the open loop. It makes each request due at its intended start, whatever the answers do,
 * and hands it over as soon as somebody takes it. What nobody takes waits in a bounded backlog;
 * when that is full, requests are dropped and counted. A timerfd in absolute nanoseconds wakes it;
 * driver_pump() may be called whenever time has passed, and should be after each answer.
 * Loop thread only. new -> start -> pump... -> (stop) -> close -> (loop runs dry) -> free.
 */
#ifndef LOADGEN_DRIVER_H
#define LOADGEN_DRIVER_H

#include "loadgen/schedule.h"

#include <uv.h>

struct driver_counts {
	uint64_t due; /* intended starts that have passed */
	uint64_t sent; /* taken by send() */
	uint64_t dropped; /* found the backlog full */
	uint64_t waited; /* were not taken at once */
	uint64_t cancelled; /* in the backlog when the run was stopped */
};

struct driver_handlers {
	void *ctx;
	/* Takes request `sequence` or answers false: then it is offered again, later. */
	bool (*send)(void *ctx, uint64_t sequence, int64_t due_ns);
	/* Once: the schedule is over and the backlog empty. */
	void (*finished)(void *ctx);
};

struct driver;

/* The schedule is borrowed. */
struct driver *driver_new(uv_loop_t *loop, struct schedule *schedule, size_t backlog_max,
	const struct driver_handlers *handlers, struct errmsg *msg);
/* `start_ns` on the monotonic clock is the schedule's 0. */
void driver_start(struct driver *d, int64_t start_ns);
void driver_pump(struct driver *d, int64_t now_ns);
/* Makes nothing more due and empties the backlog; finished() is called. */
void driver_stop(struct driver *d);
bool driver_finished(const struct driver *d);
const struct driver_counts *driver_counts(const struct driver *d);
size_t driver_backlog(const struct driver *d);
void driver_close(struct driver *d);
void driver_free(struct driver *d);

#endif
