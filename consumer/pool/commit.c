/*
 * The one place that commits to Kafka. A synchronous commit per worker costs 30 ms when six share
 * a handle, so workers only publish what is settled and this commits all of it at once.
 */
#include "common/log.h"
#include "consumer/pool/pool_impl.h"

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
	err = rd_kafka_commit(pool->kafka, list, !wait);
	if (err)
		log_limited(LOG_WARN, "commit_failed",
			LOG_F("error", LOG_STR(rd_kafka_err2str(err))));
	rd_kafka_topic_partition_list_destroy(list);
}
