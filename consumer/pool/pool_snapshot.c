#include "common/clock.h"
#include "common/mem.h"
#include "consumer/pool/pool_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy_partition(struct snapshot_partition *out, struct partition *p, int64_t now_ms)
{
	snprintf(out->topic, sizeof(out->topic), "%s", p->route->topic);
	out->partition = p->id;
	out->owner = atomic_load(&p->owner);
	out->mode = partition_mode_name((enum partition_mode)atomic_load(&p->mode));
	out->position = atomic_load(&p->settled);
	out->applied = atomic_load(&p->applied);
	out->deadlettered = atomic_load(&p->deadlettered);
	out->errors = atomic_load(&p->errors);
	out->last_batch = atomic_load(&p->last_batch);
	for (int i = 0; i < STAGE_COUNT; i++)
		out->stage_us[i] = atomic_load(&p->stage_us[i]);
	out->progress_age_ms = now_ms - atomic_load(&p->progress_ms);
	out->rebuild_wanted = atomic_load(&p->rebuild_mark) != 0;
	out->cache_ratio = out->rebuild_wanted ? atomic_load(&p->cache_ratio) : 1;
	partition_copy_error(p, out->error, sizeof(out->error), &out->error_wall_ms);
}

static int by_topic_partition(const void *a, const void *b)
{
	const struct snapshot_partition *left = a, *right = b;
	int order = strcmp(left->topic, right->topic);

	return order ? order
		     : (left->partition > right->partition) -
			       (left->partition < right->partition);
}

static bool all_running(const struct snapshot *s)
{
	for (int i = 0; i < s->partition_count; i++) {
		if (strcmp(s->partitions[i].mode, "running") != 0 || s->partitions[i].error[0])
			return false;
	}
	return true;
}

void pool_snapshot(struct pool *pool, struct snapshot *out)
{
	int64_t now_ms = clock_mono_ms();
	uint64_t oldest;

	*out = (struct snapshot){.started_wall_ms = pool->started_wall_ms,
		.draining = atomic_load(&pool->drain_calls) > 0,
		.rebalances = atomic_load(&pool->pipeline->meters->rebalances),
		.workers_min = pool->config.workers_min,
		.workers_max = pool->config.workers_max};
	snprintf(out->group, sizeof(out->group), "%s", pool->pipeline->group);
	pthread_mutex_lock(&pool->mu);
	snprintf(out->member, sizeof(out->member), "%s", pool->member);
	snprintf(out->workers_reason, sizeof(out->workers_reason), "%s", pool->workers_reason);
	out->workers = pool->worker_count;
	out->workers_auto = pool->workers_auto;
	out->assigned = pool->assigned;
	oldest = pool->mark_total > SNAPSHOT_MARKS ? pool->mark_total - SNAPSHOT_MARKS : 0;
	for (uint64_t i = oldest; i < pool->mark_total; i++)
		out->marks[out->mark_count++] = pool->marks[i % SNAPSHOT_MARKS];
	out->partition_count = pool->partition_count;
	out->partitions = mem_zero((size_t)pool->partition_count, sizeof(*out->partitions));
	for (int i = 0; i < pool->partition_count; i++)
		copy_partition(&out->partitions[i], pool->partitions[i].p, now_ms);
	pthread_mutex_unlock(&pool->mu);
	qsort(out->partitions, (size_t)out->partition_count, sizeof(*out->partitions),
		by_topic_partition);
	out->ready = out->assigned && !out->draining && all_running(out);
}

int pool_set_workers(struct pool *pool, int count, struct errmsg *msg)
{
	if (count != 0 && (count < 1 || count > POOL_WORKERS_MAX))
		return errmsg_set(msg, ERR_CONFIG, "count %d is not from 1 to %d, nor \"auto\"",
			count, POOL_WORKERS_MAX);
	atomic_store(&pool->wanted_workers, count);
	return 0;
}
