/*
 * The scaler: brings autoscale.c what it decides on, once a second, from the lag observer and the
 * partitions. With several processes each looks at its own partitions only.
 */
#include "common/clock.h"
#include "common/lag.h"
#include "consumer/pool/pool_impl.h"

#include <math.h>
#include <string.h>

/* Longer than any step of a store that works; and shorter than it takes to want more workers. */
#define STUCK_MS 2500

static bool in_trouble(const struct pool *pool)
{
	for (int i = 0; i < pool->partition_count; i++) {
		struct partition *p = pool->partitions[i].p;
		char text[8];
		int64_t wall_ms;

		partition_copy_error(p, text, sizeof(text), &wall_ms);
		if (text[0] || atomic_load(&p->mode) != MODE_RUN)
			return true;
	}
	return false;
}

static const struct pool_partition *find_ours(
	const struct pool *pool, const struct lag_partition *lag)
{
	for (int i = 0; i < pool->partition_count; i++) {
		const struct partition *p = pool->partitions[i].p;

		if (p->id == lag->partition && strcmp(p->route->topic, lag->topic) == 0)
			return &pool->partitions[i];
	}
	return NULL;
}

/* Its worker hangs in one step, for whichever of its partitions: a store that does not answer. */
static bool is_stuck(const struct pool *pool, const struct pool_partition *item, int64_t now_ms)
{
	int64_t newest_ms = 0;

	for (int i = 0; i < pool->partition_count; i++) {
		int64_t progress_ms = atomic_load(&pool->partitions[i].p->progress_ms);

		if (pool->partitions[i].worker == item->worker && progress_ms > newest_ms)
			newest_ms = progress_ms;
	}
	return now_ms - newest_ms > STUCK_MS;
}

static void look(struct pool *pool, struct autoscale_input *in)
{
	struct lag_snapshot lag;

	in->lag_seconds = in->slope = NAN;
	lag_observer_snapshot(pool->observer, &lag);
	for (size_t i = 0; i < lag.count; i++) {
		const struct lag_view *view = &lag.partitions[i].view;

		const struct pool_partition *item = find_ours(pool, &lag.partitions[i]);

		/* What hangs says nothing about how many workers are needed. */
		if (!item || isnan(view->lag_seconds) ||
			(view->lag > 0 && is_stuck(pool, item, in->now_ms)))
			continue;
		if (isnan(in->lag_seconds) || view->lag_seconds > in->lag_seconds)
			in->lag_seconds = view->lag_seconds;
		if (!isnan(view->rate_in) && !isnan(view->rate_out))
			in->slope = (isnan(in->slope) ? 0 : in->slope) + view->rate_in -
				    view->rate_out;
	}
	lag_snapshot_release(&lag);
}

void pool_autoscale(struct pool *pool)
{
	struct autoscale_input in = {.now_ms = clock_mono_ms(),
		.partitions = pool->partition_count,
		.workers = pool->worker_count,
		.min = pool->config.workers_min,
		.max = pool->config.workers_max,
		.trouble = in_trouble(pool)};
	bool by_hand = atomic_load(&pool->wanted_workers) != 0;
	char reason[120];
	int count;

	if (by_hand) /* what was seen before says nothing after */
		pool->autoscale.behind_since_ms = pool->autoscale.calm_since_ms = -1;
	if (!pool->observer || pool->partition_count == 0 || by_hand)
		return;
	look(pool, &in);
	count = autoscale_decide(&pool->autoscale, &in, reason, sizeof(reason));
	if (count == in.workers)
		return;
	pool->auto_workers = count;
	pool_rescale(pool, reason);
}

void pool_observe(struct pool *pool, struct lag_observer *observer)
{
	pool->observer = observer;
}
