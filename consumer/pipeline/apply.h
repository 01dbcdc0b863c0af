/*
 * apply: one batch of one partition through the steps, by the partition's mode. Knows the order
 * of the steps and nothing of threads; worker.c calls it and acts on the verdict.
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

/* Decodes the records of a batch that intake just filled; the dead ones are put aside. */
void apply_decode(struct apply_tools *tools, struct partition *partition);
/*
 * Writes the open batch as the mode asks (run: both stores; heal: MySQL alone; catch up: refresh)
 * and settles it. MOVED: claim again. RETRY: the same again after a while.
 */
enum verdict apply_batch(
	struct apply_tools *tools, struct partition *partition, struct store_error *error);

#endif
