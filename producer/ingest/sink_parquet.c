/*
 * The parquet sink, written after the format's specification (Debian has no C library for it).
 *
 *	PAR1, row groups, footer, its length, PAR1
 *	a row group: per column a dictionary page (or none) and one data page
 * A row group is full at --row-group rows or 64 MiB. Text columns are STRING, lines are plain
 * BYTE_ARRAY. The footer comes last, so a file that was cut off has none: no --checkpoint.
 */
#include "producer/ingest/outfile.h"
#include "producer/ingest/parquet_column.h"
#include "producer/ingest/sink.h"
#include "producer/ingest/source.h"

#include <stdio.h>

#define GROUP_BYTES (64u * 1024 * 1024)
#define MAGIC	    "PAR1"

struct group {
	struct parquet_chunk *chunks; /* one per column */
	int64_t rows;
};

struct parquet {
	struct sink sink;
	struct outfile file;
	enum codec codec;
	struct parquet_column *columns;
	size_t column_count;
	int64_t group_rows; /* in the open group */
	struct group *groups;
	size_t group_count;
	struct buf out;
	uint64_t records;
};

static int write_group(struct parquet *p, struct errmsg *msg)
{
	struct group *group;
	int err = 0;

	if (p->group_rows == 0)
		return 0;
	p->groups = mem_resize(p->groups, p->group_count + 1, sizeof(*p->groups));
	group = &p->groups[p->group_count++];
	group->chunks = mem_zero(p->column_count, sizeof(*group->chunks));
	group->rows = p->group_rows;
	for (size_t i = 0; err == 0 && i < p->column_count; i++) {
		p->out.used = 0;
		err = parquet_column_write(&p->columns[i], p->codec, (int64_t)p->file.written,
			&p->out, &group->chunks[i], msg);
		if (err == 0)
			err = outfile_write(&p->file, p->out.data, p->out.used, msg);
	}
	p->group_rows = 0;
	atomic_store_explicit(&p->sink.bytes, p->file.written, memory_order_relaxed);
	return err;
}

static int parquet_write(struct sink *sink, const struct chunk *chunk, struct errmsg *msg)
{
	struct parquet *p = (struct parquet *)sink;
	size_t bytes = 0;

	for (size_t row = 0; row < chunk->count;) {
		size_t left = (size_t)(sink->options->row_group - p->group_rows);
		size_t rows = chunk->count - row < left ? chunk->count - row : left;

		for (size_t i = 0; i < p->column_count; i++) {
			const struct cell *cell = chunk->cells + row * p->column_count + i;

			for (size_t r = 0; r < rows; r++, cell += p->column_count)
				parquet_column_add(&p->columns[i], cell);
		}
		row += rows;
		p->group_rows += (int64_t)rows;
		if (p->group_rows == sink->options->row_group && write_group(p, msg) != 0)
			return ERR_IO;
	}
	for (size_t i = 0; i < p->column_count; i++)
		bytes += parquet_column_bytes(&p->columns[i]);
	if (bytes > GROUP_BYTES && write_group(p, msg) != 0)
		return ERR_IO;
	p->records += chunk->count;
	atomic_store_explicit(&sink->records, p->records, memory_order_relaxed);
	return 0;
}

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

static void put_group(struct thrift *t, const struct parquet *p, const struct group *group)
{
	int64_t raw = 0;

	thrift_begin_element(t);
	thrift_list(t, 1, THRIFT_STRUCT, p->column_count);
	for (size_t i = 0; i < p->column_count; i++) {
		put_chunk(t, &p->columns[i], &group->chunks[i], p->codec);
		raw += group->chunks[i].raw_bytes;
	}
	thrift_i64(t, 2, raw);
	thrift_i64(t, 3, group->rows);
	thrift_end(t);
}

static void put_schema(struct thrift *t, const struct parquet *p)
{
	thrift_list(t, 2, THRIFT_STRUCT, p->column_count + 1);
	thrift_begin_element(t);
	thrift_binary(t, 4, "row", 3);
	thrift_i32(t, 5, (int32_t)p->column_count);
	thrift_end(t);
	for (size_t i = 0; i < p->column_count; i++) {
		const struct column *column = p->columns[i].column;

		thrift_begin_element(t);
		thrift_i32(t, 1, (int32_t)p->columns[i].type);
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

static void put_footer(struct buf *out, const struct parquet *p)
{
	struct thrift t = {.out = out};
	static const char maker[] = "writethrough version " WT_VERSION;

	thrift_i32(&t, 1, 2);
	put_schema(&t, p);
	thrift_i64(&t, 3, (int64_t)p->records);
	thrift_list(&t, 4, THRIFT_STRUCT, p->group_count);
	for (size_t i = 0; i < p->group_count; i++)
		put_group(&t, p, &p->groups[i]);
	thrift_binary(&t, 6, maker, sizeof(maker) - 1);
	thrift_list(&t, 7, THRIFT_STRUCT, p->column_count); /* each: in its type's order */
	for (size_t i = 0; i < p->column_count; i++) {
		thrift_begin_element(&t);
		thrift_begin(&t, 1);
		thrift_end(&t);
		thrift_end(&t);
	}
	thrift_end(&t);
}

static int parquet_drain(struct sink *sink, struct errmsg *msg)
{
	struct parquet *p = (struct parquet *)sink;
	uint32_t len;
	int err = write_group(p, msg);

	if (err != 0)
		return err;
	p->out.used = 0;
	put_footer(&p->out, p);
	len = (uint32_t)p->out.used;
	buf_put(&p->out, &len, 4);
	buf_put(&p->out, MAGIC, 4);
	err = outfile_write(&p->file, p->out.data, p->out.used, msg);
	return err ? err : outfile_sync(&p->file, msg);
}

static int parquet_open(struct sink *sink, const json_t *resume, struct errmsg *msg)
{
	struct parquet *p = (struct parquet *)sink;
	const struct schema *schema = &sink->source->schema;
	char word[16];
	int err = codec_word(word, sink->options->compression, "parquet",
		"none|snappy|gzip|zstd", "snappy", msg);

	(void)resume;
	if (err != 0)
		return err;
	p->codec = codec_of(word);
	p->column_count = schema->count;
	p->columns = mem_zero(schema->count, sizeof(*p->columns));
	for (size_t i = 0; i < schema->count; i++)
		parquet_column_init(&p->columns[i], &schema->columns[i]);
	err = outfile_create(&p->file, sink->target, false, msg);
	return err ? err : outfile_write(&p->file, MAGIC, 4, msg);
}

static int parquet_finish(struct sink *sink, struct errmsg *msg)
{
	return outfile_finish(&((struct parquet *)sink)->file, msg);
}

static void parquet_close(struct sink *sink, bool whole)
{
	struct parquet *p = (struct parquet *)sink;

	(void)whole;
	outfile_close(&p->file);
	for (size_t i = 0; i < p->column_count; i++)
		parquet_column_release(&p->columns[i]);
	for (size_t i = 0; i < p->group_count; i++)
		free(p->groups[i].chunks);
	free(p->columns);
	free(p->groups);
	buf_release(&p->out);
	free(sink->name);
	free(p);
}

static void parquet_describe(const struct sink *sink, char *text, size_t bytes)
{
	const struct parquet *p = (const struct parquet *)sink;

	snprintf(text, bytes, "%llu records in %zu row groups, %llu bytes in %s",
		(unsigned long long)p->records, p->group_count,
		(unsigned long long)p->file.written,
		p->file.part ? p->file.part : p->file.path);
}

static const struct sink_ops parquet_ops = {.wants_cells = true,
	.open = parquet_open,
	.write = parquet_write,
	.drain = parquet_drain,
	.finish = parquet_finish,
	.close = parquet_close,
	.describe = parquet_describe};

struct sink *sink_parquet_new(void)
{
	struct parquet *p = mem_zero(1, sizeof(*p));

	p->sink.ops = &parquet_ops;
	p->file.fd = -1;
	return &p->sink;
}
