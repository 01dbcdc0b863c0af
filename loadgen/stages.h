/*
 * stages: what load is asked for, as text and as a list.
 *
 *	30s:10,60s:10-1000,4m:1000,0s
 *
 * DURATION:RATE holds, DURATION:FROM-TO ramps, DURATION alone is a pause; durations in ms, s, m, h;
 * rates in requests/s, fractions allowed. A last stage `0s` means: wait for the drain.
 * Pure; any thread.
 */
#ifndef LOADGEN_STAGES_H
#define LOADGEN_STAGES_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

#define STAGES_MAX 256

struct stage {
	double seconds;
	double from, to; /* requests/s at its start and end */
};

struct stages {
	struct stage list[STAGES_MAX];
	size_t count;
	bool wait_for_drain; /* the last stage was 0s; it is not in the list */
};

/* ERR_CONFIG names the stage and what is allowed. */
int stages_parse(struct stages *stages, const char *text, struct errmsg *msg);
/* Divides every duration, keeps every rate. */
void stages_speed_up(struct stages *stages, double factor);
double stages_seconds(const struct stages *stages);
double stages_highest_rate(const struct stages *stages);
/* As text again, to the precision that matters. Caller frees with free(). */
char *stages_text(const struct stages *stages);

#endif
