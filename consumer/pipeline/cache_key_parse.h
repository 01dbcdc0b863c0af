/* cache_key_parse: a cache key -> the key cells of the row it belongs to. Pure. */
#ifndef CONSUMER_PIPELINE_CACHE_KEY_PARSE_H
#define CONSUMER_PIPELINE_CACHE_KEY_PARSE_H

#include "consumer/mapping.h"
#include "consumer/pipeline/arena.h"

#include <stddef.h>

#define CACHE_KEY_READINGS 32

/*
 * How many rows (their key cells only, in the arena) the template turns into exactly this key: 0,
 * 1, or more when several columns can be told apart in several ways; at most CACHE_KEY_READINGS.
 */
size_t cache_key_parse(const struct route *route, const char *key, size_t length,
	struct arena *arena, struct row **readings);

#endif
