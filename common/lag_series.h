/*
 * lag_series: the two memories behind lag_math. lag_ring remembers when the log had which end, as
 * far back as the watching goes, in bounded space; lag_window remembers the last seconds exactly.
 * Pure, one thread; a zeroed struct is an empty one.
 */
#ifndef COMMON_LAG_SERIES_H
#define COMMON_LAG_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#define LAG_RING_POINTS	  512
#define LAG_WINDOW_POINTS 128

struct lag_ring_point {
	int64_t end, ms;
};

struct lag_ring {
	struct lag_ring_point points[LAG_RING_POINTS];
	int count;
	bool hinted; /* points[0] is not a sighting, see lag_ring_hint */
};

/* In the order of time. An end that went back is another log: what was known is forgotten. */
void lag_ring_add(struct lag_ring *ring, int64_t end, int64_t ms);

/*
 * Something else knows when the record at `offset` came, from before the first sighting: the
 * history reaches back to it. Replaces an earlier hint; nothing happens behind the first sighting.
 */
void lag_ring_hint(struct lag_ring *ring, int64_t offset, int64_t ms);

enum lag_ring_answer {
	LAG_RING_NOT_YET, /* no such record has been seen */
	LAG_RING_AT, /* it came at *ms */
	LAG_RING_BEFORE, /* it was there at *ms already, when the watching began */
};
/* When did the record at `offset` come? */
enum lag_ring_answer lag_ring_time(const struct lag_ring *ring, int64_t offset, int64_t *ms);

struct lag_window_point {
	int64_t ms, end, committed;
};

struct lag_window {
	struct lag_window_point points[LAG_WINDOW_POINTS];
	int first, count;
};

/* Drops what is older than `keep_ms`, but never all of the past. */
void lag_window_add(
	struct lag_window *window, const struct lag_window_point *point, int64_t keep_ms);
void lag_window_clear(struct lag_window *window);
/* 0 = the oldest. */
const struct lag_window_point *lag_window_at(const struct lag_window *window, int index);
/* Records/s over the last `span_ms`; false when there is too little to say. */
bool lag_window_rates(
	const struct lag_window *window, int64_t span_ms, double *rate_in, double *rate_out);
/* The point from which a span that ends now begins: the newest that is at least so old, or the oldest. */
const struct lag_window_point *lag_window_before(
	const struct lag_window *window, int64_t span_ms);
/*
 * How fast the lag shrinks, records/s, since its last peak and never from before it (a drain that
 * begins after a stop is forecast by its own speed); what is long ago counts less. False when it
 * does not shrink, also in the last `span_ms` alone, or when the peak is too recent.
 */
bool lag_window_drain(const struct lag_window *window, int64_t span_ms, double *slope);

#endif
