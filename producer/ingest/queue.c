#include "producer/ingest/queue.h"

#include "common/mem.h"

#include <stdlib.h>
#include <time.h>

void queue_init(struct queue *q)
{
	pthread_condattr_t attr;

	*q = (struct queue){.room = 16};
	q->items = mem_zero(q->room, sizeof(*q->items));
	pthread_mutex_init(&q->mu, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->changed, &attr);
	pthread_condattr_destroy(&attr);
}

void queue_release(struct queue *q)
{
	if (!q->items)
		return;
	free(q->items);
	pthread_cond_destroy(&q->changed);
	pthread_mutex_destroy(&q->mu);
	q->items = NULL;
}

static void grow(struct queue *q)
{
	struct queue_item *items = mem_zero(q->room * 2, sizeof(*items));

	for (size_t i = 0; i < q->count; i++)
		items[i] = q->items[(q->first + i) % q->room];
	free(q->items);
	q->items = items;
	q->first = 0;
	q->room *= 2;
}

void queue_push(struct queue *q, int kind, void *what)
{
	pthread_mutex_lock(&q->mu);
	if (q->count == q->room)
		grow(q);
	q->items[(q->first + q->count++) % q->room] =
		(struct queue_item){.what = what, .kind = kind};
	pthread_cond_signal(&q->changed);
	pthread_mutex_unlock(&q->mu);
}

static void deadline_in(struct timespec *t, int ms)
{
	clock_gettime(CLOCK_MONOTONIC, t);
	t->tv_sec += ms / 1000;
	t->tv_nsec += (long)(ms % 1000) * 1000000;
	if (t->tv_nsec >= 1000000000) {
		t->tv_sec++;
		t->tv_nsec -= 1000000000;
	}
}

bool queue_pop(struct queue *q, struct queue_item *item, int timeout_ms)
{
	struct timespec deadline;
	bool found;

	if (timeout_ms > 0)
		deadline_in(&deadline, timeout_ms);
	pthread_mutex_lock(&q->mu);
	while (q->count == 0 && timeout_ms != 0) {
		if (timeout_ms < 0)
			pthread_cond_wait(&q->changed, &q->mu);
		else if (pthread_cond_timedwait(&q->changed, &q->mu, &deadline) != 0)
			break;
	}
	found = q->count > 0;
	if (found) {
		*item = q->items[q->first];
		q->first = (q->first + 1) % q->room;
		q->count--;
	}
	pthread_mutex_unlock(&q->mu);
	return found;
}
