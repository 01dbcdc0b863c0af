/*
 * live: what a run shows while it runs, on stderr: a picture that is redrawn on a terminal
 * (live_screen), else one plain line a second. NO_COLOR is respected. Loop thread only. new -> show... -> free.
 */
#ifndef LOADGEN_LIVE_H
#define LOADGEN_LIVE_H

#include "loadgen/summary.h"

struct live;

struct live_state {
	const char *phase; /* "load", "finish", "drain" */
	double seconds; /* since the start */
	double target_rate;
	int in_flight;
	size_t backlog;
	const struct summary *summary;
};

/* `quiet`: show nothing. */
struct live *live_new(bool quiet);
/* After each interval; the row is the interval's. */
void live_show(struct live *l, const struct live_state *state, const struct stats_row *row);
/* A line of its own among the live ones. */
void live_say(struct live *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
void live_free(struct live *l);

/* "850 us", "12.3 ms", "1.25 s"; "n/a" below 0. Returns buf. */
const char *live_time(int64_t us, char *buf, size_t bytes);

#endif
