/* csv_row: a row's cells as one line of CSV (RFC 4180, but lines end with LF). */
#ifndef PRODUCER_INGEST_CSV_ROW_H
#define PRODUCER_INGEST_CSV_ROW_H

#include "producer/ingest/buf.h"
#include "producer/ingest/chunk.h"
#include "producer/ingest/schema.h"

#include <stdbool.h>

struct csv_style {
	char delimiter;
	const char *null_text; /* what stands for null; borrowed */
};

/* Appends the line with its end. Quotes only where they are needed. Any thread. */
void csv_put_row(struct buf *out, const struct csv_style *style, const struct cell *cells,
	size_t columns);
/* The line of names. */
void csv_put_header(
	struct buf *out, const struct csv_style *style, const struct schema *schema);

#endif
