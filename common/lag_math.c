#include "common/lag_math.h"

#include "common/lag_series.h"
#include "common/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A group between two owners is not a stopped one; and who the members are is known a little late. */
#define OWNERLESS_MS 4000
/* A lag that its owner works off in this time is work in hand, not a backlog. */
#define IN_HAND_S 2.0

const struct lag_limits lag_limits_default = {
	.window_ms = 10000,
	.memory_ms = 60000,
	.min_lag = 100,
	.warn_ms = 5000,
	.stall_ms = 10000,
	.stop_ms = 60000,
	.hold_ms = 30000,
};

struct lag_track {
	struct lag_limits limits;
	struct lag_view view;
	struct lag_ring ring;
	struct lag_window window;
	bool begun;
	int64_t last_end, last_committed; /* the last ones known */
	int64_t progress_ms; /* the group moved, or had nothing to do */
	int64_t owned_ms; /* somebody owned it last */
	int64_t grows_ms, shrinks_ms; /* the lag was last seen growing, not growing */
	int64_t rewound_ms; /* 0: never */
	char rewound[LAG_REASON_BYTES];
};

static const struct lag_view view_unknown = {
	.low = LAG_UNKNOWN,
	.end = LAG_UNKNOWN,
	.committed = LAG_UNKNOWN,
	.lag = LAG_UNKNOWN,
	.lag_known = LAG_UNKNOWN,
	.lag_seconds = NAN,
	.rate_in = NAN,
	.rate_out = NAN,
	.eta_seconds = NAN,
	.eta_slope = NAN,
	.state = LAG_STATE_UNKNOWN,
	.reason = "not seen yet",
};

struct lag_track *lag_track_new(const struct lag_limits *limits)
{
	struct lag_track *t = mem_zero(1, sizeof(*t));
	t->limits = *limits;
	t->view = view_unknown;
	t->last_end = t->last_committed = LAG_UNKNOWN;
	return t;
}

void lag_track_free(struct lag_track *track)
{
	free(track);
}

const struct lag_view *lag_track_view(const struct lag_track *track)
{
	return &track->view;
}

const char *lag_state_name(enum lag_state state)
{
	static const char *const names[] = {"OK", "WARN", "STALL", "STOP", "REWIND", "UNKNOWN"};
	return names[state];
}

static void __attribute__((format(printf, 3, 4)))
say(struct lag_view *v, enum lag_state state, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(v->reason, sizeof(v->reason), format, args);
	va_end(args);
	v->state = state;
}

static void rewound(
	struct lag_track *t, int64_t now_ms, const char *what, int64_t from, int64_t to)
{
	t->rewound_ms = now_ms;
	snprintf(t->rewound, sizeof(t->rewound), "%s went back from %" PRId64 " to %" PRId64,
		what, from, to);
	lag_window_clear(&t->window);
}

/* What went back since the sighting before. */
static void see_rewind(struct lag_track *t, const struct lag_sample *s)
{
	if (s->end >= 0 && s->end < t->last_end)
		rewound(t, s->now_ms, "the end of the log", t->last_end, s->end);
	else if (s->committed >= 0 && s->committed < t->last_committed)
		rewound(t, s->now_ms, "the committed offset", t->last_committed, s->committed);
}

static void see_seconds(struct lag_track *t, const struct lag_sample *s, struct lag_view *v)
{
	if (v->lag <= 0) {
		v->lag_seconds = v->lag == 0 ? 0 : NAN;
		return;
	}
	int64_t ms = 0;
	enum lag_ring_answer answer = lag_ring_time(&t->ring, s->committed, &ms);
	if (answer == LAG_RING_NOT_YET)
		return;
	v->lag_seconds = (double)(s->now_ms - ms) / 1000;
	v->lag_seconds_at_least = answer == LAG_RING_BEFORE;
}

static void see_rates(struct lag_track *t, const struct lag_sample *s, struct lag_view *v)
{
	if (v->lag < 0)
		return;
	struct lag_window_point point = {
		.ms = s->now_ms, .end = s->end, .committed = s->committed};
	lag_window_add(&t->window, &point, t->limits.memory_ms);
	bool rates =
		lag_window_rates(&t->window, t->limits.window_ms, &v->rate_in, &v->rate_out);
	double slope;
	if (v->lag == 0) {
		v->eta_seconds = 0;
	} else if (rates && (double)v->lag <= v->rate_out * IN_HAND_S) {
		v->eta_slope = v->rate_out;
		v->eta_seconds = (double)v->lag / v->rate_out;
	} else if (lag_window_drain(&t->window, t->limits.window_ms, &slope)) {
		v->eta_slope = slope;
		v->eta_seconds = (double)v->lag / slope;
	}
}

/* Growing: the lag rose over the window by more than a tenth, or by a second's arrivals. */
static bool grows(const struct lag_track *t, const struct lag_view *v)
{
	if (v->lag < t->limits.min_lag || isnan(v->rate_in))
		return false;
	const struct lag_window_point *a = lag_window_before(&t->window, t->limits.window_ms);
	const struct lag_window_point *half =
		lag_window_before(&t->window, t->limits.window_ms / 2);
	int64_t then = a->end - a->committed;
	double least = fmin((double)then / 10, v->rate_in);
	return (double)(v->lag - then) > least && v->lag > half->end - half->committed;
}

static void see_clocks(
	struct lag_track *t, const struct lag_sample *s, const struct lag_view *v)
{
	bool moved = t->begun && s->committed >= 0 && s->committed != t->last_committed;
	if (!t->begun || moved || v->lag == 0)
		t->progress_ms = s->now_ms;
	/* Found ownerless: it may have been so for ever. */
	if (!t->begun)
		t->owned_ms = s->now_ms - OWNERLESS_MS;
	if (moved || (s->members != 0 && s->owned))
		t->owned_ms = s->now_ms;
	if (grows(t, v))
		t->grows_ms = s->now_ms;
	else
		t->shrinks_ms = s->now_ms;
	t->begun = true;
	if (s->end >= 0)
		t->last_end = s->end;
	if (s->committed >= 0)
		t->last_committed = s->committed;
}

static void decide_unknown(const struct lag_sample *s, struct lag_view *v)
{
	if (s->end < 0)
		say(v, LAG_STATE_UNKNOWN, "the broker did not tell the end offset");
	else if (s->committed == LAG_NONE && s->low == s->end)
		say(v, LAG_OK, "the partition is empty and nothing was ever committed");
	else if (s->committed == LAG_NONE)
		say(v, LAG_STATE_UNKNOWN,
			"the group has committed nothing here; the log holds %" PRId64
			" records",
			s->low < 0 ? s->end : s->end - s->low);
	else
		say(v, LAG_STATE_UNKNOWN, "the broker did not tell the committed offset");
}

static void decide_idle(const struct lag_sample *s, struct lag_view *v)
{
	bool behind = s->committed > s->end;
	if (behind)
		say(v, LAG_REWIND,
			"committed %" PRId64 " is beyond the end %" PRId64
			": the topic was truncated or made anew",
			s->committed, s->end);
	else if (s->members == 0)
		say(v, LAG_OK, "nothing waits; the group has no members");
	else
		say(v, LAG_OK, "nothing waits");
}

/* Records wait, and the group does not move: how bad is it? False: it moves well enough. */
static bool decide_still(
	const struct lag_track *t, const struct lag_sample *s, struct lag_view *v)
{
	double still = (double)(s->now_ms - t->progress_ms) / 1000;
	bool ownerless = s->members != LAG_UNKNOWN && s->now_ms - t->owned_ms >= OWNERLESS_MS;
	if (ownerless && s->members == 0)
		say(v, LAG_STOP, "%" PRId64 " records wait and the group has no members",
			v->lag);
	else if (ownerless)
		say(v, LAG_STOP, "%" PRId64 " records wait and no member owns the partition",
			v->lag);
	else if (s->members == LAG_UNKNOWN && s->now_ms - t->progress_ms >= t->limits.stop_ms)
		say(v, LAG_STOP, "%" PRId64 " records wait, nobody has committed for %.0f s",
			v->lag, still);
	else if (s->now_ms - t->progress_ms >= t->limits.stall_ms)
		say(v, LAG_STALL, "%" PRId64 " records wait, no progress for %.0f s", v->lag,
			still);
	else
		return false;
	return true;
}

static void decide_moving(
	const struct lag_track *t, const struct lag_sample *s, struct lag_view *v)
{
	int64_t calm = s->now_ms - t->shrinks_ms;
	bool growing = t->grows_ms == s->now_ms;
	bool was = t->view.state == LAG_WARN;
	if (s->low >= 0 && s->committed < s->low)
		say(v, LAG_WARN, "%" PRId64 " records were deleted before the group read them",
			s->low - s->committed);
	else if (growing && calm >= t->limits.warn_ms)
		say(v, LAG_WARN, "the lag grows by %.0f records/s",
			fmax(v->rate_in - v->rate_out, 0));
	else if (was && s->now_ms - t->grows_ms < t->limits.warn_ms &&
		 v->lag >= t->limits.min_lag)
		say(v, LAG_WARN, "the lag grew until %.0f s ago",
			(double)(s->now_ms - t->grows_ms) / 1000);
	else if (!isnan(v->eta_slope))
		say(v, LAG_OK, "draining by %.0f records/s", v->eta_slope);
	else
		say(v, LAG_OK, "%" PRId64 " records in hand", v->lag);
}

void lag_track_see(struct lag_track *track, const struct lag_sample *sample)
{
	struct lag_view v = view_unknown;
	v.low = sample->low;
	v.end = sample->end;
	v.committed = sample->committed;
	see_rewind(track, sample);
	if (sample->end >= 0)
		lag_ring_add(&track->ring, sample->end, sample->now_ms);
	if (sample->end >= 0 && sample->committed >= 0)
		v.lag = sample->end > sample->committed ? sample->end - sample->committed : 0;
	v.lag_known = v.lag;
	see_seconds(track, sample, &v);
	see_rates(track, sample, &v);
	see_clocks(track, sample, &v);
	if (v.lag < 0)
		decide_unknown(sample, &v);
	else if (v.lag > 0 && decide_still(track, sample, &v))
		; /* said */
	else if (track->rewound_ms &&
		 sample->now_ms - track->rewound_ms < track->limits.hold_ms)
		say(&v, LAG_REWIND, "%s", track->rewound);
	else if (v.lag == 0)
		decide_idle(sample, &v);
	else
		decide_moving(track, sample, &v);
	track->view = v;
}

void lag_track_hint(struct lag_track *track, int64_t offset, int64_t came_ms)
{
	lag_ring_hint(&track->ring, offset, came_ms);
}

bool lag_track_wants_hint(const struct lag_track *track)
{
	const struct lag_ring *ring = &track->ring;
	int first = ring->hinted ? 1 : 0;
	return track->view.lag > 0 && ring->count > first &&
	       track->view.committed < ring->points[first].end;
}
