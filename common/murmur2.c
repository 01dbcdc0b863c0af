#include "common/murmur2.h"

#include <string.h>

#define MIX 0x5bd1e995u

/* MurmurHash2 (Austin Appleby, public domain) with the seed Kafka chose; little endian words. */
uint32_t murmur2(const void *data, size_t bytes)
{
	const unsigned char *at = data;
	uint32_t hash = 0x9747b28cu ^ (uint32_t)bytes;

	for (; bytes >= 4; bytes -= 4, at += 4) {
		uint32_t word = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
				(uint32_t)at[3] << 24;

		word *= MIX;
		word ^= word >> 24;
		hash = hash * MIX ^ word * MIX;
	}
	if (bytes == 3)
		hash ^= (uint32_t)at[2] << 16;
	if (bytes >= 2)
		hash ^= (uint32_t)at[1] << 8;
	if (bytes >= 1)
		hash = (hash ^ at[0]) * MIX;
	hash ^= hash >> 13;
	hash *= MIX;
	return hash ^ hash >> 15;
}
