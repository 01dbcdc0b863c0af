#include "consumer/pipeline/key_index.h"

#include "common/mem.h"
#include "common/mix64.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define SIZE_LEAST 64

static uint64_t seed;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = (uint64_t)time(NULL);
}

static uint32_t hash_of(const struct row *row)
{
	const char *at = row->sort_key;
	size_t left = row->sort_key_length;
	uint64_t hash = seed ^ left, word;

	for (; left > sizeof(word); at += sizeof(word), left -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = mix64(hash ^ word) + seed;
	}
	word = 0;
	memcpy(&word, at, left);
	return (uint32_t)mix64(hash ^ word);
}

void key_index_begin(struct key_index *index)
{
	pthread_once(&once, make_seed);
	if (index->room == 0) {
		index->room = SIZE_LEAST;
		index->slots = mem_alloc(index->room * sizeof(*index->slots));
	}
	index->size = SIZE_LEAST;
	index->count = 0;
	memset(index->slots, 0, index->size * sizeof(*index->slots));
}

void key_index_release(struct key_index *index)
{
	free(index->slots);
	*index = (struct key_index){0};
}

static void insert(struct key_slot *slots, size_t size, struct key_slot slot)
{
	size_t at = slot.hash & (size - 1);

	while (slots[at].place)
		at = (at + 1) & (size - 1);
	slots[at] = slot;
}

/* Below half full a probe ends soon. */
static void grow(struct key_index *index)
{
	size_t size = 2 * index->size;
	struct key_slot *old = index->slots;

	index->room = size > index->room ? size : index->room;
	index->slots = mem_zero(index->room, sizeof(*index->slots));
	for (size_t i = 0; i < index->size; i++) {
		if (old[i].place)
			insert(index->slots, size, old[i]);
	}
	index->size = size;
	free(old);
}

size_t key_index_put(struct key_index *index, const struct row *rows, size_t last)
{
	uint32_t hash = hash_of(&rows[last]);
	size_t at = hash & (index->size - 1);

	for (; index->slots[at].place; at = (at + 1) & (index->size - 1)) {
		const struct key_slot *slot = &index->slots[at];

		if (slot->hash == hash && row_same_key(&rows[slot->place - 1], &rows[last]))
			return slot->place - 1;
	}
	index->slots[at] = (struct key_slot){hash, (uint32_t)last + 1};
	if (2 * ++index->count >= index->size)
		grow(index);
	return last;
}
