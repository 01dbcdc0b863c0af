#include "common/lag_series.h"

#include <math.h>
#include <string.h>

/* Less than this between two sightings says nothing about a rate. */
#define RATE_SPAN_MS  400
#define DRAIN_SPAN_MS 900
/* The forecast's memory: found on recorded drains, see weighted_slope(). */
#define MEMORY_SHARE  0.3
#define MEMORY_MIN_MS 4000.0
#define MEMORY_MAX_MS 20000.0

/*
 * Forgets about half of the older half: every second point, unless the gap that would be left is
 * far wider than usual there. A long idle time is one wide gap between two points, and without its
 * later point every record behind it would look as old as the idle time.
 */
static void ring_thin(struct lag_ring *ring)
{
	struct lag_ring_point *p = ring->points;
	int half = ring->count / 2;
	int64_t usual = (p[half].ms - p[0].ms) / (half / 2);
	int kept = 1;
	bool dropped = false;
	for (int i = 1; i < ring->count; i++) {
		bool drop = i < half && !dropped && p[i + 1].ms - p[kept - 1].ms <= 2 * usual;
		dropped = drop;
		if (!drop)
			p[kept++] = p[i];
	}
	/* Never stay full: with odd spacing the rule above may keep everything. */
	if (kept == ring->count) {
		memmove(p + 1, p + 2, (size_t)(kept - 2) * sizeof(*p));
		kept--;
	}
	ring->count = kept;
}

void lag_ring_add(struct lag_ring *ring, int64_t end, int64_t ms)
{
	struct lag_ring_point *p = ring->points;
	if (ring->count && end < p[ring->count - 1].end) {
		ring->count = 0;
		ring->hinted = false;
	}
	int n = ring->count;
	if (n >= 2 && p[n - 1].end == end && p[n - 2].end == end) {
		p[n - 1].ms = ms;
		return;
	}
	p[ring->count++] = (struct lag_ring_point){.end = end, .ms = ms};
	if (ring->count == LAG_RING_POINTS)
		ring_thin(ring);
}

void lag_ring_hint(struct lag_ring *ring, int64_t offset, int64_t ms)
{
	struct lag_ring_point *p = ring->points;
	int first = ring->hinted ? 1 : 0;
	if (ring->count <= first || offset >= p[first].end)
		return;
	if (!ring->hinted) {
		memmove(p + 1, p, (size_t)ring->count * sizeof(*p));
		ring->count++;
	}
	/* A producer's clock may be ahead of ours. */
	p[0] = (struct lag_ring_point){.end = offset, .ms = ms < p[1].ms ? ms : p[1].ms};
	ring->hinted = true;
	if (ring->count == LAG_RING_POINTS)
		ring_thin(ring);
}

enum lag_ring_answer lag_ring_time(const struct lag_ring *ring, int64_t offset, int64_t *ms)
{
	const struct lag_ring_point *p = ring->points;
	if (!ring->count || offset >= p[ring->count - 1].end)
		return LAG_RING_NOT_YET;
	if (offset < p[0].end) {
		*ms = p[0].ms;
		return LAG_RING_BEFORE;
	}
	int low = 0, high = ring->count - 1; /* p[low].end <= offset < p[high].end */
	while (high - low > 1) {
		int middle = (low + high) / 2;
		if (p[middle].end <= offset)
			low = middle;
		else
			high = middle;
	}
	double share = (double)(offset + 1 - p[low].end) / (double)(p[high].end - p[low].end);
	*ms = p[low].ms + (int64_t)(share * (double)(p[high].ms - p[low].ms));
	return LAG_RING_AT;
}

const struct lag_window_point *lag_window_at(const struct lag_window *window, int index)
{
	return &window->points[(window->first + index) % LAG_WINDOW_POINTS];
}

void lag_window_clear(struct lag_window *window)
{
	window->first = window->count = 0;
}

void lag_window_add(
	struct lag_window *window, const struct lag_window_point *point, int64_t keep_ms)
{
	/* Fast sightings share a slot, so that the slots always reach over keep_ms. */
	int64_t spacing = keep_ms / (LAG_WINDOW_POINTS - 2);
	if (window->count >= 2) {
		int last = (window->first + window->count - 1) % LAG_WINDOW_POINTS;
		if (window->points[last].ms - lag_window_at(window, window->count - 2)->ms <
			spacing) {
			window->points[last] = *point;
			return;
		}
	}
	while (window->count == LAG_WINDOW_POINTS ||
		(window->count > 2 && lag_window_at(window, 1)->ms <= point->ms - keep_ms)) {
		window->first = (window->first + 1) % LAG_WINDOW_POINTS;
		window->count--;
	}
	window->points[(window->first + window->count++) % LAG_WINDOW_POINTS] = *point;
}

const struct lag_window_point *lag_window_before(
	const struct lag_window *window, int64_t span_ms)
{
	int i = window->count - 1;
	int64_t from = lag_window_at(window, i)->ms - span_ms;
	while (i > 0 && lag_window_at(window, i)->ms > from)
		i--;
	return lag_window_at(window, i);
}

static int64_t lag_of(const struct lag_window_point *p)
{
	return p->end - p->committed;
}

bool lag_window_rates(
	const struct lag_window *window, int64_t span_ms, double *rate_in, double *rate_out)
{
	if (window->count < 2)
		return false;
	const struct lag_window_point *a = lag_window_before(window, span_ms);
	const struct lag_window_point *b = lag_window_at(window, window->count - 1);
	if (b->ms - a->ms < RATE_SPAN_MS)
		return false;
	double seconds = (double)(b->ms - a->ms) / 1000;
	*rate_in = (double)(b->end - a->end) / seconds;
	*rate_out = (double)(b->committed - a->committed) / seconds;
	return true;
}

/*
 * Records/s from point `first` on, the newest counting most: a share of the time since then is the
 * memory, so that one slow moment does not carry the forecast away and a lasting change does.
 */
static double weighted_slope(const struct lag_window *window, int first)
{
	const struct lag_window_point *now = lag_window_at(window, window->count - 1);
	double since = (double)(now->ms - lag_window_at(window, first)->ms);
	double memory = fmin(fmax(since * MEMORY_SHARE, MEMORY_MIN_MS), MEMORY_MAX_MS);
	double shrunk = 0, ms = 0;
	for (int i = first + 1; i < window->count; i++) {
		const struct lag_window_point *a = lag_window_at(window, i - 1);
		const struct lag_window_point *b = lag_window_at(window, i);
		double weight = exp(-(double)(now->ms - b->ms) / memory);
		shrunk += weight * (double)(lag_of(a) - lag_of(b));
		ms += weight * (double)(b->ms - a->ms);
	}
	return shrunk * 1000 / ms;
}

bool lag_window_drain(const struct lag_window *window, int64_t span_ms, double *slope)
{
	if (window->count < 2)
		return false;
	const struct lag_window_point *now = lag_window_at(window, window->count - 1);
	int peak = window->count - 1;
	for (int i = peak; i >= 0; i--)
		if (lag_of(lag_window_at(window, i)) > lag_of(lag_window_at(window, peak)))
			peak = i;
	const struct lag_window_point *from = lag_window_at(window, peak);
	const struct lag_window_point *recent = lag_window_before(window, span_ms);
	if (now->ms - from->ms < DRAIN_SPAN_MS)
		return false;
	if (recent->ms > from->ms && lag_of(recent) <= lag_of(now))
		return false;
	*slope = weighted_slope(window, peak);
	return *slope > 0;
}
