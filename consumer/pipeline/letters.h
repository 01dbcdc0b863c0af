/*
 * letters: the batch's dead records on their way to the dead-letter topic (failure/deadletter).
 * Collected in partition->dead while decoding and when a store refuses a row; delivered before
 * MySQL commits.
 */
#ifndef CONSUMER_PIPELINE_LETTERS_H
#define CONSUMER_PIPELINE_LETTERS_H

#include "consumer/pipeline/partition.h"
#include "consumer/pipeline/pipeline.h"
#include "consumer/pipeline/verdict.h"

/* Delivers partition->dead and empties it. RETRY: the topic did not take them; they are kept. */
enum verdict letters_deliver(const struct pipeline *pipeline, struct partition *partition,
	struct store_error *error);

#endif
