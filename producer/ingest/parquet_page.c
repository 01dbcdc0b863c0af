#include "producer/ingest/parquet_page.h"

#define ENCODING_PLAIN	 0
#define ENCODING_RLE	 3
#define ENCODING_INDEXED 8

int parquet_page(enum parquet_page_kind kind, const struct buf *body, uint64_t values,
	bool indexed, enum codec codec, struct buf *packed, struct buf *out,
	struct parquet_chunk *chunk, struct errmsg *msg)
{
	struct thrift t = {.out = out};
	size_t before = out->used;
	int err = codec_compress(codec, body->data, body->used, packed, msg);

	if (err != 0)
		return err;
	thrift_i32(&t, 1, (int32_t)kind);
	thrift_i32(&t, 2, (int32_t)body->used);
	thrift_i32(&t, 3, (int32_t)packed->used);
	thrift_begin(&t, kind == PAGE_DATA ? 5 : 7);
	thrift_i32(&t, 1, (int32_t)values);
	thrift_i32(&t, 2, indexed ? ENCODING_INDEXED : ENCODING_PLAIN);
	if (kind == PAGE_DATA) {
		thrift_i32(&t, 3, ENCODING_RLE);
		thrift_i32(&t, 4, ENCODING_RLE);
	}
	thrift_end(&t);
	thrift_end(&t);
	chunk->raw_bytes += (int64_t)(out->used - before + body->used);
	buf_put(out, packed->data, packed->used);
	chunk->stored_bytes += (int64_t)(out->used - before);
	return 0;
}

void parquet_put_levels(struct buf *out, const struct buf *valid, uint64_t rows, uint64_t nulls)
{
	size_t at = out->used;
	uint32_t len = 0;

	buf_put(out, &len, 4);
	if (nulls == 0 || nulls == rows) { /* one run of one value */
		thrift_varint(out, rows << 1);
		buf_byte(out, nulls == 0);
	} else {
		uint64_t groups = (rows + 7) / 8;

		thrift_varint(out, groups << 1 | 1);
		for (uint64_t row = 0; row < rows; row += 8) {
			unsigned bits = 0;

			for (unsigned i = 0; i < 8 && row + i < rows; i++)
				bits |= (unsigned)(unsigned char)valid->data[row + i] << i;
			buf_byte(out, (int)bits);
		}
	}
	len = (uint32_t)(out->used - at - 4);
	memcpy(out->data + at, &len, 4);
}

void parquet_put_indexes(
	struct buf *out, const uint32_t *index, uint64_t count, uint32_t entries)
{
	unsigned width = entries > 1 ? 32 - (unsigned)__builtin_clz(entries - 1) : 0;
	uint64_t groups = (count + 7) / 8;
	uint64_t bits = 0;
	unsigned held = 0;
	char *to;

	buf_byte(out, (int)width);
	if (width == 0) { /* one entry: a run of index 0 */
		if (count > 0)
			thrift_varint(out, count << 1);
		return;
	}
	if (count == 0)
		return;
	thrift_varint(out, groups << 1 | 1);
	to = buf_room(out, groups * width + 8);
	for (uint64_t i = 0; i < groups * 8; i++) {
		bits |= (uint64_t)(i < count ? index[i] : 0) << held;
		for (held += width; held >= 8; held -= 8, bits >>= 8)
			*to++ = (char)bits;
	}
	out->used += groups * width;
}
