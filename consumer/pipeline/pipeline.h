/*
 * pipeline: what all workers share and only read: settings, handles, meters. Filled by the run
 * verb before the first worker starts.
 */
#ifndef CONSUMER_PIPELINE_PIPELINE_H
#define CONSUMER_PIPELINE_PIPELINE_H

#include "consumer/pipeline/meters.h"
#include "consumer/pipeline/mysql_store.h"
#include "consumer/pipeline/redis_store.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

struct deadletters;
struct gate;

struct pipeline {
	rd_kafka_t *kafka; /* the group's member; borrowed */
	const char *group;
	struct mysql_config mysql;
	struct gate *mysql_gate; /* borrowed; around what costs the server's processors */
	int mysql_concurrency; /* its limit; 0: by the server's cores */
	struct redis_config redis;
	struct deadletters *deadletters; /* borrowed */
	struct meters *meters; /* borrowed */
	size_t batch_records; /* rows of a transaction */
	size_t batch_bytes;
	size_t batch_compact; /* so many times batch_records records, while the rows are fewer */
	bool blank; /* before any worker started, the tables and the cache held nothing */
	bool start_latest; /* first start of a group: at the end instead of the beginning */
	int kafka_timeout_ms; /* for one question to the brokers */
	int64_t fence_look_ms; /* an idle partition looks at its fence so often */
	int64_t stopped_retry_ms; /* a stopped partition looks again so often */
	int64_t commit_interval_ms;
	/* Any thread: there will be nothing new to commit for a while. */
	void (*commit_soon)(void *user);
	/* Any thread: that partition's queue is below queued_min; fetch more. */
	void (*fetch_soon)(void *user, const char *topic, int32_t partition);
	size_t queued_min; /* records; 0: fetch_soon is not to be called */
	void *pool_user; /* of these two */
};

#endif
