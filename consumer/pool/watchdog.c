/*
 * A partition without progress although the broker has more for it. max.poll.interval.ms is per
 * handle, so one live partition hides a dead one, and a queue can go silent after a leader change
 * (librdkafka #4340): this is ours. First it is said, then the partition starts over.
 */
#include "common/clock.h"
#include "common/log.h"
#include "consumer/pool/pool_impl.h"

#include <stdio.h>

static bool broker_has_more(struct pool *pool, const struct partition *p)
{
	int64_t low, high;

	if (rd_kafka_query_watermark_offsets(
		    pool->kafka, p->route->topic, p->id, &low, &high, 1000))
		return false; /* the broker's trouble, not the partition's */
	return high > atomic_load(&p->settled);
}

static bool has_error(struct partition *p)
{
	char text[8];
	int64_t wall_ms;

	partition_copy_error(p, text, sizeof(text), &wall_ms);
	return text[0] != 0;
}

void pool_watch(struct pool *pool)
{
	int64_t now = clock_mono_ms();

	for (int i = 0; i < pool->partition_count; i++) {
		struct pool_partition *item = &pool->partitions[i];
		int64_t since = atomic_load(&item->p->progress_ms);
		char text[160];

		if (since < item->checked_ms)
			since = item->checked_ms;
		if (now - since < pool->config.watchdog_ms || !item->worker)
			continue;
		item->checked_ms = now;
		if (has_error(item->p) || !broker_has_more(pool, item->p))
			continue;
		snprintf(text, sizeof(text),
			"%s [%d] made no progress for %lld ms: started over",
			item->p->route->topic, item->p->id,
			(long long)(now - atomic_load(&item->p->progress_ms)));
		log_event(LOG_ERROR, "partition_stalled",
			LOG_F("topic", LOG_STR(item->p->route->topic)),
			LOG_F("partition", LOG_INT(item->p->id)),
			LOG_F("worker", LOG_INT(worker_number(item->worker))),
			LOG_F("since_ms", LOG_INT(now - atomic_load(&item->p->progress_ms))));
		pool_mark(pool, "watchdog", text);
		partition_note_error(item->p, text);
		worker_ask_back(item->worker, item->p);
		worker_interrupt(item->worker);
		pool_wait_back(pool, item);
		item->p->stream = -1; /* a silent queue wakes up by a seek */
		item->worker = pool->workers[i % pool->worker_count];
		worker_give(item->worker, item->p);
	}
}
