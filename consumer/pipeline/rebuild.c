/*
 * rebuild: the thread, and what it shares with those who want something of it.
 *   1 sleep until a partition is wanted whose mark is not done
 *   2 take all such partitions of one route: one pass over the table serves them all
 *   3 read their fences: whose id is gone is done
 *   4 run the pass; what it finished is done, what it did not comes again after a pause
 */
#include "consumer/pipeline/rebuild.h"

#include "common/backoff.h"
#include "common/log.h"
#include "common/mem.h"
#include "consumer/pipeline/mysql_facts.h"
#include "consumer/pipeline/rebuild_pass.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAUSE_MS       500
#define PAUSE_FATAL_MS 10000

struct want {
	struct rebuild_want what;
	bool done;
	bool working;
	bool refused; /* cannot be rebuilt; said once */
};

struct rebuild {
	/* set before start */
	struct rebuild_config config;
	struct mysql_store *mysql;
	struct redis_store *redis;
	pthread_t thread;
	bool started;

	/* its thread only */
	const struct route *last_route;

	/* any thread */
	atomic_bool stop;
	_Atomic double ratio; /* of the pass that runs */

	pthread_mutex_t mu; /* of what follows */
	pthread_cond_t changed;
	struct want *wants;
	size_t count;
};

uint64_t rebuild_mark(const char *id)
{
	uint64_t hash = 1469598103934665603u;

	if (!id[0])
		return 0;
	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * 1099511628211u;
	return hash ? hash : 1;
}

struct rebuild *rebuild_new(const struct rebuild_config *config)
{
	struct rebuild *rebuild = mem_zero(1, sizeof(*rebuild));
	pthread_condattr_t attr;

	rebuild->config = *config;
	rebuild->mysql = mysql_store_new(config->mysql);
	rebuild->redis = redis_store_new(config->redis);
	pthread_mutex_init(&rebuild->mu, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&rebuild->changed, &attr);
	pthread_condattr_destroy(&attr);
	return rebuild;
}

void rebuild_free(struct rebuild *rebuild)
{
	if (!rebuild)
		return;
	rebuild_stop(rebuild);
	mysql_store_free(rebuild->mysql);
	redis_store_free(rebuild->redis);
	pthread_cond_destroy(&rebuild->changed);
	pthread_mutex_destroy(&rebuild->mu);
	free(rebuild->wants);
	free(rebuild);
}

/* Without the partition of a key (key_partition) there is no fence to write it under. */
static bool possible(const struct route *route)
{
	enum column_type type;

	if (route->cache == CACHE_NONE || route->mode != ROUTE_UPSERT || route->key_count != 1)
		return false;
	type = route->columns[route->keys[0]].type;
	return type == COLUMN_STRING || type == COLUMN_INT;
}

static bool same(const struct rebuild_want *a, const struct rebuild_want *b)
{
	return a->route == b->route && a->partition == b->partition;
}

static struct want *find(struct rebuild *rebuild, const struct rebuild_want *what)
{
	for (size_t i = 0; i < rebuild->count; i++) {
		if (same(&rebuild->wants[i].what, what))
			return &rebuild->wants[i];
	}
	return NULL;
}

void rebuild_set_wanted(struct rebuild *rebuild, const struct rebuild_want *wants, size_t count)
{
	struct want *fresh = mem_zero(count, sizeof(*fresh));

	pthread_mutex_lock(&rebuild->mu);
	for (size_t i = 0; i < count; i++) {
		struct want *old = find(rebuild, &wants[i]);

		fresh[i].what = wants[i];
		fresh[i].working = old && old->working;
		fresh[i].refused = old && old->refused;
		fresh[i].done = old && old->done && old->what.mark == wants[i].mark;
	}
	free(rebuild->wants);
	rebuild->wants = fresh;
	rebuild->count = count;
	pthread_cond_signal(&rebuild->changed);
	pthread_mutex_unlock(&rebuild->mu);
}

struct rebuild_state rebuild_state(struct rebuild *rebuild, const struct rebuild_want *want)
{
	struct rebuild_state state = {false, 0};
	struct want *found;

	pthread_mutex_lock(&rebuild->mu);
	found = find(rebuild, want);
	if (found) {
		state.done = found->done && found->what.mark == want->mark;
		if (state.done)
			state.ratio = 1;
		else if (found->refused)
			state.ratio = -1;
		else if (found->working)
			state.ratio = atomic_load(&rebuild->ratio);
	}
	pthread_mutex_unlock(&rebuild->mu);
	return state;
}

/* ---- its thread ---- */

/* What cannot be done is said once, and not tried again and again. */
static void refuse_impossible(struct rebuild *rebuild)
{
	for (size_t i = 0; i < rebuild->count; i++) {
		struct want *want = &rebuild->wants[i];

		if (want->refused || possible(want->what.route))
			continue;
		want->refused = true;
		log_event(LOG_WARN, "rebuild_impossible",
			LOG_F("topic", LOG_STR(want->what.route->topic)),
			LOG_F("partition", LOG_INT(want->what.partition)),
			LOG_F("reason",
				LOG_STR("a key's partition cannot be told from its row; the "
					"cache fills as records come")));
	}
}

/* A route that wants something, another one than last time if there is one; or NULL. */
static const struct route *next_route(const struct rebuild *rebuild)
{
	const struct route *found = NULL;

	for (size_t i = 0; i < rebuild->count; i++) {
		const struct want *want = &rebuild->wants[i];

		if (!want->done && !want->refused && (!found || found == rebuild->last_route))
			found = want->what.route;
	}
	return found;
}

static void take_parts(struct rebuild *rebuild, struct rebuild_pass *pass)
{
	pass->part_count = 0;
	pass->parts = mem_resize(pass->parts, rebuild->count, sizeof(*pass->parts));
	for (size_t i = 0; i < rebuild->count; i++) {
		struct want *want = &rebuild->wants[i];

		want->working = pass->route && !want->done && want->what.route == pass->route;
		if (want->working)
			pass->parts[pass->part_count++] = (struct rebuild_part){
				.partition = want->what.partition, .mark = want->what.mark};
	}
}

/* All wanted partitions of one route; false when told to stop. */
static bool next_pass(struct rebuild *rebuild, struct rebuild_pass *pass)
{
	pthread_mutex_lock(&rebuild->mu);
	for (;;) {
		refuse_impossible(rebuild);
		pass->route = atomic_load(&rebuild->stop) ? NULL : next_route(rebuild);
		take_parts(rebuild, pass);
		if (pass->route || atomic_load(&rebuild->stop))
			break;
		pthread_cond_wait(&rebuild->changed, &rebuild->mu);
	}
	rebuild->last_route = pass->route;
	pthread_mutex_unlock(&rebuild->mu);
	return pass->route != NULL;
}

/* `mark` is off the fence. One that is wanted since is another matter. */
static void set_done(
	struct rebuild *rebuild, const struct route *route, int32_t partition, uint64_t mark)
{
	struct rebuild_want what = {route, partition, mark};
	struct want *want;

	pthread_mutex_lock(&rebuild->mu);
	want = find(rebuild, &what);
	if (want && want->what.mark == mark)
		want->done = true;
	pthread_mutex_unlock(&rebuild->mu);
}

/* Anew for every pass: between two of them the servers may have dropped what idles. */
static enum verdict connect_both(struct rebuild *rebuild, struct store_error *error)
{
	enum verdict v = mysql_store_connect(rebuild->mysql, error);

	return v == VERDICT_DONE ? redis_store_connect(rebuild->redis, error) : v;
}

/* The ids on the fences; whose fence has none needs nothing. */
static enum verdict read_ids(
	struct rebuild *rebuild, struct rebuild_pass *pass, struct store_error *error)
{
	size_t kept = 0;

	for (size_t i = 0; i < pass->part_count; i++) {
		struct rebuild_part *part = &pass->parts[i];
		struct fence fence;
		enum verdict v = redis_store_fence(
			rebuild->redis, pass->route, part->partition, &fence, error);

		if (v != VERDICT_DONE)
			return v;
		if (fence.exists && fence.rebuild[0]) {
			snprintf(part->id, sizeof(part->id), "%s", fence.rebuild);
			pass->parts[kept++] = *part;
		} else if (fence.exists) {
			set_done(rebuild, pass->route, part->partition, part->mark);
		} /* no fence: its worker makes one at its next step */
	}
	pass->part_count = kept;
	return VERDICT_DONE;
}

static enum verdict run_pass(
	struct rebuild *rebuild, struct rebuild_pass *pass, struct store_error *error)
{
	struct route_facts facts;
	enum verdict v = connect_both(rebuild, error);

	if (v == VERDICT_DONE)
		v = read_ids(rebuild, pass, error);
	if (v != VERDICT_DONE || pass->part_count == 0)
		return v;
	v = mysql_store_facts(rebuild->mysql, pass->route, &facts, error);
	if (v == VERDICT_DONE) /* the look began a transaction */
		v = mysql_store_rollback(rebuild->mysql, error);
	if (v != VERDICT_DONE)
		return v;
	pass->partitions = facts.partitions;
	pass->rows_expected = facts.rows;
	log_event(LOG_INFO, "rebuild_started", LOG_F("topic", LOG_STR(pass->route->topic)),
		LOG_F("partitions", LOG_INT(pass->part_count)),
		LOG_F("rows_expected", LOG_INT(facts.rows)));
	return rebuild_pass_run(pass, error);
}

static void note_finished(struct rebuild *rebuild, const struct rebuild_pass *pass)
{
	for (size_t i = 0; i < pass->part_count; i++) {
		const struct rebuild_part *part = &pass->parts[i];

		if (part->failed)
			continue;
		set_done(rebuild, pass->route, part->partition, rebuild_mark(part->id));
		log_event(LOG_INFO, "rebuild_done", LOG_F("topic", LOG_STR(pass->route->topic)),
			LOG_F("partition", LOG_INT(part->partition)));
	}
}

static void pause_for(struct rebuild *rebuild, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&rebuild->mu);
	while (!atomic_load(&rebuild->stop) &&
		pthread_cond_timedwait(&rebuild->changed, &rebuild->mu, &until) == 0)
		;
	pthread_mutex_unlock(&rebuild->mu);
}

/* What a pass ended with, and how long to wait before the next. */
static int64_t judge(struct rebuild *rebuild, const struct rebuild_pass *pass, enum verdict v,
	const struct store_error *error)
{
	int64_t ms = PAUSE_MS;

	switch (v) {
	case VERDICT_DONE:
		note_finished(rebuild, pass);
		return ms;
	case VERDICT_MOVED: /* told to stop */
		return 0;
	case VERDICT_FATAL:
	case VERDICT_POISON:
		ms = PAUSE_FATAL_MS;
		break;
	case VERDICT_RETRY:
	case VERDICT_RECONNECT:
		break;
	}
	log_limited(LOG_WARN, "rebuild_interrupted",
		LOG_F("topic", LOG_STR(pass->route->topic)),
		LOG_F("verdict", LOG_STR(verdict_name(v))),
		LOG_F("store", LOG_STR(error->store)),
		LOG_F("error", LOG_STR(error->msg.text)));
	return ms;
}

static void *rebuild_thread(void *context)
{
	struct rebuild *rebuild = context;
	struct rebuild_pass pass = {.rows_per_s = rebuild->config.rows_per_s,
		.mysql = rebuild->mysql,
		.redis = rebuild->redis,
		.stop = &rebuild->stop,
		.ratio = &rebuild->ratio};

	while (next_pass(rebuild, &pass)) {
		struct store_error error = {.store = "", .row = -1};

		atomic_store(&rebuild->ratio, 0);
		pause_for(rebuild,
			judge(rebuild, &pass, run_pass(rebuild, &pass, &error), &error));
	}
	free(pass.parts);
	return NULL;
}

int rebuild_start(struct rebuild *rebuild, struct errmsg *msg)
{
	int code = pthread_create(&rebuild->thread, NULL, rebuild_thread, rebuild);

	if (code)
		return errmsg_set(msg, ERR_BUG, "rebuild: thread: %s", strerror(code));
	rebuild->started = true;
	return 0;
}

void rebuild_stop(struct rebuild *rebuild)
{
	if (!rebuild || !rebuild->started)
		return;
	pthread_mutex_lock(&rebuild->mu);
	atomic_store(&rebuild->stop, true);
	pthread_cond_signal(&rebuild->changed);
	pthread_mutex_unlock(&rebuild->mu);
	mysql_store_interrupt(rebuild->mysql);
	redis_store_interrupt(rebuild->redis);
	pthread_join(rebuild->thread, NULL);
	rebuild->started = false;
}
