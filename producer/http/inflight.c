#include "producer/http/inflight.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

#define UNUSED_MAX 16384

struct inflight *inflight_take(
	struct inflight_pool *pool, size_t value_length, const char *key, size_t key_length)
{
	size_t length = value_length + key_length;
	struct inflight *slot = pool->unused;

	if (slot) {
		pool->unused = slot->next;
		pool->unused_count--;
	} else {
		slot = mem_alloc(sizeof(*slot));
	}
	memset(slot, 0, offsetof(struct inflight, inline_value));
	slot->value = length > INFLIGHT_INLINE_BYTES ? mem_alloc(length) : slot->inline_value;
	slot->value_length = value_length;
	slot->record.key = memcpy(slot->value + value_length, key, key_length);
	slot->record.key_length = key_length;
	pool->admission.records++;
	pool->admission.bytes += sizeof(*slot) + length;
	return slot;
}

void inflight_wait(struct inflight_pool *pool, struct inflight *slot, int64_t deadline_ms)
{
	slot->waiting = true;
	slot->deadline_ms = deadline_ms;
	slot->prev = pool->last;
	slot->next = NULL;
	if (pool->last)
		pool->last->next = slot;
	else
		pool->first = slot;
	pool->last = slot;
}

void inflight_leave(struct inflight_pool *pool, struct inflight *slot)
{
	slot->request = NULL;
	slot->batch = NULL;
	if (!slot->waiting)
		return;
	slot->waiting = false;
	if (slot->prev)
		slot->prev->next = slot->next;
	else
		pool->first = slot->next;
	if (slot->next)
		slot->next->prev = slot->prev;
	else
		pool->last = slot->prev;
}

void inflight_drop(struct inflight_pool *pool, struct inflight *slot)
{
	inflight_leave(pool, slot);
	pool->admission.records--;
	pool->admission.bytes -= sizeof(*slot) + slot->value_length + slot->record.key_length;
	if (slot->value != slot->inline_value)
		free(slot->value);
	if (pool->unused_count < UNUSED_MAX) {
		slot->next = pool->unused;
		pool->unused = slot;
		pool->unused_count++;
	} else {
		free(slot);
	}
}

void inflight_release(struct inflight_pool *pool)
{
	while (pool->unused) {
		struct inflight *next = pool->unused->next;

		free(pool->unused);
		pool->unused = next;
	}
	pool->unused_count = 0;
}
