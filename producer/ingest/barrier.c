#include "producer/ingest/barrier.h"

#include "common/mem.h"
#include "producer/ingest/checkpoint.h"

#include <pthread.h>
#include <stdlib.h>

struct barrier {
	struct checkpoint *checkpoint;
	struct position at;
	uint64_t records;
	bool last;
	int sinks;
	pthread_mutex_t mu;
	pthread_cond_t changed;
	/* under mu */
	int waiting; /* sinks that are not done */
	int holders; /* sinks that may still call */
	bool dropped;
	json_t *states;
};

struct barrier *barrier_new(struct checkpoint *checkpoint, const struct position *at,
	uint64_t records, int sinks, bool last)
{
	struct barrier *b = mem_zero(1, sizeof(*b));

	b->checkpoint = checkpoint;
	b->at = *at;
	b->records = records;
	b->last = last;
	b->sinks = b->waiting = b->holders = sinks;
	b->states = json_array();
	for (int i = 0; i < sinks; i++)
		json_array_append_new(b->states, json_null());
	pthread_mutex_init(&b->mu, NULL);
	pthread_cond_init(&b->changed, NULL);
	return b;
}

static json_t *whole_position(struct barrier *b)
{
	return checkpoint_position(b->checkpoint, &b->at, b->records, b->states, b->last);
}

static void let_go(struct barrier *b, bool done)
{
	bool complete, gone;

	b->waiting -= done;
	b->dropped = b->dropped || !done;
	complete = b->waiting == 0 && done;
	gone = --b->holders == 0;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->mu);
	if (complete)
		checkpoint_write(b->checkpoint, whole_position(b));
	if (!gone)
		return;
	json_decref(b->states);
	pthread_cond_destroy(&b->changed);
	pthread_mutex_destroy(&b->mu);
	free(b);
}

void barrier_done(struct barrier *b, int sink, json_t *state)
{
	pthread_mutex_lock(&b->mu);
	json_array_set_new(b->states, (size_t)sink, state ? state : json_null());
	let_go(b, true);
}

void barrier_drop(struct barrier *b)
{
	pthread_mutex_lock(&b->mu);
	let_go(b, false);
}

char *barrier_wait_others(struct barrier *b)
{
	char *text = NULL;

	pthread_mutex_lock(&b->mu);
	while (b->waiting > 1 && !b->dropped)
		pthread_cond_wait(&b->changed, &b->mu);
	if (!b->dropped) {
		json_t *position = whole_position(b);

		text = json_dumps(position, JSON_COMPACT);
		json_decref(position);
	}
	pthread_mutex_unlock(&b->mu);
	return text;
}

uint64_t barrier_records(const struct barrier *b)
{
	return b->records;
}
