#include "producer/ingest/parquet_footer.h"

#include "producer/ingest/thrift.h"

static void put_statistics(struct thrift *t, const struct parquet_chunk *chunk)
{
	thrift_begin(t, 12);
	thrift_i64(t, 3, chunk->nulls);
	if (chunk->has_range) {
		thrift_binary(t, 5, chunk->max, chunk->max_len);
		thrift_binary(t, 6, chunk->min, chunk->min_len);
	}
	thrift_end(t);
}

static void put_chunk(struct thrift *t, const struct parquet_column *column,
	const struct parquet_chunk *chunk, enum codec codec)
{
	static const int32_t codecs[] = {
		[CODEC_NONE] = 0, [CODEC_SNAPPY] = 1, [CODEC_GZIP] = 2, [CODEC_ZSTD] = 6};
	bool indexed = chunk->dictionary_offset >= 0;
	const char *name = column->column->name;

	thrift_begin_element(t);
	thrift_i64(t, 2, indexed ? chunk->dictionary_offset : chunk->data_offset);
	thrift_begin(t, 3);
	thrift_i32(t, 1, (int32_t)column->type);
	thrift_list(t, 2, THRIFT_I32, indexed ? 3 : 2);
	thrift_element_i32(t, 0); /* PLAIN */
	thrift_element_i32(t, 3); /* RLE, the levels */
	if (indexed)
		thrift_element_i32(t, 8); /* RLE_DICTIONARY */
	thrift_list(t, 3, THRIFT_BINARY, 1);
	thrift_element_binary(t, name, strlen(name));
	thrift_i32(t, 4, codecs[codec]);
	thrift_i64(t, 5, chunk->values);
	thrift_i64(t, 6, chunk->raw_bytes);
	thrift_i64(t, 7, chunk->stored_bytes);
	thrift_i64(t, 9, chunk->data_offset);
	if (indexed)
		thrift_i64(t, 11, chunk->dictionary_offset);
	put_statistics(t, chunk);
	thrift_end(t);
	thrift_end(t);
}

void parquet_footer_add(struct parquet_footer *f, const struct parquet_column *columns,
	size_t count, const struct parquet_chunk *chunks, int64_t rows, enum codec codec)
{
	struct thrift t = {.out = &f->encoded};
	int64_t raw = 0;

	thrift_begin_element(&t);
	thrift_list(&t, 1, THRIFT_STRUCT, count);
	for (size_t i = 0; i < count; i++) {
		put_chunk(&t, &columns[i], &chunks[i], codec);
		raw += chunks[i].raw_bytes;
	}
	thrift_i64(&t, 2, raw);
	thrift_i64(&t, 3, rows);
	thrift_end(&t);
	f->groups++;
	f->rows += (uint64_t)rows;
}

static void put_schema(struct thrift *t, const struct parquet_column *columns, size_t count)
{
	thrift_list(t, 2, THRIFT_STRUCT, count + 1);
	thrift_begin_element(t);
	thrift_binary(t, 4, "row", 3);
	thrift_i32(t, 5, (int32_t)count);
	thrift_end(t);
	for (size_t i = 0; i < count; i++) {
		const struct column *column = columns[i].column;

		thrift_begin_element(t);
		thrift_i32(t, 1, (int32_t)columns[i].type);
		thrift_i32(t, 3, column->nullable); /* OPTIONAL or REQUIRED */
		thrift_binary(t, 4, column->name, strlen(column->name));
		if (column->type == COLUMN_STRING) {
			thrift_i32(t, 6, 0); /* UTF8, for old readers */
			thrift_begin(t, 10); /* the logical type: */
			thrift_begin(t, 1); /* STRING */
			thrift_end(t);
			thrift_end(t);
		}
		thrift_end(t);
	}
}

void parquet_footer_put(const struct parquet_footer *f, struct buf *out,
	const struct parquet_column *columns, size_t count)
{
	struct thrift t = {.out = out};
	static const char maker[] = "writethrough version " WT_VERSION;

	thrift_i32(&t, 1, 2);
	put_schema(&t, columns, count);
	thrift_i64(&t, 3, (int64_t)f->rows);
	thrift_list(&t, 4, THRIFT_STRUCT, f->groups);
	buf_put(out, f->encoded.data, f->encoded.used);
	thrift_binary(&t, 6, maker, sizeof(maker) - 1);
	thrift_list(&t, 7, THRIFT_STRUCT, count); /* each: in its type's order */
	for (size_t i = 0; i < count; i++) {
		thrift_begin_element(&t);
		thrift_begin(&t, 1);
		thrift_end(&t);
		thrift_end(&t);
	}
	thrift_end(&t);
}

void parquet_footer_release(struct parquet_footer *f)
{
	buf_release(&f->encoded);
}
