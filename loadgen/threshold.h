/*
 * threshold: what must hold for a run to be good, as NAME OP NUMBER with < <= > >= == !=. A figure
 * that is unknown at the end fails its threshold. Pure. parse... -> check... -> release.
 */
#ifndef LOADGEN_THRESHOLD_H
#define LOADGEN_THRESHOLD_H

#include "loadgen/summary.h"

enum threshold_op { OP_LESS, OP_AT_MOST, OP_MORE, OP_AT_LEAST, OP_EQUAL, OP_DIFFERENT };

struct threshold {
	char *text, *name;
	enum threshold_op op;
	double limit;
	bool soft; /* not the user's: rests where the answers name no offsets, if it is unknown then */
	/* from thresholds_check */
	double value;
	bool holds;
};

struct thresholds {
	struct threshold *list;
	size_t count;
};

/* Adds one; ERR_CONFIG names it and what is allowed. */
int thresholds_add(struct thresholds *t, const char *text, struct errmsg *msg);
bool thresholds_has(const struct thresholds *t, const char *name);
/* How many do not hold; each gets its value and verdict. */
size_t thresholds_check(struct thresholds *t, const struct summary *s);
/* The first that fails already in the middle of a run and is known there; or NULL. */
const struct threshold *thresholds_failed_early(
	const struct thresholds *t, const struct summary *s);
void thresholds_release(struct thresholds *t);

#endif
