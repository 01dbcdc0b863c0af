/*
 * mix64: every bit of the result depends on every bit of the number: the finalizer of SplitMix64
 * (Steele, Lea, Flood 2014). With a state that grows by MIX64_STEP it is a generator whose seeds,
 * however near, diverge at once. Pure.
 */
#ifndef COMMON_MIX64_H
#define COMMON_MIX64_H

#include <stdint.h>

#define MIX64_STEP UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t mix64(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

#endif
