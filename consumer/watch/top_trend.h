/*
 * top_trend: the last minutes as a chart in characters: the lag over some rows, the applied rate in
 * one, and where the pool changed (rebalances, workers). Pure; fed with wall time, so that what the
 * server remembers (/history) and what was seen since are one series.
 */
#ifndef CONSUMER_WATCH_TOP_TREND_H
#define CONSUMER_WATCH_TOP_TREND_H

#include "consumer/watch/term.h"

#include <jansson.h>
#include <stdint.h>

#define TOP_TREND_POINTS  400
#define TOP_TREND_SPAN_MS 300000

struct top_trend {
	struct {
		int64_t ms;
		double lag, rate_out; /* NAN = not known */
	} points[TOP_TREND_POINTS]; /* the newest last */
	int count;
};

/* The answer of /history, before the first top_trend_add(). Any JSON will do. */
void top_trend_load(struct top_trend *trend, const json_t *history);
/* A /status; one that is not newer than the last is left out. */
void top_trend_add(struct top_trend *trend, const json_t *status);
/* `rows` + 2 lines and an empty one. `marks`: of /status, or NULL. */
void top_trend_draw(
	const struct top_trend *trend, struct term *term, int rows, const json_t *marks);

#endif
