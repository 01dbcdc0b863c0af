/*
 * decode: one Kafka record -> one row, by the route's mapping. A strict pull over the record's
 * own bytes: cells point into them; only what had escapes is copied (into the batch's arena).
 * Pure: one thread per batch, no I/O.
 */
#ifndef CONSUMER_PIPELINE_DECODE_H
#define CONSUMER_PIPELINE_DECODE_H

#include "consumer/pipeline/batch.h"

enum decode_result {
	DECODE_ROW, /* a row was added to the batch */
	DECODE_DEAD, /* it can never be one: `why` says it; nothing was added */
};

/* Why a record is dead. `reason` is a constant, a bounded label; the text is for people. */
struct decode_error {
	const char *reason; /* "not_json", "missing_field", "bad_type", "no_key", ... */
	struct errmsg msg;
};

/* Decodes batch->records[record]. A null value is a tombstone: its key is the record's key. */
enum decode_result decode_record(struct batch *batch, size_t record, struct decode_error *why);

#endif
