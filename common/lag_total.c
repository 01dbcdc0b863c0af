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

/* What the sum of offsets cannot say: the oldest record, and the worst state with its place. */
static void take_worst(const struct lag_partition *partitions, size_t count, struct lag_view *v)
{
	enum lag_state state = LAG_OK;
	double oldest = NAN;
	for (size_t i = 0; i < count; i++) {
		const struct lag_partition *p = &partitions[i];
		if (weight[p->view.state] > weight[state]) {
			state = p->view.state;
			snprintf(v->reason, sizeof(v->reason), "%.40s %d: %.100s", p->topic,
				(int)p->partition, p->view.reason);
		}
		if (p->view.lag > 0 && !(p->view.lag_seconds <= oldest)) {
			oldest = p->view.lag_seconds;
			v->lag_seconds_at_least = p->view.lag_seconds_at_least;
		}
	}
	if (v->lag > 0)
		v->lag_seconds = oldest;
	if (state != LAG_OK)
		v->state = state;
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
	take_worst(partitions, count, view);
}

void lag_total_release(struct lag_total *total)
{
	lag_track_free(total->track);
	total->track = NULL;
}
