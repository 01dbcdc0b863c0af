/*
 * claim: the start of a partition (docs/protocol). After an assignment, a restart, a reconnect, a
 * refusal, any surprise: always this. It writes nothing but a ledger row or a fence where there is
 * none, so two owners may claim at once.
 */
#ifndef CONSUMER_PIPELINE_CLAIM_H
#define CONSUMER_PIPELINE_CLAIM_H

#include "consumer/pipeline/partition.h"
#include "consumer/pipeline/pipeline.h"
#include "consumer/pipeline/verdict.h"

/*
 * Reads both stores and the log's ends and sets mode, position and cap. DONE: the mode says what
 * comes next. MOVED: somebody was faster, claim again. FATAL: never without a person (another
 * log, an expired range); the words name the command that resets.
 */
enum verdict claim_partition(const struct pipeline *pipeline, struct mysql_store *mysql,
	struct redis_store *redis, struct partition *partition, struct store_error *error);

#endif
