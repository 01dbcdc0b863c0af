#include "consumer/pipeline/log_position.h"

int log_ends(rd_kafka_t *kafka, const struct partition *p, int timeout_ms, int64_t *low,
	int64_t *high, struct errmsg *msg)
{
	rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(
		kafka, p->route->topic, p->id, low, high, timeout_ms);

	if (err)
		return errmsg_set(msg, ERR_UNAVAILABLE, "kafka: offsets of %s [%d]: %s",
			p->route->topic, p->id, rd_kafka_err2str(err));
	return 0;
}

int log_seek(rd_kafka_t *kafka, struct partition *p, int64_t offset, int timeout_ms,
	struct errmsg *msg)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_error_t *error;
	rd_kafka_resp_err_t err;

	if (p->stream == offset)
		return 0;
	p->sure = false;
	list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, p->route->topic, p->id)->offset = offset;
	error = rd_kafka_seek_partitions(kafka, list, timeout_ms);
	err = error ? rd_kafka_error_code(error) : list->elems[0].err;
	if (error)
		rd_kafka_error_destroy(error);
	rd_kafka_topic_partition_list_destroy(list);
	if (err) {
		p->stream = -1;
		return errmsg_set(msg, ERR_UNAVAILABLE, "kafka: seek of %s [%d] to %lld: %s",
			p->route->topic, p->id, (long long)offset, rd_kafka_err2str(err));
	}
	p->stream = offset;
	return 0;
}

static void pause_or_resume(rd_kafka_t *kafka, const struct partition *p, bool pause)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

	rd_kafka_topic_partition_list_add(list, p->route->topic, p->id);
	if (pause)
		rd_kafka_pause_partitions(kafka, list);
	else
		rd_kafka_resume_partitions(kafka, list);
	rd_kafka_topic_partition_list_destroy(list);
}

void log_hold(rd_kafka_t *kafka, struct partition *p)
{
	pthread_mutex_lock(&p->mu);
	atomic_store(&p->held, true);
	pause_or_resume(kafka, p, true);
	pthread_mutex_unlock(&p->mu);
}

bool log_release(rd_kafka_t *kafka, struct partition *p)
{
	rd_kafka_message_t *old;

	if (!atomic_load_explicit(&p->held, memory_order_acquire))
		return false;
	pthread_mutex_lock(&p->mu);
	while ((old = rd_kafka_consume_queue(p->queue, 0)) != NULL)
		rd_kafka_message_destroy(old);
	pause_or_resume(kafka, p, false);
	atomic_store(&p->held, false);
	pthread_mutex_unlock(&p->mu);
	p->stream = -1; /* what was fetched is gone: seek */
	return true;
}
