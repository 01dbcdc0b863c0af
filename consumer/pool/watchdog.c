/*
 * A partition without progress although the broker has more for it. max.poll.interval.ms is per
 * handle, so one live partition hides a dead one, and a queue can go silent after a leader change
 * (librdkafka #4340): this is ours. First it is said, then the partition starts over.
 */
#include "common/clock.h"
#include "common/log.h"
#include "consumer/pipeline/log_position.h"
#include "consumer/pool/pool_impl.h"

#include <stdio.h>

#define ASK_MS 1000

static bool broker_has_more(struct pool *pool, const struct partition *p)
{
	int64_t low, high;

	if (rd_kafka_query_watermark_offsets(
		    pool->kafka, p->route->topic, p->id, &low, &high, ASK_MS))
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

/*
 * Two looks, half the limit apart: at the first one a partition that was idle may just have got a
 * record; at the second one that record is still there, and nothing has moved.
 */
static bool is_stalled(struct pool *pool, struct pool_partition *item, int64_t now)
{
	int64_t progress_ms = atomic_load(&item->p->progress_ms);
	bool again = item->behind_since_ms > progress_ms;

	if (!item->worker || now - progress_ms < pool->config.watchdog_ms / 2 ||
		now - item->looked_ms < pool->config.watchdog_ms / 2)
		return false;
	item->looked_ms = now;
	if (has_error(item->p) || !broker_has_more(pool, item->p)) {
		item->behind_since_ms = 0;
		return false;
	}
	if (!again)
		item->behind_since_ms = now;
	return again && atomic_load(&item->p->progress_ms) == progress_ms;
}

static void start_over(struct pool *pool, struct pool_partition *item, int number)
{
	struct partition *p = item->p;
	int64_t since_ms = clock_mono_ms() - atomic_load(&p->progress_ms);
	char text[160];

	snprintf(text, sizeof(text), "%s [%d] made no progress for %lld ms: started over",
		p->route->topic, p->id, (long long)since_ms);
	log_event(LOG_ERROR, "partition_stalled", LOG_F("topic", LOG_STR(p->route->topic)),
		LOG_F("partition", LOG_INT(p->id)),
		LOG_F("worker", LOG_INT(worker_number(item->worker))),
		LOG_F("since_ms", LOG_INT(since_ms)));
	pool_mark(pool, "watchdog", text);
	partition_note_error(p, text);
	worker_ask_back(item->worker, p);
	worker_interrupt(item->worker);
	pool_wait_back(pool, item);
	p->error_noted = true; /* the next success clears it */
	p->stream = -1; /* a silent queue wakes up by a seek */
	p->from_start = false;
	item->behind_since_ms = 0;
	item->worker = pool->workers[number % pool->worker_count];
	worker_give(item->worker, p);
}

/*
 * A queue that nobody takes from while the others take this much pins their memory (log_hold). In
 * a pool that is only busy every partition has its turn much sooner.
 */
void pool_hold(struct pool *pool)
{
	uint64_t taken = atomic_load(&pool->pipeline->meters->taken_bytes);

	for (int i = 0; i < pool->partition_count; i++) {
		struct partition *p = pool->partitions[i].p;
		uint64_t mark = atomic_load(&p->taken_mark); /* perhaps newer than `taken` */

		if (mark > taken || taken - mark < pool->config.hold_bytes ||
			atomic_load(&p->held))
			continue;
		if (rd_kafka_queue_length(p->queue) > 0)
			log_hold(pool->kafka, p);
		else
			atomic_store(&p->taken_mark, taken);
	}
}

void pool_watch(struct pool *pool)
{
	int64_t now = clock_mono_ms();

	/* A broker that does not answer holds up everything else here: the rest at the next look. */
	for (int i = 0; i < pool->partition_count && !atomic_load(&pool->drain_calls) &&
			clock_mono_ms() - now < ASK_MS;
		i++) {
		int at = pool->watch_at++ % pool->partition_count;

		if (is_stalled(pool, &pool->partitions[at], now))
			start_over(pool, &pool->partitions[at], at);
	}
	pool->watch_at %= pool->partition_count ? pool->partition_count : 1;
}
