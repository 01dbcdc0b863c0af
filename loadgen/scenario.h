/*
 * scenario: a named kind of run, as a JSON file (docs/loadgen.md has the schema). It gives defaults
 * to options that nobody set, and what no option can say: rounds and the search for the knee.
 * A field that does not exist, or has the wrong type, is an ERR_CONFIG. load -> read -> release.
 */
#ifndef LOADGEN_SCENARIO_H
#define LOADGEN_SCENARIO_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCENARIO_ROUNDS_MAX  32
#define SCENARIO_WORKERS_MAX 1000 /* as the option workers */

struct scenario_search {
	double from, to, factor; /* requests/s; steps up by this factor */
	char *hold; /* how long each step is held, as in a stage */
	double lag_seconds; /* a step is good while the lag stays below */
	double precision; /* the bisection ends when the bounds are so close, 0.05 = 5 % */
};

struct scenario {
	char *name, *path;
	char *text; /* the file */
	/* NULL, -1: not given */
	char *about, *stages, *arrivals;
	int64_t workers, connections, keys;
	char **thresholds;
	size_t thresholds_count;
	int rounds[SCENARIO_ROUNDS_MAX]; /* workers of each */
	size_t rounds_count;
	bool searches;
	struct scenario_search search;
};

/* `name` is a path if it has a slash or ends in .json, else one of the installed ones. */
int scenario_load(struct scenario *s, const char *name, struct errmsg *msg);
void scenario_release(struct scenario *s);
/* The installed names, separated by blanks. Caller frees with free(). */
char *scenario_names(void);

#endif
