/*
 * The json sink (NDJSON: one object a line) and the csv sink. Workers make the text, the lane writes
 * a chunk with one system call. Bytes that are not UTF-8 can stand in a line of input, but not in
 * JSON: there they become U+FFFD; csv keeps them.
 */
#include "producer/ingest/csv_columns.h"
#include "producer/ingest/csv_row.h"
#include "producer/ingest/json_row.h"
#include "producer/ingest/outfile.h"
#include "producer/ingest/sink.h"
#include "producer/ingest/source.h"

#include <stdio.h>

struct text_sink {
	struct sink sink;
	struct outfile file;
	struct buf buf;
	struct csv_style style; /* csv */
	uint64_t records;
};

static int put(struct text_sink *t, const char *bytes, size_t count, size_t records,
	struct errmsg *msg)
{
	int err = outfile_write(&t->file, bytes, count, msg);

	if (err != 0)
		return err;
	t->records += records;
	atomic_store_explicit(&t->sink.records, t->records, memory_order_relaxed);
	atomic_store_explicit(&t->sink.bytes, t->file.written, memory_order_relaxed);
	return 0;
}

/* All of the chunk with one call; what no worker made, or for more records, is made here. */
static int put_encoded(struct text_sink *t, const struct chunk *chunk, struct errmsg *msg)
{
	const struct buf *made = &chunk->encoded[t->sink.index];

	if (chunk->encoded_count != chunk->count) {
		t->buf.used = 0;
		t->sink.ops->encode(&t->sink, chunk, &t->buf);
		made = &t->buf;
	}
	return put(t, made->data, made->used, chunk->count, msg);
}

/* The whole line: with the key and its separator, which stand right before the value. */
static void put_line(struct buf *out, const struct record *record)
{
	const char *from = record->key ? record->key : record->value;

	json_put_text_lossy(out, from, (size_t)(record->value + record->value_len - from));
}

static void json_encode(const struct sink *sink, const struct chunk *chunk, struct buf *out)
{
	for (size_t i = 0; i < chunk->count && !sink->source->values_are_json; i++) {
		buf_put(out, "{\"line\":", 8);
		put_line(out, &chunk->records[i]);
		buf_put(out, "}\n", 2);
	}
}

static int json_write(struct sink *sink, const struct chunk *chunk, struct errmsg *msg)
{
	struct text_sink *t = (struct text_sink *)sink;
	const struct record *first = chunk->records, *last;

	if (!sink->source->values_are_json)
		return put_encoded(t, chunk, msg);
	if (chunk->count == 0)
		return 0;
	/* the source made it line by line already */
	last = first + chunk->count - 1;
	return put(t, first->value, (size_t)(last->value + last->value_len + 1 - first->value),
		chunk->count, msg);
}

static void csv_encode(const struct sink *sink, const struct chunk *chunk, struct buf *out)
{
	const struct text_sink *t = (const struct text_sink *)sink;
	size_t columns = sink->source->schema.count;

	for (size_t row = 0; row < chunk->count; row++)
		csv_put_row(out, &t->style, chunk->cells + row * columns, columns);
}

static int csv_write(struct sink *sink, const struct chunk *chunk, struct errmsg *msg)
{
	return put_encoded((struct text_sink *)sink, chunk, msg);
}

static int text_open(struct sink *sink, const json_t *resume, struct errmsg *msg)
{
	struct text_sink *t = (struct text_sink *)sink;
	int err;

	if (resume)
		return outfile_resume(&t->file, sink->target,
			(uint64_t)json_integer_value(json_object_get(resume, "bytes")), msg);
	err = outfile_create(&t->file, sink->target, sink->options->append, msg);
	if (err == 0)
		err = outfile_end_line(&t->file, msg);
	t->file.keep_part = sink->options->checkpoint != NULL;
	return err;
}

static int csv_open(struct sink *sink, const json_t *resume, struct errmsg *msg)
{
	struct text_sink *t = (struct text_sink *)sink;
	const struct schema *schema = &sink->source->schema;
	bool fresh = !resume;
	int err = text_open(sink, resume, msg);

	t->style.null_text = sink->options->null_text ? sink->options->null_text : "";
	if (err == 0)
		err = csv_delimiter(sink->options->delimiter, &t->style.delimiter, msg);
	if (err != 0 || !fresh || !sink->options->header || t->file.found > 0)
		return err;
	csv_put_header(&t->buf, &t->style, schema);
	return put(t, t->buf.data, t->buf.used, 0, msg);
}

static int text_sync(struct sink *sink, struct barrier *barrier, struct errmsg *msg)
{
	struct text_sink *t = (struct text_sink *)sink;
	int err = outfile_sync(&t->file, msg);

	if (err != 0)
		barrier_drop(barrier);
	else
		barrier_done(barrier, sink->index,
			json_pack("{s:I}", "bytes", (json_int_t)t->file.written));
	return err;
}

static int text_drain(struct sink *sink, struct errmsg *msg)
{
	return outfile_sync(&((struct text_sink *)sink)->file, msg);
}

static int text_finish(struct sink *sink, struct errmsg *msg)
{
	return outfile_finish(&((struct text_sink *)sink)->file, msg);
}

static void text_close(struct sink *sink, bool whole)
{
	struct text_sink *t = (struct text_sink *)sink;

	(void)whole;
	outfile_close(&t->file);
	buf_release(&t->buf);
	free(sink->name);
	free(t);
}

static void text_describe(const struct sink *sink, char *text, size_t bytes)
{
	const struct text_sink *t = (const struct text_sink *)sink;

	snprintf(text, bytes, "%llu records, %llu bytes in %s", (unsigned long long)t->records,
		(unsigned long long)t->file.written,
		t->file.part ? t->file.part : t->file.path);
}

static const struct sink_ops json_ops = {.wants_values = true,
	.can_resume = true,
	.open = text_open,
	.encode = json_encode,
	.write = json_write,
	.sync = text_sync,
	.drain = text_drain,
	.finish = text_finish,
	.close = text_close,
	.describe = text_describe};

static const struct sink_ops csv_ops = {.wants_cells = true,
	.can_resume = true,
	.open = csv_open,
	.encode = csv_encode,
	.write = csv_write,
	.sync = text_sync,
	.drain = text_drain,
	.finish = text_finish,
	.close = text_close,
	.describe = text_describe};

static struct sink *make(const struct sink_ops *ops)
{
	struct text_sink *t = mem_zero(1, sizeof(*t));

	t->sink.ops = ops;
	t->file.fd = -1;
	return &t->sink;
}

struct sink *sink_json_new(void)
{
	return make(&json_ops);
}

struct sink *sink_csv_new(void)
{
	return make(&csv_ops);
}
