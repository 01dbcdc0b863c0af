/*
 * intake (step 1): the partition's queue -> batch. Takes what is there now, never waits.
 *
 * The queue must stand at the partition's position (log_seek); records below it are dropped,
 * records at or above the cap stay for later. An end-of-partition event beyond the last record
 * (control records of transactions occupy offsets) moves the batch's end without a record.
 */
#ifndef CONSUMER_PIPELINE_INTAKE_H
#define CONSUMER_PIPELINE_INTAKE_H

#include "common/err.h"
#include "consumer/pipeline/partition.h"

enum intake {
	INTAKE_EMPTY, /* nothing there */
	INTAKE_READY, /* the batch has something, or its end moved */
	INTAKE_DOUBT, /* the stream starts beyond the position: claim again, which seeks again */
	INTAKE_LOST, /* the stream is not where we thought: claim again */
};

/* A batch at the partition's position, empty. */
void intake_begin(struct partition *partition);
/* Up to max_records and max_bytes in the batch; may be called again while it took all it might. */
enum intake intake_fill(
	struct partition *partition, size_t max_records, size_t max_bytes, struct errmsg *msg);

enum log_check {
	LOG_UNKNOWN, /* nothing there yet */
	LOG_SAME, /* the record before the position is the one we applied, or is gone */
	LOG_OTHER, /* it is another record: another log */
	LOG_LOST, /* as INTAKE_LOST */
};
/* MODE_CHECK: looks at the record before check_position; the queue must stand there. */
enum log_check intake_check_log(struct partition *partition, struct errmsg *msg);

#endif
