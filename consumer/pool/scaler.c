/*
 * The scaler: brings autoscale.c what it decides on, once a second, from the lag observer and the
 * partitions. With several processes each looks at its own partitions only.
 */
#include "common/clock.h"
#include "common/lag.h"
#include "consumer/pool/pool_impl.h"

#include <math.h>
#include <string.h>

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

static bool is_ours(const struct pool *pool, const struct lag_partition *lag)
{
	for (int i = 0; i < pool->partition_count; i++) {
		const struct partition *p = pool->partitions[i].p;

		if (p->id == lag->partition && strcmp(p->route->topic, lag->topic) == 0)
			return true;
	}
	return false;
}

static void look(struct pool *pool, struct autoscale_input *in)
{
	struct lag_snapshot lag;

	in->lag_seconds = in->slope = NAN;
	lag_observer_snapshot(pool->observer, &lag);
	for (size_t i = 0; i < lag.count; i++) {
		const struct lag_view *view = &lag.partitions[i].view;

		if (!is_ours(pool, &lag.partitions[i]) || isnan(view->lag_seconds))
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
	char reason[120];
	int count;

	if (!pool->observer || pool->partition_count == 0 ||
		atomic_load(&pool->wanted_workers) != 0)
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
