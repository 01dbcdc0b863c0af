#include "producer/ingest/thrift.h"

void thrift_varint(struct buf *out, uint64_t value)
{
	char *to = buf_room(out, 10);
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		to[n++] = (char)(value | 0x80);
	to[n++] = (char)value;
	out->used += n;
}

static void zigzag(struct buf *out, int64_t value)
{
	thrift_varint(out, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static void field_header(struct thrift *t, int field, enum thrift_type type)
{
	int delta = field - t->last[t->depth];

	/* every struct of Parquet has its fields close together: the long form never occurs */
	buf_byte(t->out, delta << 4 | (int)type);
	t->last[t->depth] = field;
}

void thrift_i32(struct thrift *t, int field, int32_t value)
{
	field_header(t, field, THRIFT_I32);
	zigzag(t->out, value);
}

void thrift_i64(struct thrift *t, int field, int64_t value)
{
	field_header(t, field, THRIFT_I64);
	zigzag(t->out, value);
}

void thrift_element_binary(struct thrift *t, const void *bytes, size_t count)
{
	thrift_varint(t->out, count);
	buf_put(t->out, bytes, count);
}

void thrift_binary(struct thrift *t, int field, const void *bytes, size_t count)
{
	field_header(t, field, THRIFT_BINARY);
	thrift_element_binary(t, bytes, count);
}

void thrift_list(struct thrift *t, int field, enum thrift_type element, size_t count)
{
	field_header(t, field, THRIFT_LIST);
	if (count < 15) {
		buf_byte(t->out, (int)(count << 4) | (int)element);
	} else {
		buf_byte(t->out, 0xf0 | (int)element);
		thrift_varint(t->out, count);
	}
}

void thrift_element_i32(struct thrift *t, int32_t value)
{
	zigzag(t->out, value);
}

void thrift_begin_element(struct thrift *t)
{
	t->last[++t->depth] = 0;
}

void thrift_begin(struct thrift *t, int field)
{
	field_header(t, field, THRIFT_STRUCT);
	thrift_begin_element(t);
}

void thrift_end(struct thrift *t)
{
	buf_byte(t->out, 0);
	t->depth--;
}
