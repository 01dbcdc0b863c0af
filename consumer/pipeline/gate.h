/*
 * gate: how many threads may be inside at once. It is there for speed alone: who has waited for
 * GATE_PATIENCE_MS goes in all the same, so that those who are held up inside (by a lock of
 * somebody else's) hold up nobody for long. Any thread.
 */
#ifndef CONSUMER_PIPELINE_GATE_H
#define CONSUMER_PIPELINE_GATE_H

#include <pthread.h>

#define GATE_PATIENCE_MS 100

struct gate {
	pthread_mutex_t mu;
	pthread_cond_t left;
	int limit; /* under mu; 0 = no limit */
	int inside; /* under mu */
};

void gate_init(struct gate *gate, int limit);
void gate_release(struct gate *gate);
/* For who enters from now on. */
void gate_set_limit(struct gate *gate, int limit);
void gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);

#endif
