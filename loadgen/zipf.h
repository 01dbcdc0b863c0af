/*
 * zipf: key k of 1..n with a probability that falls as 1/k^skew, by rejection inversion (Hoermann
 * and Derflinger 1996): no table, any n, any skew > 0. Read-only after init.
 */
#ifndef LOADGEN_ZIPF_H
#define LOADGEN_ZIPF_H

#include <stdint.h>

struct zipf {
	double n, skew, low, high, shortcut;
};

void zipf_init(struct zipf *z, uint64_t n, double skew);
/* 0 .. n - 1, the likeliest first. Advances the random state. */
uint64_t zipf_pick(const struct zipf *z, uint64_t *random);

#endif
