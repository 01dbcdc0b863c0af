/*
 * apply: one batch of one partition through the steps, by the partition's mode. Knows the order
 * of the steps and nothing of threads; step.c calls it and acts on the verdict.
 *
 *	take_batch - apply_start - apply_finish - apply_commit - apply_answer
 *
 * Before apply_answer this thread may go on with the next batch, of whatever partition, as far as
 * apply_start: then both stores work at once. The next commit waits for the answer (protocol: a
 * batch, 4): MySQL is never more than one batch ahead of Redis.
 */
#ifndef CONSUMER_PIPELINE_APPLY_H
#define CONSUMER_PIPELINE_APPLY_H

#include "consumer/pipeline/letters.h"
#include "consumer/pipeline/partition.h"
#include "consumer/pipeline/pipeline.h"

/* A worker's tools; one thread's. */
struct apply_tools {
	const struct pipeline *pipeline;
	struct mysql_store *mysql;
	struct redis_store *redis;
	const struct route *route; /* of the batch in hand: the bisect probes need it */
	struct row_list rows; /* scratch of refresh */
};

/* A catch-up's batch: refreshed in Redis from what MySQL has, and done. */
enum verdict apply_catch_up(
	struct apply_tools *tools, struct partition *partition, struct store_error *error);
/*
 * Any other's: its letters, and its transaction as far as COMMIT. Any other verdict than DONE has
 * rolled back; RETRY: the same again after a while (or its records, where they were let go),
 * MOVED: claim again. After a start that was DONE comes its finish.
 */
enum verdict apply_start(
	struct apply_tools *tools, struct partition *partition, struct store_error *error);
enum verdict apply_finish(
	struct apply_tools *tools, struct partition *partition, struct store_error *error);
enum verdict apply_rollback(struct apply_tools *tools, struct store_error *error);
/*
 * COMMIT. Then a heal's batch, which is for MySQL alone, is settled; a run's goes to Redis and is
 * partition->sent until its answer.
 */
enum verdict apply_commit(
	struct apply_tools *tools, struct partition *partition, struct store_error *error);
/* Waits for the answer about partition->sent, which is settled, or to be claimed. */
enum verdict apply_answer(
	struct apply_tools *tools, struct partition *partition, struct store_error *error);

#endif
