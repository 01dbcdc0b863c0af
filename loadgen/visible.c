#include "loadgen/visible.h"

#include "common/clock.h"
#include "common/mem.h"
#include "loadgen/stop.h"
#include "loadgen/visible_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PENDING_MAX   10000 /* more are not sampled: the stores are far behind anyway */
#define BETWEEN_US    500
#define NOTHING_TO_US 2000

struct seeker {
	pthread_t thread;
	bool running;
	struct visible_link link;
	/* under mu */
	pthread_mutex_t mu;
	struct visible_sample *fresh; /* offered, not yet taken over by the thread */
	size_t fresh_count;
	/* thread only, then finish's caller */
	struct visible_sample *pending;
	size_t pending_count, asked_from;
	struct histogram *times;
	bool failed;
	struct errmsg why;
	char first_missing[VISIBLE_KEY_BYTES];
	/* atomic */
	_Atomic bool no_more, stop;
	_Atomic size_t waiting; /* fresh and pending */
};

struct visible {
	struct seeker seekers[VISIBLE_STORES];
	int64_t apart_ns, next_ns;
	uint64_t sampled;
};

static void take_fresh(struct seeker *k)
{
	pthread_mutex_lock(&k->mu);
	if (k->fresh_count) {
		k->pending = mem_resize(
			k->pending, k->pending_count + k->fresh_count, sizeof(*k->pending));
		memcpy(k->pending + k->pending_count, k->fresh,
			k->fresh_count * sizeof(*k->fresh));
		k->pending_count += k->fresh_count;
		k->fresh_count = 0;
	}
	pthread_mutex_unlock(&k->mu);
}

/* Keeps those that were not found, in their order. */
static void keep_unfound(struct seeker *k, int64_t now_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < k->pending_count; i++) {
		if (k->pending[i].found)
			histogram_record_ns(k->times, now_ns - k->pending[i].due_ns);
		else
			k->pending[kept++] = k->pending[i];
	}
	atomic_fetch_sub(&k->waiting, k->pending_count - kept);
	k->pending_count = kept;
}

static void look_once(struct seeker *k)
{
	size_t count, from;

	/* with a long queue, all get their turn */
	from = k->asked_from < k->pending_count ? k->asked_from : 0;
	count = k->pending_count - from;
	if (count > VISIBLE_AT_ONCE)
		count = VISIBLE_AT_ONCE;
	k->asked_from = from + count;
	if (k->link.look(k->link.connection, k->pending + from, count, &k->why) != 0) {
		k->failed = true;
		return;
	}
	keep_unfound(k, clock_mono_ns());
}

static void *seeker_main(void *arg)
{
	struct seeker *k = arg;

	visible_thread_begin();
	while (!k->stop && !k->failed) {
		take_fresh(k);
		if (k->pending_count) {
			look_once(k);
			usleep(BETWEEN_US);
		} else if (k->no_more && k->waiting == 0) {
			break;
		} else {
			usleep(k->no_more ? BETWEEN_US : NOTHING_TO_US / 4);
		}
	}
	take_fresh(k);
	if (k->pending_count && !k->failed)
		memcpy(k->first_missing, k->pending[0].key, sizeof(k->first_missing));
	visible_thread_end();
	return NULL;
}

int visible_open(struct visible **made, const struct visible_config *config, struct errmsg *msg)
{
	struct visible *v = mem_zero(1, sizeof(*v));
	int err;

	*made = v;
	v->apart_ns = 1000000000 / (config->per_second > 0 ? config->per_second : 1);
	for (int i = 0; i < VISIBLE_STORES; i++) {
		pthread_mutex_init(&v->seekers[i].mu, NULL);
		v->seekers[i].times = histogram_new();
		v->seekers[i].fresh = mem_alloc(PENDING_MAX * sizeof(*v->seekers[i].fresh));
	}
	err = visible_link_mysql(&v->seekers[VISIBLE_MYSQL].link, config, msg);
	if (err == 0)
		err = visible_link_redis(&v->seekers[VISIBLE_REDIS].link, config, msg);
	for (int i = 0; err == 0 && i < VISIBLE_STORES; i++) {
		if (pthread_create(&v->seekers[i].thread, NULL, seeker_main, &v->seekers[i]))
			err = errmsg_set(msg, ERR_IO, "cannot start a thread");
		else
			v->seekers[i].running = true;
	}
	if (err != 0)
		errmsg_wrap(msg, "option verify-visible");
	return err;
}

bool visible_offer(struct visible *v, const char *key, size_t key_bytes, int64_t due_ns)
{
	struct visible_sample sample = {.due_ns = due_ns};

	if (due_ns < v->next_ns || key_bytes >= sizeof(sample.key))
		return false;
	for (int i = 0; i < VISIBLE_STORES; i++) {
		if (v->seekers[i].waiting >= PENDING_MAX)
			return false;
	}
	memcpy(sample.key, key, key_bytes);
	v->next_ns = due_ns + v->apart_ns;
	v->sampled++;
	for (int i = 0; i < VISIBLE_STORES; i++) {
		struct seeker *k = &v->seekers[i];

		pthread_mutex_lock(&k->mu);
		k->fresh[k->fresh_count++] = sample;
		atomic_fetch_add(&k->waiting, 1);
		pthread_mutex_unlock(&k->mu);
	}
	return true;
}

static void stop_seeker(struct seeker *k)
{
	if (!k->running)
		return;
	k->stop = true;
	pthread_join(k->thread, NULL);
	k->running = false;
}

void visible_finish(struct visible *v, int wait_ms)
{
	int64_t until = clock_mono_ms() + wait_ms;

	for (int i = 0; i < VISIBLE_STORES; i++)
		v->seekers[i].no_more = true;
	for (int i = 0; i < VISIBLE_STORES; i++) {
		while (v->seekers[i].waiting && clock_mono_ms() < until && !stop_asked())
			usleep(NOTHING_TO_US);
		stop_seeker(&v->seekers[i]);
	}
}

uint64_t visible_sampled(const struct visible *v)
{
	return v->sampled;
}

const struct histogram *visible_times(const struct visible *v, enum visible_store store)
{
	return v->seekers[store].times;
}

uint64_t visible_missing(const struct visible *v, enum visible_store store, const char **first)
{
	const struct seeker *k = &v->seekers[store];

	*first = k->first_missing;
	return k->waiting;
}

const char *visible_unknown(const struct visible *v, enum visible_store store)
{
	const struct seeker *k = &v->seekers[store];

	return k->failed && k->waiting ? k->why.text : NULL;
}

void visible_free(struct visible *v)
{
	if (!v)
		return;
	for (int i = 0; i < VISIBLE_STORES; i++) {
		struct seeker *k = &v->seekers[i];

		stop_seeker(k);
		if (k->link.close)
			k->link.close(k->link.connection);
		pthread_mutex_destroy(&k->mu);
		histogram_free(k->times);
		free(k->fresh);
		free(k->pending);
	}
	free(v);
}
