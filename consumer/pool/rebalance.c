/*
 * What the group gives and takes. Assign: own queue for each partition before rd_kafka_assign,
 * then the workers. Revoke: workers let go after their batch, commit, queues away, then unassign.
 */
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "consumer/pipeline/log_position.h"
#include "consumer/pool/pool_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the stream starts: one record before the committed offset, so that claim can look at it. */
static void ask_committed(struct pool *pool, rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_resp_err_t err =
		rd_kafka_committed(pool->kafka, list, pool->pipeline->kafka_timeout_ms);

	if (err)
		log_event(LOG_WARN, "committed_unknown",
			LOG_F("error", LOG_STR(rd_kafka_err2str(err))));
	for (int i = 0; i < list->cnt; i++) {
		if (err)
			list->elems[i].err = err;
		if (list->elems[i].err)
			list->elems[i].offset = RD_KAFKA_OFFSET_INVALID;
	}
}

static void add_partition(struct pool *pool, rd_kafka_topic_partition_t *given)
{
	const struct route *route = mapping_route(pool->config.mapping, given->topic);
	struct pool_partition *item;
	struct partition *p;

	if (!route)
		return;
	p = partition_new(route, given->partition);
	p->committed = given->offset >= 0 ? given->offset : -1;
	p->committed_unknown = given->err != RD_KAFKA_RESP_ERR_NO_ERROR;
	given->err = RD_KAFKA_RESP_ERR_NO_ERROR;
	p->queue = rd_kafka_queue_get_partition(pool->kafka, given->topic, given->partition);
	rd_kafka_queue_forward(p->queue, NULL);
	/* Without a committed offset the claim decides; the beginning can pass nothing over, and mostly
	 * is where it will be: then no seek throws away what was fetched meanwhile. */
	p->from_start = p->committed < 0;
	p->blank = pool->pipeline->blank && !pool->ever_assigned;
	given->offset = p->committed > 0    ? p->committed - 1
			: p->committed == 0 ? 0
					    : RD_KAFKA_OFFSET_BEGINNING;
	p->stream = p->committed >= 0 ? given->offset : -1;
	atomic_store(&p->taken_mark, atomic_load(&pool->pipeline->meters->taken_bytes));
	pthread_mutex_lock(&pool->mu);
	pool->partitions = mem_resize(
		pool->partitions, (size_t)pool->partition_count + 1, sizeof(*pool->partitions));
	item = &pool->partitions[pool->partition_count++];
	*item = (struct pool_partition){
		.p = p, .committed = p->committed, .acknowledged = p->committed};
	pthread_mutex_unlock(&pool->mu);
}

/* The library knows no protocol (NULL) when the group ends while a rebalance is on its way. */
static bool is_cooperative(const struct pool *pool)
{
	const char *protocol = rd_kafka_rebalance_protocol(pool->kafka);

	return protocol && strcmp(protocol, "COOPERATIVE") == 0;
}

static void assigned(struct pool *pool, rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_error_t *error = NULL;
	rd_kafka_resp_err_t err = 0;
	char text[160];

	ask_committed(pool, list);
	for (int i = 0; i < list->cnt; i++)
		add_partition(pool, &list->elems[i]);
	if (is_cooperative(pool))
		error = rd_kafka_incremental_assign(pool->kafka, list);
	else
		err = rd_kafka_assign(pool->kafka, list);
	if (err || error)
		log_event(LOG_ERROR, "assign_failed",
			LOG_F("error", LOG_STR(error ? rd_kafka_error_string(error)
						     : rd_kafka_err2str(err))));
	if (error)
		rd_kafka_error_destroy(error);
	snprintf(text, sizeof(text), "assigned %d partitions", list->cnt);
	log_event(LOG_INFO, "assigned", LOG_F("partitions", LOG_INT(list->cnt)));
	pthread_mutex_lock(&pool->mu);
	pool->assigned = pool->ever_assigned = true;
	pthread_mutex_unlock(&pool->mu);
	pool_mark(pool, "rebalance", text);
	pool_rescale(pool, "assignment");
}

static bool is_listed(const rd_kafka_topic_partition_list_t *list, const struct partition *p)
{
	return !list || rd_kafka_topic_partition_list_find(
				(rd_kafka_topic_partition_list_t *)(uintptr_t)list,
				p->route->topic, p->id) != NULL;
}

void pool_give_up(struct pool *pool, const rd_kafka_topic_partition_list_t *list)
{
	int kept = 0;

	for (int i = 0; i < pool->partition_count; i++) {
		struct pool_partition *item = &pool->partitions[i];

		if (item->worker && is_listed(list, item->p))
			worker_ask_back(item->worker, item->p);
	}
	for (int i = 0; i < pool->partition_count; i++) {
		struct pool_partition *item = &pool->partitions[i];

		if (item->worker && is_listed(list, item->p))
			pool_wait_back(pool, item);
	}
	if (!rd_kafka_assignment_lost(pool->kafka))
		pool_commit(pool, true);
	pthread_mutex_lock(&pool->mu);
	for (int i = 0; i < pool->partition_count; i++) {
		struct pool_partition item = pool->partitions[i];

		if (!is_listed(list, item.p)) {
			pool->partitions[kept++] = item;
			continue;
		}
		(void)log_release(pool->kafka, item.p); /* it may come back */
		partition_free(item.p);
	}
	pool->partition_count = kept;
	pthread_mutex_unlock(&pool->mu);
}

static void revoked(struct pool *pool, rd_kafka_topic_partition_list_t *list)
{
	bool lost = rd_kafka_assignment_lost(pool->kafka);
	char text[160];

	pool_give_up(pool, list);
	if (lost) {
		pthread_mutex_lock(&pool->mu);
		pool->assigned = false;
		pthread_mutex_unlock(&pool->mu);
	}
	if (is_cooperative(pool)) {
		rd_kafka_error_t *error = rd_kafka_incremental_unassign(pool->kafka, list);

		if (error)
			rd_kafka_error_destroy(error);
	} else {
		rd_kafka_assign(pool->kafka, NULL);
	}
	snprintf(
		text, sizeof(text), "%s %d partitions", lost ? "lost" : "gave back", list->cnt);
	log_event(LOG_INFO, lost ? "assignment_lost" : "revoked",
		LOG_F("partitions", LOG_INT(list->cnt)));
	pool_mark(pool, "rebalance", text);
}

void pool_on_rebalance(rd_kafka_t *kafka, rd_kafka_resp_err_t err,
	rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct pool *pool = opaque;

	(void)kafka;
	atomic_fetch_add(&pool->pipeline->meters->rebalances, 1);
	if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
		assigned(pool, list);
	else
		revoked(pool, list);
}
