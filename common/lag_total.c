#include "common/lag_total.h"

#include <math.h>
#include <stdio.h>

/* How bad, by enum lag_state: UNKNOWN is worse than OK only. */
static const int weight[] = {0, 2, 4, 5, 3, 1};

static void add_up(const struct lag_view *v, struct lag_sample *sum, size_t *known)
{
	if (v->lag < 0 && !(v->end >= 0 && v->state == LAG_OK)) /* the latter: empty */
		return;
	sum->low += v->low > 0 ? v->low : 0;
	sum->end += v->end;
	sum->committed += v->lag < 0 ? v->end : v->end - v->lag;
	++*known;
}

/*
 * The sum's slope forecasts a machine that goes on at full speed until the end; the slowest
 * partition's own, workers that cannot help each other. The truth lies between, and in recorded
 * drains nearer to the first.
 */
#define SLOWEST_SHARE 0.3

static void forecast_slowest(double slowest, struct lag_view *v)
{
	if (slowest > v->eta_seconds)
		v->eta_seconds += (slowest - v->eta_seconds) * SLOWEST_SHARE;
}

/* "At least 0" says nothing. */
static void say_known(const struct lag_partition *partitions, size_t count, struct lag_view *v)
{
	int64_t known = 0;
	for (size_t i = 0; i < count; i++)
		known += partitions[i].view.lag > 0 ? partitions[i].view.lag : 0;
	if (v->lag < 0 && known > 0)
		v->lag_known = known;
}

/* What the sum of offsets cannot say: the oldest record, and the worst state with its place. */
static void take_worst(const struct lag_partition *partitions, size_t count, struct lag_view *v)
{
	enum lag_state state = LAG_OK;
	double oldest = NAN, slowest = 0;
	bool at_least = false;
	for (size_t i = 0; i < count; i++) {
		const struct lag_partition *p = &partitions[i];
		if (weight[p->view.state] > weight[state]) {
			state = p->view.state;
			snprintf(v->reason, sizeof(v->reason), "%.40s %d: %.100s", p->topic,
				(int)p->partition, p->view.reason);
		}
		if (p->view.lag > 0 && !(p->view.lag_seconds <= oldest))
			oldest = p->view.lag_seconds;
		/* One that may be older than it says may be older than the oldest. */
		at_least |= p->view.lag > 0 && p->view.lag_seconds_at_least;
		slowest = fmax(slowest, p->view.eta_seconds); /* NAN: no forecast */
	}
	if (v->lag_known > 0) {
		v->lag_seconds = oldest;
		v->lag_seconds_at_least = at_least || v->lag < 0;
	}
	if (state != LAG_OK)
		v->state = state;
	forecast_slowest(slowest, v);
	/* A part that stands still is not forecast by the part that moves. */
	if (v->lag > 0 && (state == LAG_STALL || state == LAG_STOP))
		v->eta_seconds = v->eta_slope = NAN;
}

void lag_total_see(struct lag_total *total, const struct lag_partition *partitions,
	size_t count, int64_t now_ms, int members, struct lag_view *view)
{
	struct lag_sample sum = {.now_ms = now_ms, .members = members, .owned = true};
	size_t known = 0;
	for (size_t i = 0; i < count; i++)
		add_up(&partitions[i].view, &sum, &known);
	/* Other partitions in the sum are another series. */
	if (known != total->known || !total->track) {
		lag_track_free(total->track);
		total->track = lag_track_new(total->limits);
		total->known = known;
	}
	if (known < count || !count)
		sum.low = sum.end = sum.committed = LAG_UNKNOWN;
	lag_track_see(total->track, &sum);
	*view = *lag_track_view(total->track);
	say_known(partitions, count, view);
	take_worst(partitions, count, view);
}

void lag_total_release(struct lag_total *total)
{
	lag_track_free(total->track);
	total->track = NULL;
}
