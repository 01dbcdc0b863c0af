/*
 * dead_records: the records of a batch that can never be applied, put aside until their letters are
 * delivered. One worker's thread.
 */
#ifndef CONSUMER_PIPELINE_DEAD_RECORDS_H
#define CONSUMER_PIPELINE_DEAD_RECORDS_H

#include <stddef.h>

/* One of them. `reason` and `class` are constants. */
struct dead_record {
	size_t record; /* of the batch */
	const char *reason, *class;
	char *text; /* owned */
};

/* Kept from batch to batch. Zero-initialised is empty. */
struct dead_records {
	struct dead_record *items;
	size_t count, room;
};

void dead_records_add(struct dead_records *dead, size_t record, const char *reason,
	const char *class, const char *text);
void dead_records_clear(struct dead_records *dead);
void dead_records_release(struct dead_records *dead);

#endif
