/*
 * autoscale: how many workers `workers=auto` should have. Pure: the caller brings the clock and
 * what is known; scaler.c asks once a second.
 *
 * Up: the oldest waiting record is older than up_seconds for up_hold_ms; one useful count at a
 * time, all at once when it is far behind. Down: calm for down_hold_ms, one useful count at a
 * time. A step down that had to be taken back soon doubles the patience (up to 16 times), so it does
 * not flap; a surge long after forgets that. Trouble (a store that fails, a stopped partition) and unknown lag never change anything:
 * more workers would not help. Useful counts divide the partitions evenly.
 */
#ifndef CONSUMER_POOL_AUTOSCALE_H
#define CONSUMER_POOL_AUTOSCALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct autoscale_limits {
	double up_seconds, far_seconds, calm_seconds;
	int64_t up_hold_ms, down_hold_ms, cooldown_ms;
};
extern const struct autoscale_limits autoscale_limits_default;

struct autoscale_input {
	int64_t now_ms; /* monotonic */
	int partitions; /* assigned here */
	int workers; /* now */
	int min, max;
	double lag_seconds; /* of the worst of our partitions; NAN = unknown */
	double slope; /* records/s the lag grows by, NAN = unknown */
	bool trouble;
};

struct autoscale {
	struct autoscale_limits limits;
	int64_t behind_since_ms, calm_since_ms; /* -1 = not */
	int64_t changed_ms; /* -1 = never */
	int patience; /* factor of down_hold_ms */
	bool went_down;
};

void autoscale_init(struct autoscale *scale, const struct autoscale_limits *limits);
/* The count to have now (input->workers: no change); a change is explained in `reason`. */
int autoscale_decide(struct autoscale *scale, const struct autoscale_input *input, char *reason,
	size_t bytes);

/* The next count above (below) `count` that deals `partitions` evenly; itself at the end. */
int autoscale_useful_above(int partitions, int count);
int autoscale_useful_below(int partitions, int count);

#endif
