/* thrift: Thrift's compact protocol, as far as Parquet's metadata needs it. Writes only. */
#ifndef PRODUCER_INGEST_THRIFT_H
#define PRODUCER_INGEST_THRIFT_H

#include "producer/ingest/buf.h"

enum thrift_type {
	THRIFT_TRUE = 1,
	THRIFT_FALSE = 2,
	THRIFT_I32 = 5,
	THRIFT_I64 = 6,
	THRIFT_BINARY = 8,
	THRIFT_LIST = 9,
	THRIFT_STRUCT = 12,
};

#define THRIFT_DEPTH 8

/* Zeroed at the start, with `out` set. */
struct thrift {
	struct buf *out;
	int last[THRIFT_DEPTH]; /* field ids are written as differences */
	int depth;
};

void thrift_varint(struct buf *out, uint64_t value);
void thrift_i32(struct thrift *t, int field, int32_t value);
void thrift_i64(struct thrift *t, int field, int64_t value);
void thrift_binary(struct thrift *t, int field, const void *bytes, size_t count);
/* Then `count` elements: thrift_element_* or thrift_begin_element..thrift_end. */
void thrift_list(struct thrift *t, int field, enum thrift_type element, size_t count);
void thrift_element_i32(struct thrift *t, int32_t value);
void thrift_element_binary(struct thrift *t, const void *bytes, size_t count);
void thrift_begin(struct thrift *t, int field);
void thrift_begin_element(struct thrift *t);
void thrift_end(struct thrift *t);

#endif
