/*
 * lag_math: what one partition's offsets, seen again and again, say about it. Pure: no Kafka, no
 * clock, no thread; the caller hands in every observation with its time.
 *
 * The time of a record is read from a history of (end offset, when it was seen), interpolated
 * between two sightings and never beyond the first one: a record that was already there when the
 * watching began is "at least" so old, unless a hint tells its time. The history is bounded: where it is full, its older half is
 * thinned, so that the resolution falls with age and the reach does not.
 *
 * What is not known is NAN (seconds, rates) or LAG_UNKNOWN (offsets), never 0.
 */
#ifndef COMMON_LAG_MATH_H
#define COMMON_LAG_MATH_H

#include <stdbool.h>
#include <stdint.h>

#define LAG_UNKNOWN	 (-1) /* an offset or a count that nobody could tell us */
#define LAG_NONE	 (-2) /* a committed offset: the group has committed nothing here */
#define LAG_REASON_BYTES 160

enum lag_state {
	LAG_OK,
	LAG_WARN, /* it grows, or unread records were deleted */
	LAG_STALL, /* records wait, the owner does not move */
	LAG_STOP, /* records wait, nobody owns them */
	LAG_REWIND, /* the committed offset or the log went back */
	LAG_STATE_UNKNOWN,
};

struct lag_limits {
	int64_t window_ms; /* rates are taken over this much of the past */
	int64_t memory_ms; /* a drain is forecast from at most so much of the past */
	int64_t min_lag; /* WARN needs so many records */
	int64_t warn_ms; /* ... growing for so long */
	int64_t stall_ms; /* no progress for so long is STALL */
	int64_t stop_ms; /* the same where the members of the group are unknown: STOP */
	int64_t hold_ms; /* REWIND stays visible for so long */
};

extern const struct lag_limits lag_limits_default;

/* One sighting. Offsets as Kafka counts them, or LAG_UNKNOWN, LAG_NONE. */
struct lag_sample {
	int64_t now_ms; /* monotonic */
	int64_t low, end, committed;
	int members; /* of the group, or LAG_UNKNOWN */
	bool owned; /* some member has this partition; meaningful when members are known */
};

/* What is known after the last sighting. */
struct lag_view {
	int64_t low, end, committed; /* LAG_UNKNOWN, LAG_NONE */
	int64_t lag; /* end - committed, never negative; LAG_UNKNOWN */
	int64_t lag_known; /* the same; of a sum with unknown parts what the others have, or LAG_UNKNOWN */
	double lag_seconds; /* age of the oldest record not yet committed; NAN */
	bool lag_seconds_at_least; /* it is older than the watching: at least so old */
	double rate_in, rate_out; /* records/s; NAN */
	double eta_seconds; /* until the lag is gone; NAN when it does not shrink */
	double eta_slope; /* records/s the lag shrinks by, on which that is based; NAN */
	enum lag_state state;
	char reason[LAG_REASON_BYTES]; /* in words, never empty */
};

struct lag_track; /* one partition's memory */

/* `limits` is copied. */
struct lag_track *lag_track_new(const struct lag_limits *limits);
void lag_track_free(struct lag_track *track);
/* Sightings in the order of their time. */
void lag_track_see(struct lag_track *track, const struct lag_sample *sample);
/* The record at `offset`, older than the first sighting, came at `came_ms` (the same clock). */
void lag_track_hint(struct lag_track *track, int64_t offset, int64_t came_ms);
/* Would a hint at the committed offset help? */
bool lag_track_wants_hint(const struct lag_track *track);
/* Borrowed until the next call. */
const struct lag_view *lag_track_view(const struct lag_track *track);

const char *lag_state_name(enum lag_state state); /* "OK", "WARN", ... */

#endif
