/*
 * latency: percentiles of the last seconds, from a histogram that only grows: the difference to
 * what it was some ticks ago. Watch's thread only; a zeroed window is an empty one.
 */
#ifndef CONSUMER_WATCH_LATENCY_H
#define CONSUMER_WATCH_LATENCY_H

#include "common/metrics.h"

#include <stdbool.h>

#define LATENCY_TICKS 10

struct latency {
	double p50, p99; /* seconds, of the window; NAN when nothing came in it */
	bool p50_at_least, p99_at_least; /* it is the histogram's last bound, or more */
	uint64_t count;
	double window_seconds;
};

struct latency_window {
	uint64_t before[LATENCY_TICKS][METRIC_BUCKETS_MAX + 1];
	int ticks; /* taken so far */
};

/* Call once a second. */
void latency_tick(struct latency_window *window, const struct metric_histogram *histogram,
	struct latency *out);

#endif
