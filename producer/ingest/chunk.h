/*
 * chunk: some records on their way from the source through a worker to every sink.
 *
 * One life: pool_get() in the reader, filled by source->read, parsed by one worker, delivered in
 * `seq` order to all sinks at once (read-only from here on), chunk_unref() by each; the last one
 * puts it back. The pool's fixed number of chunks is what bounds the memory and holds the reader
 * back when a sink is slow.
 */
#ifndef PRODUCER_INGEST_CHUNK_H
#define PRODUCER_INGEST_CHUNK_H

#include "producer/ingest/buf.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A value of a row. Text points into the chunk (or into constants) and is not terminated. */
enum cell_kind {
	CELL_NULL,
	CELL_TEXT, /* string or bytes */
	CELL_CLEAN, /* string that needs no escape in JSON and no quotes in CSV */
	CELL_WORD, /* the same, and the text is a constant of the program: the place says what it is */
	CELL_INT, /* `integer`; text is its canonical form when not NULL */
	CELL_DOUBLE,
	CELL_BOOL, /* in `integer` */
};

struct cell {
	const char *text;
	uint32_t len;
	enum cell_kind kind;
	union {
		int64_t integer;
		double number;
	};
};

/* What goes to Kafka. */
struct record {
	const char *value, *key; /* key NULL: none */
	uint32_t value_len, key_len;
	uint32_t end; /* offset in the raw bytes behind this record */
};

/* A record that was left out, in the order of the input. */
struct reject {
	uint64_t line;
	uint32_t at, len; /* where it stands in raw */
	uint32_t before; /* records of the chunk that come first */
	const char *reason; /* a constant */
	bool ends_run; /* whatever --bad-rows says */
	char column[64];
};

/* Where the source stands behind a chunk; what a checkpoint holds. */
struct position {
	uint32_t file; /* index in the input's list of opened files */
	uint64_t offset; /* decoded bytes of that file */
	uint64_t line; /* lines of that file that are behind it */
	uint64_t rows; /* generated rows; records delivered for the others */
	bool mid_line; /* within a line that is split */
	bool skipping; /* within a line whose rest is dropped */
};

struct chunk_pool;

struct chunk {
	struct chunk_pool *pool;
	atomic_int refs;
	uint64_t seq;
	struct buf raw; /* what was read */
	struct buf text; /* what a worker made: JSON, formatted values */
	struct record *records;
	struct cell *cells; /* count x columns, row by row; only if a sink asked for them */
	size_t count, records_room, cells_room;
	struct buf *encoded; /* by sink: what its encode() made, in the worker */
	size_t encoded_count; /* of so many records; `count` may be less when it arrives */
	struct reject *rejects;
	size_t reject_count, rejects_room;
	struct position from, after;
	uint64_t bytes; /* of the input (compressed, if it is) that this chunk stands for */
	bool mid_line; /* begins inside a line that was too long */
	bool broken; /* one piece that can be no record: refuse it whole */
	const char *fatal; /* the parser cannot go on: a constant */
};

struct chunk_pool *chunk_pool_new(int chunks, int sinks);
void chunk_pool_free(struct chunk_pool *pool);
/* An empty chunk with no reference; waits. NULL after chunk_pool_stop(). Any thread. */
struct chunk *chunk_pool_get(struct chunk_pool *pool);
void chunk_pool_stop(struct chunk_pool *pool);
void chunk_unref(struct chunk *chunk);

/* One more record at the end; its fields are the caller's to set. */
struct record *chunk_add_record(struct chunk *chunk);
/* Cells of one more row. */
struct cell *chunk_cells(struct chunk *chunk, size_t row, size_t columns);
void chunk_reject(struct chunk *chunk, uint64_t line, size_t at, size_t len, const char *reason,
	const char *column);

#endif
