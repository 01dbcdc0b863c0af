/*
 * key_index: which row of a batch has this key? Open addressing with linear probing; it starts
 * small for each batch and doubles. Hashes carry a seed of the process: nobody outside can choose
 * keys that collide. One worker thread's.
 *
 * Life: zero-initialised - key_index_begin for each batch - key_index_put - key_index_release.
 */
#ifndef CONSUMER_PIPELINE_KEY_INDEX_H
#define CONSUMER_PIPELINE_KEY_INDEX_H

#include "consumer/pipeline/row.h"

#include <stddef.h>
#include <stdint.h>

struct key_slot {
	uint32_t hash; /* the low half of it */
	uint32_t place; /* index of the row + 1; 0: free */
};

struct key_index {
	struct key_slot *slots;
	size_t room; /* of slots */
	size_t size; /* of the table in them, a power of two; 0: to be begun */
	size_t count;
};

void key_index_begin(struct key_index *index);
void key_index_release(struct key_index *index);
/*
 * The place of the row that has the key of rows[last]: an earlier one, or `last` itself, which has
 * it from now on. Each row it was asked about stays at its place, with its key.
 */
size_t key_index_put(struct key_index *index, const struct row *rows, size_t last);

#endif
