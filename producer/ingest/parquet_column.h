/*
 * parquet_column: one column of the row group that is being filled, and its pages.
 *
 * Values go into a dictionary as long as that is small; when it grows too large the values so far
 * are written out plainly and the rest follows (and later row groups do not try again).
 */
#ifndef PRODUCER_INGEST_PARQUET_COLUMN_H
#define PRODUCER_INGEST_PARQUET_COLUMN_H

#include "producer/ingest/chunk.h"
#include "producer/ingest/codec.h"
#include "producer/ingest/schema.h"
#include "producer/ingest/thrift.h"

enum parquet_type {
	PARQUET_BOOL = 0,
	PARQUET_INT64 = 2,
	PARQUET_DOUBLE = 5,
	PARQUET_BYTES = 6
};

#define PARQUET_WORDS 64

struct parquet_word {
	const char *text; /* NULL: none */
	uint32_t entry;
};

struct parquet_column {
	const struct column *column; /* borrowed */
	enum parquet_type type;
	bool plain; /* the dictionary was given up */
	/* of this row group */
	struct buf values; /* PLAIN: the dictionary's entries, or the values */
	struct buf indexes; /* uint32_t, one for each value */
	uint32_t entries, *slots; /* hash table of index + 1 */
	uint32_t *offsets; /* of the entries in values */
	struct parquet_word words[PARQUET_WORDS]; /* where constants were found last */
	struct buf valid; /* a byte per row, kept only from the first null on */
	uint64_t rows, nulls, count; /* count: values, that is rows - nulls */
	int64_t min_int, max_int;
	double min_double, max_double;
	struct buf min_text, max_text;
	unsigned bools; /* bits not yet in values */
};

/* What the footer says about a column chunk. */
struct parquet_chunk {
	int64_t dictionary_offset; /* -1: none */
	int64_t data_offset;
	int64_t raw_bytes, stored_bytes, values, nulls;
	bool has_range;
	char min[64], max[64];
	size_t min_len, max_len;
};

/* Kept from page to page: megabytes that are not asked of the system again. Zeroed at the start. */
struct parquet_scratch {
	struct buf body, packed;
};

enum parquet_type parquet_type_of(enum column_type type);
void parquet_column_init(struct parquet_column *c, const struct column *column);
void parquet_column_release(struct parquet_column *c);
/* The column's cells of some rows, `stride` cells apart. */
void parquet_column_add(
	struct parquet_column *c, const struct cell *cell, size_t stride, size_t rows);
/* About how much memory the row group's values take. */
size_t parquet_column_bytes(const struct parquet_column *c);
/* Appends the pages to `out`, which stands at `at` in the file, and empties the column. */
int parquet_column_write(struct parquet_column *c, enum codec codec, int64_t at,
	struct parquet_scratch *scratch, struct buf *out, struct parquet_chunk *chunk,
	struct errmsg *msg);

#endif
