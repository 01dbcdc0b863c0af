/*
 * arena: memory of one batch. Blocks are kept from batch to batch, so a steady load allocates
 * nothing per record. One thread's. Zero-initialised is empty and ready.
 */
#ifndef CONSUMER_PIPELINE_ARENA_H
#define CONSUMER_PIPELINE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *first, *current;
	size_t used; /* of the current block */
	size_t bytes; /* of all blocks */
	size_t given; /* since it was clear */
};

/* Never NULL; aligned for any type. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* A copy, not NUL-terminated. */
char *arena_copy(struct arena *arena, const void *data, size_t bytes);
/* All of it is free again; blocks beyond `keep_bytes` are given back. */
void arena_clear(struct arena *arena, size_t keep_bytes);
void arena_release(struct arena *arena);

#endif
