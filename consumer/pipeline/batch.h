/*
 * batch: the records [from, to) of one partition on their way into both stores.
 *
 * Life: batch_begin - for each record batch_add, decode_record and perhaps batch_compact -
 * batch_select - stores - batch_clear, again. batch_select may be called again after rows were
 * marked dead: an earlier record of the same key then takes the place of the dead one, unless the
 * batch was compacted. One worker thread's; buffers are kept.
 */
#ifndef CONSUMER_PIPELINE_BATCH_H
#define CONSUMER_PIPELINE_BATCH_H

#include "consumer/mapping.h"
#include "consumer/pipeline/arena.h"
#include "consumer/pipeline/dead_records.h"
#include "consumer/pipeline/key_index.h"
#include "consumer/pipeline/row.h"

#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <stdint.h>

struct sort_item;

/* Neighbours that were made in the same millisecond. */
struct stamp_run {
	int64_t ms; /* -1: they have no timestamp */
	uint64_t count;
};

struct batch {
	const struct route *route; /* borrowed */
	int32_t partition;
	int64_t generation; /* of the ledger the positions count in */
	int64_t from, to; /* offsets; to = the position after the batch */
	bool has_last; /* false: no record in it, only the position moves */
	int64_t last_timestamp; /* ms, of the last record; -1 when it has none */
	uint32_t last_digest; /* record_digest of it */
	rd_kafka_message_t **records; /* owned; in offset order; NULL: let go */
	size_t record_count, record_room;
	size_t let_go; /* so many of them */
	size_t stamped; /* last_timestamp and last_digest are of the last one of so many */
	struct stamp_run *stamps; /* of all records */
	size_t stamp_count, stamp_room;
	size_t record_bytes; /* keys and values, of all records */
	size_t held_bytes; /* of those that were not let go */
	struct dead_records dead; /* of the records, letters not yet delivered */
	size_t key_mismatches; /* records whose key is not their row's, as decoded so far */
	int64_t key_mismatch_at; /* offset of the last one */
	struct row *rows; /* decoded ones; in offset order where none was overtaken */
	size_t row_count, row_room;
	size_t live; /* rows that are not dead, as of the last batch_select */
	size_t overtaken; /* decoded records whose row a later one of their key has */
	struct key_index keys; /* of the rows, once compacted */
	struct cell *spare_cells; /* of the last row that was overtaken */
	/*
	 * What the stores write. Upsert: the last row of each key that is not dead, sorted by
	 * sort_key (so that transactions lock in one order). Append: all rows that are not dead,
	 * in offset order.
	 */
	struct row **selected;
	size_t selected_count, selected_room;
	uint64_t selection; /* of all selections in this process, which one; 0: none */
	struct sort_item *items; /* scratch of select */
	size_t item_room;
	struct arena arena;
};

void batch_begin(
	struct batch *batch, const struct route *route, int32_t partition, int64_t from);
/* Takes the message over and moves `to` behind it; decoding is the caller's next step. */
void batch_add(struct batch *batch, rd_kafka_message_t *message);
/* A zeroed row for record `record`, with room for the route's cells; valid until the next call. */
struct row *batch_add_row(struct batch *batch, size_t record);
/*
 * Upserts only, for the last row, if it is not dead: it takes the place of an earlier one of its key,
 * if there is one, and small records are let go once their row has their texts. So a batch is
 * as large as its keys, however many records they have; but a refused row's record, and what it
 * overtook, have to be taken again from the log (take_again_whole).
 */
void batch_compact(struct batch *batch);
/* Its row has all that is wanted of it. */
void batch_forget(struct batch *batch, size_t record);
void batch_select(struct batch *batch);
/* Destroys the messages; keeps the buffers. */
void batch_clear(struct batch *batch);
void batch_release(struct batch *batch);

/* CRC-32C of key, value and timestamp: tells another log from ours (protocol: "the same log?"). */
uint32_t record_digest(const rd_kafka_message_t *message);

#endif
