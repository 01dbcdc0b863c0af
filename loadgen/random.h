/*
 * random: splitmix64, reproducible from a seed. random_mix() alone makes the n-th value without
 * the ones before. Any thread with its own state.
 */
#ifndef LOADGEN_RANDOM_H
#define LOADGEN_RANDOM_H

#include "common/mix64.h"

#include <stdint.h>

static inline uint64_t random_mix(uint64_t x)
{
	return mix64(x + MIX64_STEP);
}

static inline uint64_t random_next(uint64_t *state)
{
	uint64_t x = random_mix(*state);

	*state += MIX64_STEP;
	return x;
}

/* (0, 1] from 64 random bits. */
static inline double random_share(uint64_t bits)
{
	return ((double)(bits >> 11) + 1) / 9007199254740992.0;
}

/* 0 .. bound - 1 */
static inline uint64_t random_below(uint64_t bits, uint64_t bound)
{
	return (uint64_t)(((unsigned __int128)bits * bound) >> 64);
}

#endif
