/*
 * The one place that commits to Kafka. A synchronous commit per worker costs 30 ms when six share
 * a handle, so workers only publish what is settled and this commits all of it at once.
 */
#include "common/clock.h"
#include "common/log.h"
#include "consumer/pool/pool_impl.h"

#define LEAST_WAIT_MS 100

static void log_failed(const char *why)
{
	log_limited(LOG_WARN, "commit_failed", LOG_F("error", LOG_STR(why)));
}

/* rd_kafka_commit() waits for a coordinator that is gone for as long as it likes. */
static void commit_in_time(struct pool *pool, const rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(pool->kafka);
	rd_kafka_resp_err_t err = rd_kafka_commit_queue(pool->kafka, list, queue, NULL, NULL);
	int64_t left_ms = pool_deadline_ms(pool) - clock_mono_ms();
	rd_kafka_event_t *event = NULL;

	if (left_ms > pool->pipeline->kafka_timeout_ms)
		left_ms = pool->pipeline->kafka_timeout_ms;
	if (left_ms < LEAST_WAIT_MS || atomic_load(&pool->drain_calls) > 1)
		left_ms = LEAST_WAIT_MS;
	if (!err)
		event = rd_kafka_queue_poll(queue, (int)left_ms);
	if (err)
		log_failed(rd_kafka_err2str(err));
	else if (!event)
		log_failed("the coordinator does not answer; the ledger has the position");
	else if (rd_kafka_event_error(event))
		log_failed(rd_kafka_event_error_string(event));
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
}

void pool_commit(struct pool *pool, bool wait)
{
	rd_kafka_topic_partition_list_t *list = NULL;
	rd_kafka_resp_err_t err;

	for (int i = 0; i < pool->partition_count; i++) {
		struct pool_partition *item = &pool->partitions[i];
		int64_t settled = atomic_load(&item->p->settled);

		if (settled < 0 || settled == item->committed)
			continue;
		if (!list)
			list = rd_kafka_topic_partition_list_new(pool->partition_count);
		rd_kafka_topic_partition_list_add(list, item->p->route->topic, item->p->id)
			->offset = settled;
		item->committed = settled;
	}
	if (!list)
		return;
	if (wait)
		commit_in_time(pool, list);
	else if ((err = rd_kafka_commit(pool->kafka, list, 1)) != 0)
		log_failed(rd_kafka_err2str(err));
	rd_kafka_topic_partition_list_destroy(list);
}
