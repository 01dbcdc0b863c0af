/* pool_impl: the inside of pool, for the files of this folder only. */
#ifndef CONSUMER_POOL_POOL_IMPL_H
#define CONSUMER_POOL_POOL_IMPL_H

#include "consumer/pipeline/worker.h"
#include "consumer/pool/autoscale.h"
#include "consumer/pool/pool.h"
#include "consumer/pool/refill.h"

#include <pthread.h>
#include <stdatomic.h>

#define POOL_WORKERS_MAX 256

struct pool_partition {
	struct partition *p;
	struct worker *worker; /* who was given it last; NULL = nobody */
	int64_t committed; /* what was last handed to Kafka */
	int64_t acknowledged; /* what Kafka last said it has */
	int64_t looked_ms; /* when the watchdog last asked the broker */
	int64_t behind_since_ms; /* when it saw records that nobody took; 0 = it did not */
};

struct pool {
	/* set before start */
	struct pool_config config;
	const struct pipeline *pipeline;
	rd_kafka_t *kafka;
	int64_t started_wall_ms;

	/* any thread */
	_Atomic int drain_calls;
	_Atomic int wanted_workers; /* 0 = auto */
	_Atomic bool commit_wanted; /* before the interval is over */
	rd_kafka_queue_t *queue; /* what the main thread polls; to wake it */
	struct refill *refill; /* or NULL */

	/* main thread only */
	int64_t last_commit_ms, next_watch_ms, next_rebuild_ms;
	int failed; /* an ERR_*, with why: this member can never work again */
	struct errmsg why;
	int watch_at; /* the partition that the next look begins with */
	bool left_alone; /* the group could not be left in time */
	bool unfinished;
	int64_t drain_deadline_ms; /* monotonic; 0 = nobody asked to stop */
	struct lag_observer *observer; /* borrowed; NULL = no autoscaling */
	struct autoscale autoscale;
	int auto_workers; /* what autoscale decided; 0 = one per partition */

	pthread_mutex_t mu; /* main thread writes under it, snapshots read under it */
	struct pool_partition *partitions;
	int partition_count;
	struct worker *workers[POOL_WORKERS_MAX];
	int worker_count;
	bool workers_auto;
	bool assigned; /* the group gave it its share, perhaps of nothing */
	bool ever_assigned;
	char member[256];
	char workers_reason[200];
	struct snapshot_mark marks[SNAPSHOT_MARKS]; /* ring */
	uint64_t mark_total;
};

/* rebalance.c */
void pool_on_rebalance(rd_kafka_t *kafka, rd_kafka_resp_err_t err,
	rd_kafka_topic_partition_list_t *list, void *opaque);
/* Takes the listed partitions back from their workers, commits them, forgets them. */
void pool_give_up(struct pool *pool, const rd_kafka_topic_partition_list_t *list);

/* commit.c */
void pool_commit(struct pool *pool, bool wait);
/* librdkafka's callback, on the main thread: what failed is handed over again. */
void pool_on_commit(rd_kafka_t *kafka, rd_kafka_resp_err_t err,
	rd_kafka_topic_partition_list_t *list, void *pool);
/* Commits when it is time to. */
void pool_tend_commit(struct pool *pool);
/* How long the main thread may sleep because of it, at most `ms`. */
int pool_commit_wait_ms(const struct pool *pool, int ms);
/* pipeline.commit_soon */
void pool_commit_soon(void *pool);

/* scale.c */
/* Brings threads and ownership to the wanted count; partitions move at a batch's end. */
void pool_rescale(struct pool *pool, const char *reason);
void pool_stop_workers(struct pool *pool);

/* scaler.c */
void pool_autoscale(struct pool *pool);

/* watchdog.c */
void pool_watch(struct pool *pool);
void pool_hold(struct pool *pool);

/* rebuilds.c: tells the rebuild what is wanted, and the partitions what was done. */
void pool_tend_rebuild(struct pool *pool);

void pool_mark(struct pool *pool, const char *kind, const char *text);
int64_t pool_deadline_ms(const struct pool *pool);
/* Waits until the worker let go; interrupts its stores when it takes too long. */
void pool_wait_back(struct pool *pool, struct pool_partition *item);

#endif
