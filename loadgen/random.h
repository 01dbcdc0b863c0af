/*
 * random: splitmix64, reproducible from a seed. random_mix() alone makes the n-th value without
 * the ones before. Any thread with its own state.
 */
#ifndef LOADGEN_RANDOM_H
#define LOADGEN_RANDOM_H

#include <stdint.h>

static inline uint64_t random_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint64_t random_next(uint64_t *state)
{
	uint64_t x = random_mix(*state);

	*state += UINT64_C(0x9e3779b97f4a7c15);
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
