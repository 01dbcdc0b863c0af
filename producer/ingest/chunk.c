#include "producer/ingest/chunk.h"

#include <pthread.h>
#include <stdio.h>

struct chunk_pool {
	pthread_mutex_t mu;
	pthread_cond_t freed;
	/* under mu */
	struct chunk **free;
	int free_count;
	bool stopped;
	/* set before start */
	struct chunk *all;
	int count, sinks;
};

struct chunk_pool *chunk_pool_new(int chunks, int sinks)
{
	struct chunk_pool *pool = mem_zero(1, sizeof(*pool));

	pthread_mutex_init(&pool->mu, NULL);
	pthread_cond_init(&pool->freed, NULL);
	pool->all = mem_zero((size_t)chunks, sizeof(*pool->all));
	pool->free = mem_zero((size_t)chunks, sizeof(struct chunk *));
	pool->count = pool->free_count = chunks;
	pool->sinks = sinks;
	for (int i = 0; i < chunks; i++) {
		pool->all[i].pool = pool;
		pool->all[i].encoded = mem_zero((size_t)sinks, sizeof(struct buf));
		pool->free[i] = &pool->all[i];
	}
	return pool;
}

void chunk_pool_free(struct chunk_pool *pool)
{
	if (!pool)
		return;
	for (int i = 0; i < pool->count; i++) {
		for (int sink = 0; sink < pool->sinks; sink++)
			buf_release(&pool->all[i].encoded[sink]);
		free(pool->all[i].encoded);
		buf_release(&pool->all[i].raw);
		buf_release(&pool->all[i].text);
		free(pool->all[i].records);
		free(pool->all[i].cells);
		free(pool->all[i].rejects);
	}
	free(pool->all);
	free(pool->free);
	pthread_cond_destroy(&pool->freed);
	pthread_mutex_destroy(&pool->mu);
	free(pool);
}

struct chunk *chunk_pool_get(struct chunk_pool *pool)
{
	struct chunk *chunk = NULL;

	pthread_mutex_lock(&pool->mu);
	while (pool->free_count == 0 && !pool->stopped)
		pthread_cond_wait(&pool->freed, &pool->mu);
	if (!pool->stopped)
		chunk = pool->free[--pool->free_count];
	pthread_mutex_unlock(&pool->mu);
	if (chunk) {
		chunk->raw.used = chunk->text.used = 0;
		chunk->count = chunk->reject_count = chunk->encoded_count = 0;
		for (int sink = 0; sink < pool->sinks; sink++)
			chunk->encoded[sink].used = 0;
		chunk->bytes = 0;
		chunk->mid_line = chunk->broken = false;
		chunk->fatal = NULL;
	}
	return chunk;
}

void chunk_pool_stop(struct chunk_pool *pool)
{
	pthread_mutex_lock(&pool->mu);
	pool->stopped = true;
	pthread_cond_broadcast(&pool->freed);
	pthread_mutex_unlock(&pool->mu);
}

void chunk_unref(struct chunk *chunk)
{
	struct chunk_pool *pool = chunk->pool;

	if (atomic_fetch_sub(&chunk->refs, 1) > 1)
		return;
	pthread_mutex_lock(&pool->mu);
	pool->free[pool->free_count++] = chunk;
	pthread_cond_signal(&pool->freed);
	pthread_mutex_unlock(&pool->mu);
}

struct record *chunk_add_record(struct chunk *chunk)
{
	if (chunk->count == chunk->records_room) {
		chunk->records_room = chunk->records_room ? chunk->records_room * 2 : 4096;
		chunk->records = mem_resize(
			chunk->records, chunk->records_room, sizeof(*chunk->records));
	}
	return &chunk->records[chunk->count++];
}

struct cell *chunk_cells(struct chunk *chunk, size_t row, size_t columns)
{
	size_t needed = (row + 1) * columns;

	if (needed > chunk->cells_room) {
		chunk->cells_room =
			needed > chunk->cells_room * 2 ? needed : chunk->cells_room * 2;
		chunk->cells =
			mem_resize(chunk->cells, chunk->cells_room, sizeof(*chunk->cells));
	}
	return chunk->cells + row * columns;
}

void chunk_reject(struct chunk *chunk, uint64_t line, size_t at, size_t len, const char *reason,
	const char *column)
{
	struct reject *reject;

	if (chunk->reject_count == chunk->rejects_room) {
		chunk->rejects_room = chunk->rejects_room ? chunk->rejects_room * 2 : 16;
		chunk->rejects = mem_resize(
			chunk->rejects, chunk->rejects_room, sizeof(*chunk->rejects));
	}
	reject = &chunk->rejects[chunk->reject_count++];
	*reject = (struct reject){.line = line,
		.at = (uint32_t)at,
		.len = (uint32_t)len,
		.before = (uint32_t)chunk->count,
		.reason = reason};
	snprintf(reject->column, sizeof(reject->column), "%s", column ? column : "");
}
