/*
 * pool: the group's member and its workers: who runs the pipeline for which partition.
 *
 * The main thread owns it: pool_new - pool_run (until drained) - pool_free. It polls the main
 * Kafka queue (rebalances, errors), commits for all partitions, watches for stuck ones. Other
 * threads may call only what stands under "any thread".
 */
#ifndef CONSUMER_POOL_POOL_H
#define CONSUMER_POOL_POOL_H

#include "consumer/pipeline/pipeline.h"
#include "consumer/pipeline/rebuild.h"
#include "consumer/watch/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

struct pool;
struct lag_observer;

struct pool_config {
	/* borrowed; pool_new sets its kafka handle and commit_soon */
	const struct pipeline *pipeline;
	const struct mapping *mapping; /* borrowed; its topics are subscribed to */
	rd_kafka_conf_t *conf; /* owned by the callee */
	int workers; /* 0 = auto */
	int workers_min, workers_max;
	int64_t workers_calm_ms; /* auto: calm for so long before a step down; 0: the default */
	int64_t drain_timeout_ms;
	int64_t watchdog_ms;
	uint64_t
		hold_bytes; /* a waiting partition is not fetched for once the others took so much */
	struct rebuild *rebuild; /* borrowed; NULL: caches are not rebuilt */
};

int pool_new(struct pool **out, struct pool_config *config, struct pipeline *pipeline,
	struct errmsg *msg);
/* Lets workers=auto follow the lag; borrowed, must live until pool_run returns. */
void pool_observe(struct pool *pool, struct lag_observer *observer);
/* Joins the group and works until pool_drain(). 0, or ERR_UNFINISHED when the deadline passed. */
int pool_run(struct pool *pool, struct errmsg *msg);
void pool_free(struct pool *pool);

/* ---- any thread ---- */

/* Finish the batches in hand, commit, leave the group. A second call means now. Signal-safe. */
void pool_drain(struct pool *pool);
/* 0 = auto. ERR_CONFIG when out of bounds; takes effect within a moment, without a rebalance. */
int pool_set_workers(struct pool *pool, int count, struct errmsg *msg);
/* Caller releases with snapshot_release(). */
void pool_snapshot(struct pool *pool, struct snapshot *out);

#endif
