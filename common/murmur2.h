/*
 * murmur2: the hash with which Java's Kafka clients choose a key's partition, so that a key is in
 * the same partition whoever wrote it. Pure.
 */
#ifndef COMMON_MURMUR2_H
#define COMMON_MURMUR2_H

#include <stddef.h>
#include <stdint.h>

uint32_t murmur2(const void *data, size_t bytes);

/* As Java's Utils.toPositive(murmur2(key)) % partitions. */
static inline int32_t murmur2_partition(const void *key, size_t bytes, int32_t partitions)
{
	return (int32_t)((murmur2(key, bytes) & 0x7fffffff) % (uint32_t)partitions);
}

#endif
