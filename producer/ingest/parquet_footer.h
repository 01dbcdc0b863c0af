/*
 * parquet_footer: what a Parquet file says about itself at its end. Each row group is encoded once,
 * when it is written; the encoded groups are all that a later run needs to continue the file.
 */
#ifndef PRODUCER_INGEST_PARQUET_FOOTER_H
#define PRODUCER_INGEST_PARQUET_FOOTER_H

#include "producer/ingest/codec.h"
#include "producer/ingest/parquet_column.h"

/* Zeroed at the start. */
struct parquet_footer {
	struct buf encoded; /* the row groups, one behind the other */
	uint64_t groups, rows;
};

/* `chunks`: one for each column. */
void parquet_footer_add(struct parquet_footer *f, const struct parquet_column *columns,
	size_t count, const struct parquet_chunk *chunks, int64_t rows, enum codec codec);
void parquet_footer_put(const struct parquet_footer *f, struct buf *out,
	const struct parquet_column *columns, size_t count);
void parquet_footer_release(struct parquet_footer *f);

#endif
