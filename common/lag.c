/*
 * The observer's thread. A round:
 *	1. partitions  once, then every half minute, and after an error
 *	2. members     every two seconds; not every broker tells
 *	3. committed   first, so that the lag is never too small
 *	4. ends
 *	5. see         every partition's track and the sum's, then publish a copy under mu
 *	6. hint        every ten seconds: the age of what waited before the watching began
 */
#include "common/lag.h"

#include "common/clock.h"
#include "common/lag_source.h"
#include "common/lag_total.h"
#include "common/mem.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DISCOVER_MS 30000
#define MEMBERS_MS  2000
#define HINT_MS	    10000

struct lag_observer {
	/* set before start */
	char **topics;
	size_t topic_count;
	int64_t period_ms;
	struct lag_limits limits;
	pthread_t thread;
	/* observer's thread only */
	struct lag_source *source;
	size_t count; /* of each of the next three, sorted by topic and partition */
	rd_kafka_topic_partition_list_t *list;
	struct lag_partition *shown;
	struct lag_track **tracks;
	struct lag_total total;
	struct lag_group group;
	int64_t discovered_ms, members_ms, hinted_ms; /* 0: not yet */
	/* under mu */
	pthread_mutex_t mu;
	pthread_cond_t changed;
	bool stopping;
	struct lag_snapshot published;
	int64_t published_ms;
};

/* A partition's history, taken out of the observer; a new one if there is none. */
static struct lag_track *take_track(
	struct lag_observer *o, const char *topic, int32_t partition)
{
	for (size_t i = 0; i < o->count; i++) {
		struct lag_track *track = o->tracks[i];
		if (track && o->shown[i].partition == partition &&
			strcmp(o->shown[i].topic, topic) == 0) {
			o->tracks[i] = NULL;
			return track;
		}
	}
	return lag_track_new(&o->limits);
}

static void forget(struct lag_observer *o)
{
	for (size_t i = 0; i < o->count; i++)
		lag_track_free(o->tracks[i]);
	free(o->tracks);
	free(o->shown);
	if (o->list)
		rd_kafka_topic_partition_list_destroy(o->list);
}

/* Takes over `list`; partitions that stay keep their history. */
static void adopt(struct lag_observer *o, rd_kafka_topic_partition_list_t *list)
{
	size_t count = (size_t)list->cnt;
	struct lag_partition *shown = mem_zero(count + 1, sizeof(*shown));
	struct lag_track **tracks = mem_zero(count + 1, sizeof(*tracks));
	rd_kafka_topic_partition_list_sort(list, NULL, NULL);
	for (size_t i = 0; i < count; i++) {
		const rd_kafka_topic_partition_t *p = &list->elems[i];
		snprintf(shown[i].topic, sizeof(shown[i].topic), "%s", p->topic);
		shown[i].partition = p->partition;
		tracks[i] = take_track(o, p->topic, p->partition);
	}
	forget(o);
	o->list = list;
	o->shown = shown;
	o->tracks = tracks;
	o->count = count;
	o->members_ms = 0; /* the owners too */
}

static int discover(struct lag_observer *o, struct errmsg *msg)
{
	int64_t now = clock_mono_ms();
	if (o->discovered_ms && now - o->discovered_ms < DISCOVER_MS)
		return 0;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
	int rc = 0;
	if (!o->topic_count)
		rc = lag_source_group_topics(o->source, list, msg);
	for (size_t i = 0; !rc && i < o->topic_count; i++)
		rc = lag_source_topic(o->source, o->topics[i], list, msg);
	if (rc) {
		rd_kafka_topic_partition_list_destroy(list);
		return rc;
	}
	adopt(o, list);
	/* A group that has committed nothing yet: look again soon. */
	o->discovered_ms = o->count ? now : 0;
	return 0;
}

static void find_members(struct lag_observer *o)
{
	int64_t now = clock_mono_ms();
	/* "Nobody" is looked at again at once: somebody may be joining. */
	if (o->members_ms && o->group.members != 0 && now - o->members_ms < MEMBERS_MS)
		return;
	struct errmsg ignored; /* brokers may not tell: members stay unknown */
	lag_group_release(&o->group);
	o->group = (struct lag_group){.members = LAG_UNKNOWN};
	lag_source_group(o->source, &o->group, &ignored);
	o->members_ms = now;
	for (size_t i = 0; i < o->count; i++) {
		struct lag_partition *p = &o->shown[i];
		rd_kafka_topic_partition_t *owned =
			o->group.owned ? rd_kafka_topic_partition_list_find(
						 o->group.owned, p->topic, p->partition)
				       : NULL;
		snprintf(p->owner, sizeof(p->owner), "%s",
			owned && owned->metadata ? (const char *)owned->metadata : "");
	}
}

static void see_total(struct lag_observer *o, int64_t now_ms, struct lag_partition *total)
{
	*total = (struct lag_partition){.partition = -1};
	if (o->topic_count == 1)
		snprintf(total->topic, sizeof(total->topic), "%s", o->topics[0]);
	lag_total_see(&o->total, o->shown, o->count, now_ms, o->group.members, &total->view);
}

static void publish(
	struct lag_observer *o, const struct lag_partition *total, int code, const char *error)
{
	struct lag_partition *copy = mem_zero(o->count + 1, sizeof(*copy));
	if (o->count)
		memcpy(copy, o->shown, o->count * sizeof(*copy));
	pthread_mutex_lock(&o->mu);
	struct lag_snapshot *p = &o->published;
	free(p->partitions);
	p->partitions = copy;
	p->count = o->count;
	p->members = o->group.members;
	memcpy(p->group_state, o->group.state, sizeof(p->group_state));
	p->error_code = code;
	snprintf(p->error, sizeof(p->error), "%s", code ? error : "");
	p->total = *total;
	if (!code) {
		p->rounds++;
		o->published_ms = clock_mono_ms();
	}
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->mu);
}

static int ask(struct lag_observer *o, int64_t *committed, int64_t *low, int64_t *end,
	struct errmsg *msg)
{
	find_members(o);
	if (!o->count)
		return 0;
	int rc = lag_source_committed(o->source, o->list, committed, msg);
	return rc ? rc : lag_source_bounds(o->source, o->list, low, end, msg);
}

static void hint(struct lag_observer *o)
{
	int64_t now = clock_mono_ms();
	if (o->hinted_ms && now - o->hinted_ms < HINT_MS)
		return;
	size_t *which = mem_alloc((o->count + 1) * sizeof(*which)), asked = 0;
	rd_kafka_topic_partition_list_t *list =
		rd_kafka_topic_partition_list_new((int)o->count);
	for (size_t i = 0; i < o->count; i++) {
		if (!lag_track_wants_hint(o->tracks[i]))
			continue;
		which[asked++] = i;
		rd_kafka_topic_partition_list_add(
			list, o->shown[i].topic, o->shown[i].partition)
			->offset = o->shown[i].view.committed;
	}
	double *ages_s = mem_alloc((asked + 1) * sizeof(*ages_s));
	if (asked) {
		lag_source_ages(o->source, list, ages_s);
		o->hinted_ms = now;
	}
	for (size_t k = 0; k < asked; k++)
		if (!isnan(ages_s[k]))
			lag_track_hint(o->tracks[which[k]], list->elems[k].offset,
				now - (int64_t)(ages_s[k] * 1000));
	free(ages_s);
	rd_kafka_topic_partition_list_destroy(list);
	free(which);
}

static void round_once(struct lag_observer *o)
{
	struct errmsg msg = {.text = ""};
	int rc = discover(o, &msg);
	size_t room = o->count + 1;
	int64_t *figures = mem_alloc(3 * room * sizeof(*figures));
	int64_t *committed = figures, *low = figures + room, *end = figures + 2 * room;
	if (!rc)
		rc = ask(o, committed, low, end, &msg);
	int64_t now = clock_mono_ms();
	for (size_t i = 0; i < o->count; i++) {
		struct lag_partition *p = &o->shown[i];
		struct lag_sample sample = {
			.now_ms = now,
			.low = rc ? LAG_UNKNOWN : low[i],
			.end = rc ? LAG_UNKNOWN : end[i],
			.committed = rc ? LAG_UNKNOWN : committed[i],
			.members = o->group.members,
			.owned = p->owner[0] != 0,
		};
		if (sample.end == LAG_UNKNOWN)
			o->discovered_ms = 0;
		lag_track_see(o->tracks[i], &sample);
		p->view = *lag_track_view(o->tracks[i]);
	}
	free(figures);
	struct lag_partition total;
	see_total(o, now, &total);
	publish(o, &total, rc, msg.text);
	if (!rc)
		hint(o);
}

static struct timespec deadline(int64_t ms)
{
	int64_t at = clock_mono_ms() + ms;
	return (struct timespec){.tv_sec = at / 1000, .tv_nsec = (at % 1000) * 1000000};
}

static void *observe(void *arg)
{
	struct lag_observer *o = arg;
	pthread_mutex_lock(&o->mu);
	while (!o->stopping) {
		struct timespec next = deadline(o->period_ms);
		pthread_mutex_unlock(&o->mu);
		round_once(o);
		pthread_mutex_lock(&o->mu);
		while (!o->stopping &&
			pthread_cond_timedwait(&o->changed, &o->mu, &next) != ETIMEDOUT)
			;
	}
	pthread_mutex_unlock(&o->mu);
	return NULL;
}

static void observer_free(struct lag_observer *o)
{
	forget(o);
	lag_total_release(&o->total);
	lag_group_release(&o->group);
	lag_source_close(o->source);
	for (size_t i = 0; i < o->topic_count; i++)
		free(o->topics[i]);
	free(o->topics);
	free(o->published.partitions);
	pthread_cond_destroy(&o->changed);
	pthread_mutex_destroy(&o->mu);
	free(o);
}

int lag_observer_start(struct lag_observer **observer, const struct lag_config *config,
	rd_kafka_conf_t *kafka, struct errmsg *msg)
{
	struct lag_observer *o = mem_zero(1, sizeof(*o));
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&o->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&o->mu, NULL);
	o->period_ms = config->period_ms ? config->period_ms : 500;
	o->limits = config->limits ? *config->limits : lag_limits_default;
	o->total.limits = &o->limits;
	o->group.members = o->published.members = LAG_UNKNOWN;
	o->topics = mem_zero(config->topic_count + 1, sizeof(*o->topics));
	for (; o->topic_count < config->topic_count; o->topic_count++)
		o->topics[o->topic_count] = mem_strdup(config->topics[o->topic_count]);
	struct lag_partition total;
	see_total(o, clock_mono_ms(), &total);
	o->published.total = total;
	int rc = lag_source_open(&o->source, config->group, kafka,
		(int)(config->timeout_ms ? config->timeout_ms : 5000), msg);
	if (!rc && pthread_create(&o->thread, NULL, observe, o))
		rc = errmsg_set(msg, ERR_BUG, "lag observer: no thread");
	if (rc) {
		observer_free(o);
		return rc;
	}
	*observer = o;
	return 0;
}

void lag_observer_stop(struct lag_observer *observer)
{
	if (!observer)
		return;
	pthread_mutex_lock(&observer->mu);
	observer->stopping = true;
	pthread_cond_broadcast(&observer->changed);
	pthread_mutex_unlock(&observer->mu);
	lag_source_hurry(observer->source);
	pthread_join(observer->thread, NULL);
	observer_free(observer);
}

int lag_observer_wait(
	struct lag_observer *observer, int64_t rounds, int64_t timeout_ms, struct errmsg *msg)
{
	struct timespec until = deadline(timeout_ms);
	int rc = 0;
	pthread_mutex_lock(&observer->mu);
	while (observer->published.rounds < rounds && !rc)
		if (pthread_cond_timedwait(&observer->changed, &observer->mu, &until) ==
			ETIMEDOUT)
			rc = errmsg_set(msg, ERR_TIMEOUT, "%s",
				observer->published.error[0] ? observer->published.error
							     : "no answer from the brokers");
	pthread_mutex_unlock(&observer->mu);
	return rc;
}

/* Old figures are no figures. */
static void outdate(struct lag_view *v, int64_t age_ms)
{
	int64_t low = v->low;
	*v = (struct lag_view){.low = low,
		.end = LAG_UNKNOWN,
		.committed = LAG_UNKNOWN,
		.lag = LAG_UNKNOWN,
		.lag_known = LAG_UNKNOWN,
		.lag_seconds = NAN,
		.rate_in = NAN,
		.rate_out = NAN,
		.eta_seconds = NAN,
		.eta_slope = NAN,
		.state = LAG_STATE_UNKNOWN};
	snprintf(v->reason, sizeof(v->reason), "the brokers have not answered for %.1f s",
		(double)age_ms / 1000);
}

void lag_observer_snapshot(struct lag_observer *observer, struct lag_snapshot *snapshot)
{
	pthread_mutex_lock(&observer->mu);
	*snapshot = observer->published;
	snapshot->partitions = mem_zero(snapshot->count + 1, sizeof(*snapshot->partitions));
	if (snapshot->count)
		memcpy(snapshot->partitions, observer->published.partitions,
			snapshot->count * sizeof(*snapshot->partitions));
	snapshot->age_ms =
		snapshot->rounds ? clock_mono_ms() - observer->published_ms : LAG_UNKNOWN;
	pthread_mutex_unlock(&observer->mu);
	if (snapshot->age_ms <= 4 * observer->period_ms + 1000)
		return;
	snapshot->members = LAG_UNKNOWN;
	snapshot->group_state[0] = 0;
	outdate(&snapshot->total.view, snapshot->age_ms);
	for (size_t i = 0; i < snapshot->count; i++) {
		snapshot->partitions[i].owner[0] = 0;
		outdate(&snapshot->partitions[i].view, snapshot->age_ms);
	}
}

void lag_snapshot_release(struct lag_snapshot *snapshot)
{
	free(snapshot->partitions);
	snapshot->partitions = NULL;
	snapshot->count = 0;
}
