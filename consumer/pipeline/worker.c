/*
 * One worker thread: takes over what the pool gives, steps its partitions round and round
 * (step.c), lets go what the pool wants back. When no partition has anything to do it sleeps on
 * its eventfd, which the partition queues and the pool write to.
 */
#include "consumer/pipeline/worker.h"

#include "common/clock.h"
#include "common/mem.h"
#include "consumer/pipeline/step.h"

#include <errno.h>
#include <mysql.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WAIT_MS 100 /* a missed wake-up costs this much */

struct worker {
	/* set before start */
	const struct pipeline *pipeline;
	int number;
	int wake; /* eventfd */
	pthread_t thread;

	/* made by worker's thread, which alone uses it; interrupt reaches the stores under mu */
	struct stepper stepper;
	bool ready; /* under mu */
	int64_t busy_since_ms; /* 0 = it is not */

	pthread_mutex_t mu;
	pthread_cond_t released;
	struct partition **owned; /* under mu to change, worker reads without */
	int count, room;
	struct partition **inbox; /* under mu */
	int inbox_count, inbox_room;
	bool stop; /* under mu */
};

static void wake(struct worker *w)
{
	uint64_t one = 1;

	if (write(w->wake, &one, sizeof(one)) < 0)
		return; /* EAGAIN: it is awake anyway */
}

static void push(struct partition ***list, int *count, int *room, struct partition *p)
{
	if (*count == *room) {
		*room = *room ? *room * 2 : 8;
		*list = mem_resize(*list, (size_t)*room, sizeof(**list));
	}
	(*list)[(*count)++] = p;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void take_in(struct worker *w, struct partition *p)
{
	static const uint64_t one = 1;

	p->not_before_ms = 0;
	partition_set_mode(p, MODE_CLAIM);
	rd_kafka_queue_io_event_enable(p->queue, w->wake, &one, sizeof(one));
	push(&w->owned, &w->count, &w->room, p);
	atomic_store(&p->owner, w->number);
}

static void let_go(struct worker *w, int index)
{
	struct partition *p = w->owned[index];

	rd_kafka_queue_io_event_enable(p->queue, -1, NULL, 0);
	partition_drop_batch(p);
	w->owned[index] = w->owned[--w->count];
	atomic_store(&p->leave, false);
	atomic_store(&p->owner, -1);
	pthread_cond_broadcast(&w->released);
}

/* Takes over what the pool gave and lets go what it wants back. Returns false to end. */
static bool obey(struct worker *w)
{
	bool go_on, leaving;

	pthread_mutex_lock(&w->mu);
	for (int i = 0; i < w->inbox_count; i++)
		take_in(w, w->inbox[i]);
	w->inbox_count = 0;
	leaving = w->stop;
	for (int i = 0; i < w->count; i++)
		leaving |= atomic_load(&w->owned[i]->leave);
	if (leaving) { /* without the lock: worker_interrupt may have to end its waiting */
		pthread_mutex_unlock(&w->mu);
		stepper_settle(&w->stepper);
		pthread_mutex_lock(&w->mu);
	}
	/* Only then: one that is asked for since may have its batch with Redis. */
	for (int i = w->count - 1; leaving && i >= 0; i--) {
		if (w->stop || atomic_load(&w->owned[i]->leave))
			let_go(w, i);
	}
	go_on = !w->stop;
	pthread_mutex_unlock(&w->mu);
	return go_on;
}

static void sleep_until_woken(struct worker *w)
{
	struct pollfd fd = {.fd = w->wake, .events = POLLIN};
	int64_t now = clock_mono_ms(), wait = WAIT_MS;
	uint64_t count;

	for (int i = 0; i < w->count; i++) {
		int64_t left = w->owned[i]->not_before_ms - now;

		if (left > 0 && left < wait)
			wait = left;
	}
	if (poll(&fd, 1, (int)wait) > 0 && read(w->wake, &count, sizeof(count)) < 0)
		return;
}

/*
 * Nothing to do. After a long stretch of work its end is committed at once: somebody may be waiting
 * for a backlog to be through. Under a trickle there are as many ends as records: the interval then.
 */
static void rest(struct worker *w)
{
	const struct pipeline *pipeline = w->pipeline;

	if (w->busy_since_ms &&
		clock_mono_ms() - w->busy_since_ms >= pipeline->commit_interval_ms)
		pipeline->commit_soon(pipeline->pool_user);
	w->busy_since_ms = 0;
	stepper_settle(&w->stepper);
	stepper_idle(&w->stepper);
	sleep_until_woken(w);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	mysql_thread_init();
	pthread_mutex_lock(&w->mu);
	stepper_init(&w->stepper, w->pipeline, w->number);
	w->ready = true;
	pthread_mutex_unlock(&w->mu);
	while (obey(w)) {
		int64_t start_ms = w->busy_since_ms ? w->busy_since_ms : clock_mono_ms();
		bool busy = false;

		for (int i = 0; i < w->count; i++) {
			if (!atomic_load(&w->owned[i]->leave))
				busy |= step_partition(&w->stepper, w->owned[i]);
		}
		if (busy)
			w->busy_since_ms = start_ms;
		else
			rest(w);
	}
	pthread_mutex_lock(&w->mu);
	w->ready = false;
	stepper_release(&w->stepper);
	pthread_mutex_unlock(&w->mu);
	mysql_thread_end();
	return NULL;
}

/* ---- the pool's side ------------------------------------------------------------------------- */

struct worker *worker_start(const struct pipeline *pipeline, int number)
{
	struct worker *w = mem_zero(1, sizeof(*w));
	pthread_condattr_t attr;

	w->pipeline = pipeline;
	w->number = number;
	w->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&w->mu, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->released, &attr);
	pthread_condattr_destroy(&attr);
	if (w->wake < 0 || pthread_create(&w->thread, NULL, worker_main, w) != 0) {
		perror("worker thread");
		abort();
	}
	return w;
}

void worker_give(struct worker *w, struct partition *p)
{
	pthread_mutex_lock(&w->mu);
	push(&w->inbox, &w->inbox_count, &w->inbox_room, p);
	atomic_store(&p->owner, w->number);
	pthread_mutex_unlock(&w->mu);
	wake(w);
}

void worker_ask_back(struct worker *w, struct partition *p)
{
	atomic_store(&p->leave, true);
	wake(w);
}

bool worker_wait_back(struct worker *w, const struct partition *p, int64_t deadline_ms)
{
	struct timespec until = {
		.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
	bool back;

	pthread_mutex_lock(&w->mu);
	while (!(back = atomic_load(&p->owner) == -1)) {
		if (pthread_cond_timedwait(&w->released, &w->mu, &until) == ETIMEDOUT)
			break;
	}
	back = atomic_load(&p->owner) == -1;
	pthread_mutex_unlock(&w->mu);
	return back;
}

void worker_interrupt(struct worker *w)
{
	pthread_mutex_lock(&w->mu);
	if (w->ready) {
		mysql_store_interrupt(w->stepper.tools.mysql);
		redis_store_interrupt(w->stepper.tools.redis);
	}
	pthread_mutex_unlock(&w->mu);
	wake(w);
}

void worker_stop(struct worker *w)
{
	pthread_mutex_lock(&w->mu);
	w->stop = true;
	pthread_mutex_unlock(&w->mu);
	wake(w);
	pthread_join(w->thread, NULL);
	close(w->wake);
	pthread_mutex_destroy(&w->mu);
	pthread_cond_destroy(&w->released);
	free(w->owned);
	free(w->inbox);
	free(w);
}

int worker_number(const struct worker *w)
{
	return w->number;
}

int worker_load(const struct worker *w)
{
	struct worker *writable = (struct worker *)(uintptr_t)w;
	int load;

	pthread_mutex_lock(&writable->mu);
	load = w->count + w->inbox_count;
	pthread_mutex_unlock(&writable->mu);
	return load;
}
