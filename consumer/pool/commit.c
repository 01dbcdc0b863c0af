/*
 * The one place that commits to Kafka. A synchronous commit per worker costs 30 ms when six share
 * a handle, so workers only publish what is settled and this commits all of it at once.
 */
#include "common/clock.h"
#include "common/log.h"
#include "consumer/pool/pool_impl.h"

#include <string.h>

#define LEAST_WAIT_MS	 100
#define LEAST_BETWEEN_MS 5
#define AFTER_FAILURE_MS 500

static void log_failed(const char *why)
{
	log_limited(LOG_WARN, "commit_failed", LOG_F("error", LOG_STR(why)));
}

static void note_answer(
	struct pool *pool, const rd_kafka_topic_partition_t *answer, rd_kafka_resp_err_t err)
{
	for (int i = 0; i < pool->partition_count; i++) {
		struct pool_partition *item = &pool->partitions[i];

		if (item->p->id != answer->partition ||
			strcmp(item->p->route->topic, answer->topic) != 0)
			continue;
		if (err || answer->err)
			item->committed = item->acknowledged;
		else
			item->acknowledged = answer->offset;
	}
}

/* An error for all, or one for each. The last of them; 0: there was none. */
static rd_kafka_resp_err_t note_answers(
	struct pool *pool, const rd_kafka_topic_partition_list_t *list, rd_kafka_resp_err_t err)
{
	rd_kafka_resp_err_t failed = err;

	for (int i = 0; list && i < list->cnt; i++) {
		note_answer(pool, &list->elems[i], err);
		if (list->elems[i].err)
			failed = list->elems[i].err;
	}
	return failed;
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
	else if ((err = rd_kafka_event_error(event)) != 0)
		log_failed(rd_kafka_event_error_string(event));
	if (!err && !event)
		err = RD_KAFKA_RESP_ERR__TIMED_OUT;
	if (event) /* the answer has an error for each */
		list = rd_kafka_event_topic_partition_list(event);
	(void)note_answers(pool, list, err); /* what failed and stays is committed again */
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
}

/* Nothing new may come that would carry it along, so what failed is committed again, after a while. */
void pool_on_commit(rd_kafka_t *kafka, rd_kafka_resp_err_t err,
	rd_kafka_topic_partition_list_t *list, void *opaque)
{
	struct pool *pool = opaque;
	rd_kafka_resp_err_t failed;

	(void)kafka;
	if (err == RD_KAFKA_RESP_ERR__NO_OFFSET)
		return;
	failed = note_answers(pool, list, err);
	if (!failed)
		return;
	log_failed(rd_kafka_err2str(failed));
	pool->last_commit_ms = clock_mono_ms() + AFTER_FAILURE_MS;
}

void pool_commit(struct pool *pool, bool wait)
{
	rd_kafka_topic_partition_list_t *list = NULL;
	rd_kafka_resp_err_t err;

	for (int i = 0; i < pool->partition_count; i++) {
		struct pool_partition *item = &pool->partitions[i];
		int64_t settled = atomic_load(&item->p->settled);

		if (settled < 0 || settled == (wait ? item->acknowledged : item->committed))
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
		pool_on_commit(pool->kafka, err, list, pool);
	rd_kafka_topic_partition_list_destroy(list);
}

/* When the next commit is due, by the interval or because a worker has come to an end. */
static int64_t due_ms(const struct pool *pool)
{
	int64_t interval_ms = pool->pipeline->commit_interval_ms;

	if (interval_ms > LEAST_BETWEEN_MS && atomic_load(&pool->commit_wanted))
		interval_ms = LEAST_BETWEEN_MS;
	return pool->last_commit_ms + interval_ms;
}

void pool_tend_commit(struct pool *pool)
{
	int64_t now = clock_mono_ms();

	if (now < due_ms(pool))
		return;
	atomic_store(&pool->commit_wanted, false);
	pool->last_commit_ms = now;
	pool_commit(pool, false);
}

int pool_commit_wait_ms(const struct pool *pool, int ms)
{
	int64_t left = due_ms(pool) - clock_mono_ms();

	return left < 0 ? 0 : left < ms ? (int)left : ms;
}

void pool_commit_soon(void *user)
{
	struct pool *pool = user;

	atomic_store(&pool->commit_wanted, true);
	rd_kafka_queue_yield(pool->queue);
}
