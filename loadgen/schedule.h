/*
 * schedule: when each request is due, in closed form over all stages from one instant; nothing
 * adds up, so nothing drifts. With c(t) = the integral of the rate, constant arrivals put request
 * n (from 0) where c(t) = n; Poisson arrivals put it where c(t) is a sum of n+1 exponential steps
 * of mean 1, which is a Poisson process of exactly that rate.
 * Pure; one thread per schedule. init, then next until it answers -1.
 */
#ifndef LOADGEN_SCHEDULE_H
#define LOADGEN_SCHEDULE_H

#include "loadgen/stages.h"

#include <stdint.h>

enum arrivals { ARRIVALS_CONSTANT, ARRIVALS_POISSON };

struct schedule {
	struct stages stages; /* copied */
	double starts[STAGES_MAX +
		      1]; /* seconds from the start, per stage; the last: the end */
	double counts[STAGES_MAX + 1]; /* c() there */
	enum arrivals arrivals;
	uint64_t random;
	size_t stage; /* where next() is */
	uint64_t made;
	double position; /* c() of the request made last, Poisson only */
};

void schedule_init(
	struct schedule *s, const struct stages *stages, enum arrivals arrivals, uint64_t seed);
/* Nanoseconds from the start to the next request; -1 when there is none. Never decreases. */
int64_t schedule_next_ns(struct schedule *s);

/* c(), its inverse, and the rate, seconds from the start; of use without next(). */
double schedule_count_at(const struct schedule *s, double seconds);
double schedule_due_seconds(const struct schedule *s, double count);
double schedule_rate_at(const struct schedule *s, double seconds);
double schedule_seconds(const struct schedule *s);
/* How many requests constant arrivals make: those with n < c(end). */
uint64_t schedule_total(const struct schedule *s);

#endif
