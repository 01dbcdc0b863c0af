/* One title and one sentence: is it fine? The worst thing first; page, terminal and curl show it. */
#include "common/lag_text.h"
#include "consumer/watch/picture.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void __attribute__((format(printf, 4, 5)))
say(struct picture *p, enum level level, const char *title, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(p->text, sizeof(p->text), format, args);
	va_end(args);
	snprintf(p->title, sizeof(p->title), "%s", title);
	p->level = level;
}

static const struct snapshot_partition *first_in_mode(const struct picture *p, const char *mode)
{
	for (int i = 0; i < p->pool.partition_count; i++)
		if (strcmp(p->pool.partitions[i].mode, mode) == 0)
			return &p->pool.partitions[i];
	return NULL;
}

/* Both stores are not known to stand where the group does. */
static const struct snapshot_partition *first_not_running(const struct picture *p)
{
	for (int i = 0; i < p->pool.partition_count; i++)
		if (strcmp(p->pool.partitions[i].mode, "running") != 0)
			return &p->pool.partitions[i];
	return NULL;
}

static const struct snapshot_partition *first_with_error(const struct picture *p)
{
	for (int i = 0; i < p->pool.partition_count; i++)
		if (p->pool.partitions[i].error[0])
			return &p->pool.partitions[i];
	return NULL;
}

/* The first whose cache does not hold every row, or is not known to. */
static const struct snapshot_partition *first_without_cache(const struct picture *p)
{
	for (int i = 0; i < p->pool.partition_count; i++)
		if (p->pool.partitions[i].rebuild_wanted)
			return &p->pool.partitions[i];
	return NULL;
}

static void say_rebuild(struct picture *p, const struct snapshot_partition *own)
{
	char done[40] = "waits to be filled again";
	if (own->cache_ratio >= 0)
		snprintf(done, sizeof(done), "is filled to %d %%",
			(int)(own->cache_ratio * 100));
	say(p, LEVEL_WARN, "Rebuilding",
		"MySQL has every record that was applied; the cache of partition %d %s.",
		(int)own->partition, done);
}

static void say_recovering(struct picture *p, const struct snapshot_partition *own)
{
	if (strcmp(own->mode, "catching up") == 0)
		say(p, LEVEL_WARN, "Recovering",
			"Redis is behind MySQL: keys of partition %d are refreshed.",
			(int)own->partition);
	else if (strcmp(own->mode, "healing") == 0)
		say(p, LEVEL_WARN, "Recovering",
			"MySQL is behind Redis: the log of partition %d is applied to it "
			"again.",
			(int)own->partition);
	else
		say(p, LEVEL_WARN, "Recovering",
			"Partition %d is %s: where do both stores stand?", (int)own->partition,
			own->mode);
}

static void say_backlog(struct picture *p)
{
	const struct lag_view *v = &p->lag.total.view;
	char lag[LAG_TEXT_BYTES], behind[LAG_TEXT_BYTES], eta[LAG_TEXT_BYTES];
	lag_text_lag(lag, v);
	lag_text_seconds(behind, v->lag_seconds, v->lag_seconds_at_least);
	lag_text_seconds(eta, v->eta_seconds, false);
	/* WARN is held for a while; the forecast says when it is over. */
	if (v->state == LAG_WARN && isnan(v->eta_seconds))
		say(p, LEVEL_WARN, "Falling behind", "%s records wait, the oldest for %s; %s.",
			lag, behind, v->reason);
	else if (v->state == LAG_REWIND)
		say(p, LEVEL_WARN, "Went back", "%s; %s records wait.", v->reason, lag);
	else if ((v->lag_seconds > 5 || v->state == LAG_WARN) && !isnan(v->eta_seconds))
		say(p, LEVEL_WARN, "Catching up",
			"%s records wait, the oldest for %s; at this pace all is written in "
			"%s%s%s.",
			lag, behind, eta, v->state == LAG_WARN ? "; " : "",
			v->state == LAG_WARN ? v->reason : "");
	else if (v->lag_seconds > 5)
		say(p, LEVEL_WARN, "Behind", "%s records wait, the oldest for %s.", lag,
			behind);
	else if (first_not_running(p))
		say_recovering(p, first_not_running(p));
	else if (first_without_cache(p))
		say_rebuild(p, first_without_cache(p));
	else if (v->lag == 0)
		say(p, LEVEL_OK, "All is well", "Every record is in MySQL and in Redis%s.",
			p->deadlettered ? ", or is a dead letter" : "");
	else if (v->lag_seconds < 1)
		say(p, LEVEL_OK, "All is well", "%s record%s in hand.", lag,
			v->lag == 1 ? " is" : "s are");
	else
		say(p, LEVEL_OK, "All is well", "%s records are in hand, the oldest for %s.",
			lag, behind);
}

static void say_stopped(struct picture *p)
{
	const struct lag_view *v = &p->lag.total.view;
	char lag[LAG_TEXT_BYTES];
	if (v->state == LAG_STOP)
		say(p, LEVEL_BAD, "Nobody reads", "%s.", v->reason);
	else if (first_with_error(p))
		say(p, LEVEL_BAD, "Stalled", "%s records wait. Partition %d: %.180s",
			lag_text_lag(lag, v), (int)first_with_error(p)->partition,
			first_with_error(p)->error);
	else
		say(p, LEVEL_BAD, "Stalled", "%s.", v->reason);
}

void picture_headline(struct picture *p)
{
	const struct snapshot_partition *stopped = first_in_mode(p, "stopped");
	const struct snapshot_partition *sick = first_with_error(p);
	enum lag_state state = p->lag.total.view.state;
	if (stopped)
		say(p, LEVEL_BAD, "Stopped", "Partition %d waits for a person: %.180s",
			(int)stopped->partition, stopped->error);
	else if (p->pool.draining)
		say(p, LEVEL_WARN, "Draining",
			"The batches in hand are finished and committed, then this process "
			"leaves.");
	else if (state == LAG_STALL || state == LAG_STOP)
		say_stopped(p);
	else if (sick)
		say(p, LEVEL_WARN, "A store is in trouble", "Partition %d tries again: %.180s",
			(int)sick->partition, sick->error);
	else if (state == LAG_STATE_UNKNOWN)
		say(p, LEVEL_UNKNOWN, "Not known", "%s",
			p->lag.error[0] ? p->lag.error : p->lag.total.view.reason);
	else if (!p->pool.assigned)
		say(p, LEVEL_WARN, "Joining", "Waiting for partitions from the group.");
	else
		say_backlog(p);
}
