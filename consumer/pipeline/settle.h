/* settle (step 6): the stores hold the batch: its end may be committed, and it is counted. */
#ifndef CONSUMER_PIPELINE_SETTLE_H
#define CONSUMER_PIPELINE_SETTLE_H

#include "consumer/pipeline/partition.h"
#include "consumer/pipeline/pipeline.h"

/*
 * Publishes the position for the pool's next commit, counts records and end-to-end times (from
 * each record's timestamp), clears the batch.
 */
void settle_batch(
	const struct pipeline *pipeline, struct partition *partition, struct batch *batch);

#endif
