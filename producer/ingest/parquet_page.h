/* parquet_page: the bytes of Parquet pages (format 2.x, data pages V1). Pure. */
#ifndef PRODUCER_INGEST_PARQUET_PAGE_H
#define PRODUCER_INGEST_PARQUET_PAGE_H

#include "producer/ingest/parquet_column.h"

enum parquet_page_kind { PAGE_DATA = 0, PAGE_DICTIONARY = 2 };

/* Header and compressed body behind `out`; adds to the chunk's sizes. `packed` is room to reuse. */
int parquet_page(enum parquet_page_kind kind, const struct buf *body, uint64_t values,
	bool indexed, enum codec codec, struct buf *packed, struct buf *out,
	struct parquet_chunk *chunk, struct errmsg *msg);
/* Which rows have a value, as definition levels. `valid` holds a byte per row if nulls > 0. */
void parquet_put_levels(
	struct buf *out, const struct buf *valid, uint64_t rows, uint64_t nulls);
/* Dictionary indexes, bit-packed at the width that `entries` needs. */
void parquet_put_indexes(
	struct buf *out, const uint32_t *index, uint64_t count, uint32_t entries);

#endif
