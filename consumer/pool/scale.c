/*
 * How many workers, and which owns what. Partitions are dealt round robin over the workers, so
 * counts that divide the partitions are the useful ones (1, 2, 3, 6 for six). A partition changes
 * its worker at a batch's end, without a rebalance: the new owner claims like any other.
 */
#include "common/log.h"
#include "consumer/pool/pool_impl.h"

#include <stdio.h>

static int target_count(const struct pool *pool, int wanted)
{
	int automatic = pool->auto_workers > 0 && pool->auto_workers < pool->partition_count
				? pool->auto_workers
				: pool->partition_count;
	int count = wanted > 0 ? wanted : automatic;

	if (wanted == 0 && count > pool->config.workers_max)
		count = pool->config.workers_max;
	if (wanted == 0 && count < pool->config.workers_min)
		count = pool->config.workers_min;
	if (count > POOL_WORKERS_MAX)
		count = POOL_WORKERS_MAX;
	return count < 1 ? 1 : count;
}

static bool is_settled(const struct pool *pool, int count)
{
	if (pool->worker_count != count)
		return false;
	for (int i = 0; i < pool->partition_count; i++) {
		if (pool->partitions[i].worker != pool->workers[i % count])
			return false;
	}
	return true;
}

static void set_count(struct pool *pool, int count)
{
	for (int i = pool->worker_count; i < count; i++) {
		struct worker *worker = worker_start(pool->pipeline, i);

		pthread_mutex_lock(&pool->mu);
		pool->workers[i] = worker;
		pool->worker_count = i + 1;
		pthread_mutex_unlock(&pool->mu);
	}
	while (pool->worker_count > count) {
		struct worker *worker = pool->workers[pool->worker_count - 1];

		pthread_mutex_lock(&pool->mu);
		pool->worker_count--;
		pthread_mutex_unlock(&pool->mu);
		worker_stop(worker);
	}
}

/* NULL: one that is still to be started. */
static const struct worker *target_of(const struct pool *pool, int item, int count, int before)
{
	return item % count < before ? pool->workers[item % count] : NULL;
}

void pool_rescale(struct pool *pool, const char *reason)
{
	int wanted = atomic_load(&pool->wanted_workers);
	int count = target_count(pool, wanted);
	int before = pool->worker_count;
	char text[160];

	if (pool->partition_count == 0)
		return;
	if (is_settled(pool, count)) {
		pthread_mutex_lock(&pool->mu);
		pool->workers_auto = wanted == 0;
		pthread_mutex_unlock(&pool->mu);
		return;
	}
	for (int i = 0; i < pool->partition_count; i++) {
		struct pool_partition *item = &pool->partitions[i];

		if (item->worker && item->worker != target_of(pool, i, count, before))
			worker_ask_back(item->worker, item->p);
	}
	/* Not by p->leave: a quick worker has let go, and cleared it, by now. */
	for (int i = 0; i < pool->partition_count; i++) {
		struct pool_partition *item = &pool->partitions[i];

		if (item->worker && item->worker != target_of(pool, i, count, before))
			pool_wait_back(pool, item);
	}
	set_count(pool, count);
	for (int i = 0; i < pool->partition_count; i++) {
		struct pool_partition *item = &pool->partitions[i];

		if (item->worker)
			continue;
		item->worker = pool->workers[i % count];
		worker_give(item->worker, item->p);
	}
	snprintf(text, sizeof(text), "%d worker%s for %d partitions (%s)%s", count,
		count == 1 ? "" : "s", pool->partition_count, reason,
		count < pool->partition_count && pool->partition_count % count
			? "; a count that divides the partitions loads them evenly"
			: "");
	pthread_mutex_lock(&pool->mu);
	pool->workers_auto = wanted == 0;
	snprintf(pool->workers_reason, sizeof(pool->workers_reason), "%s", text);
	pthread_mutex_unlock(&pool->mu);
	log_event(LOG_INFO, "workers", LOG_F("count", LOG_INT(count)),
		LOG_F("before", LOG_INT(before)), LOG_F("reason", LOG_STR(reason)));
	pool_mark(pool, "workers", text);
}

void pool_stop_workers(struct pool *pool)
{
	set_count(pool, 0);
}
