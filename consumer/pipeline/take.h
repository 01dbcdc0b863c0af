/*
 * take (steps 1 and 2): the next batch of a partition, taken and decoded. The rows of a batch are at
 * most batch_records; where later records overtake earlier ones of their key, which then are not
 * written, it goes on to batch_compact times as many records. One worker's thread.
 */
#ifndef CONSUMER_PIPELINE_TAKE_H
#define CONSUMER_PIPELINE_TAKE_H

#include "consumer/pipeline/intake.h"
#include "consumer/pipeline/pipeline.h"

/*
 * The queue stands at partition->position. READY: partition->batch is selected, its dead records are
 * put aside in its `dead`; any other answer leaves both empty.
 */
enum intake take_batch(
	const struct pipeline *pipeline, struct partition *partition, struct errmsg *msg);

/*
 * A row of a compacted batch was refused, whose records were let go: drops the batch, so that it is
 * taken from the log again, whole, as are the next ones, for a refusal seldom comes alone.
 */
void take_again_whole(const struct pipeline *pipeline, struct partition *partition);

#endif
