#include "consumer/pipeline/arena.h"

#include "common/mem.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 65536

struct arena_block {
	struct arena_block *next;
	size_t bytes;
	alignas(max_align_t) char data[];
};

static struct arena_block *new_block(struct arena *arena, size_t bytes)
{
	struct arena_block *block;

	if (bytes < BLOCK_BYTES)
		bytes = BLOCK_BYTES;
	block = mem_alloc(sizeof(*block) + bytes);
	block->next = NULL;
	block->bytes = bytes;
	arena->bytes += bytes;
	return block;
}

/* The next block with room: a kept one, or a new one linked in after the current. */
static void advance(struct arena *arena, size_t bytes)
{
	struct arena_block **link = arena->current ? &arena->current->next : &arena->first;

	if (!*link || (*link)->bytes < bytes) {
		struct arena_block *block = new_block(arena, bytes);

		block->next = *link;
		*link = block;
	}
	arena->current = *link;
	arena->used = 0;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	size_t align = alignof(max_align_t);
	void *memory;

	bytes = (bytes + align - 1) / align * align;
	if (!arena->current || arena->used + bytes > arena->current->bytes)
		advance(arena, bytes);
	memory = arena->current->data + arena->used;
	arena->used += bytes;
	arena->given += bytes;
	return memory;
}

char *arena_copy(struct arena *arena, const void *data, size_t bytes)
{
	char *copy = arena_alloc(arena, bytes);

	if (bytes)
		memcpy(copy, data, bytes);
	return copy;
}

void arena_clear(struct arena *arena, size_t keep_bytes)
{
	struct arena_block **link = &arena->first;
	size_t kept = 0;

	while (*link) {
		struct arena_block *block = *link;

		if (kept + block->bytes > keep_bytes) {
			*link = block->next;
			arena->bytes -= block->bytes;
			free(block);
		} else {
			kept += block->bytes;
			link = &block->next;
		}
	}
	arena->current = NULL;
	arena->used = arena->given = 0;
}

void arena_release(struct arena *arena)
{
	while (arena->first) {
		struct arena_block *next = arena->first->next;

		free(arena->first);
		arena->first = next;
	}
	*arena = (struct arena){0};
}
