/*
 * history: the last hour, a point a second, in bounded memory (about 250 KB). Watch's thread only.
 */
#ifndef CONSUMER_WATCH_HISTORY_H
#define CONSUMER_WATCH_HISTORY_H

#include <jansson.h>
#include <stdint.h>

#define HISTORY_POINTS 3600

struct history_point {
	int64_t wall_ms;
	double lag, lag_seconds, rate_in, rate_out; /* NAN: not known then */
	float p50, p99, deadlettered;
	int workers;
};

struct history {
	struct history_point points[HISTORY_POINTS];
	int first, count;
};

void history_add(struct history *history, const struct history_point *point);
/*
 * Columns of the points after `since_ms`, thinned to at most `max` (of each group of points the
 * one with the highest lag): {"t":[...],"lag":[...],...}. A new reference.
 */
json_t *history_json(const struct history *history, int64_t since_ms, int max);

#endif
