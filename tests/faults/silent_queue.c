/*
 * Preloaded into a consumer: after SILENT_AFTER records the queue that gave the last one gives
 * nothing more, until its partition is sought: librdkafka #4340, a queue that stays silent while
 * the broker has more. SILENT_TIMES times (1), one queue at a time.
 */
#include <dlfcn.h>
#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static _Atomic long left;
static long after;
static _Atomic int times;
static _Atomic(rd_kafka_queue_t *) silent;
static _Atomic int partition = -1;

__attribute__((constructor)) static void read_env(void)
{
	const char *records = getenv("SILENT_AFTER"), *how_often = getenv("SILENT_TIMES");

	after = records ? atol(records) : -1;
	atomic_store(&left, after);
	atomic_store(&times, how_often ? atoi(how_often) : 1);
}

rd_kafka_message_t *rd_kafka_consume_queue(rd_kafka_queue_t *queue, int timeout_ms)
{
	static rd_kafka_message_t *(*consume)(rd_kafka_queue_t *, int);
	rd_kafka_message_t *message;

	if (!consume)
		*(void **)&consume = dlsym(RTLD_NEXT, "rd_kafka_consume_queue");
	if (queue == atomic_load(&silent))
		return NULL;
	message = consume(queue, timeout_ms);
	if (message && !message->err && atomic_fetch_sub(&left, 1) == 1) {
		atomic_store(&partition, (int)message->partition);
		atomic_store(&silent, queue);
		fprintf(stderr, "silent_queue: partition %d after offset %lld\n",
			(int)message->partition, (long long)message->offset);
	}
	return message;
}

rd_kafka_error_t *rd_kafka_seek_partitions(
	rd_kafka_t *kafka, rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
	static rd_kafka_error_t *(*seek)(rd_kafka_t *, rd_kafka_topic_partition_list_t *, int);

	if (!seek)
		*(void **)&seek = dlsym(RTLD_NEXT, "rd_kafka_seek_partitions");
	for (int i = 0; i < list->cnt; i++) {
		if (list->elems[i].partition != atomic_load(&partition))
			continue;
		atomic_store(&partition, -1);
		atomic_store(&silent, NULL);
		if (atomic_fetch_sub(&times, 1) > 1)
			atomic_store(&left, after);
	}
	return seek(kafka, list, timeout_ms);
}
