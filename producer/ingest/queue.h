/* queue: pointers from any thread to one or more takers, first in first out. Grows as needed: what
 * bounds it is the chunk pool. */
#ifndef PRODUCER_INGEST_QUEUE_H
#define PRODUCER_INGEST_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct queue_item {
	void *what;
	int kind; /* the users' own */
};

struct queue {
	pthread_mutex_t mu;
	pthread_cond_t changed;
	/* under mu */
	struct queue_item *items;
	size_t first, count, room;
};

void queue_init(struct queue *q);
void queue_release(struct queue *q);
void queue_push(struct queue *q, int kind, void *what);
/* False when nothing came in time. timeout_ms < 0: waits for ever. */
bool queue_pop(struct queue *q, struct queue_item *item, int timeout_ms);

#endif
