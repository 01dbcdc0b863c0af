/*
 * The avro sink: an object container file. libavro writes the container (header, blocks, sync
 * markers, compression); the records are encoded here, which takes a tenth of the time of its
 * generic values. Nullable columns are ["null", type].
 */
#include "producer/ingest/codec.h"
#include "producer/ingest/json_row.h"
#include "producer/ingest/outfile.h"
#include "producer/ingest/sink.h"
#include "producer/ingest/source.h"

#include <avro.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define BLOCK_BYTES (256 * 1024)

struct avro_sink {
	struct sink sink;
	struct outfile file;
	avro_file_writer_t writer; /* NULL: not open */
	struct buf row;
	uint64_t records;
};

/* Avro names are [A-Za-z_][A-Za-z0-9_]*: anything else becomes _. */
static void put_name(struct buf *json, const char *name)
{
	if (isdigit((unsigned char)*name) || !*name)
		buf_byte(json, '_');
	for (; *name; name++)
		buf_byte(json, isalnum((unsigned char)*name) ? *name : '_');
}

static void put_schema(struct buf *json, const struct schema *schema)
{
	static const char *const types[] = {"string", "bytes", "long", "double", "boolean"};
	char text[64];

	static const char head[] = "{\"type\":\"record\",\"name\":\"row\",\"fields\":[";

	buf_put(json, head, sizeof(head) - 1);
	for (size_t i = 0; i < schema->count; i++) {
		const struct column *c = &schema->columns[i];
		int n = snprintf(text, sizeof(text),
			c->nullable ? "\",\"type\":[\"null\",\"%s\"]}" : "\",\"type\":\"%s\"}",
			types[c->type]);

		buf_put(json, i ? ",{\"name\":\"" : "{\"name\":\"", i ? 10 : 9);
		put_name(json, c->name);
		buf_put(json, text, (size_t)n);
	}
	buf_put(json, "]}", 2);
}

/* libavro tells what it was doing, the system why it did not go: a full disk must be named. */
static int refuse(const struct avro_sink *a, struct errmsg *msg)
{
	return errmsg_set(msg, ERR_IO, "%s: %s", a->file.part ? a->file.part : a->file.path,
		errno ? strerror(errno) : avro_strerror());
}

static int create(struct avro_sink *a, size_t block_bytes, struct errmsg *msg)
{
	char word[16];
	struct buf json = {0};
	avro_schema_t schema;
	FILE *file;
	int err = codec_word(word, a->sink.options->compression, "avro", "none|deflate|snappy",
		"snappy", msg);

	if (err != 0)
		return err;
	put_schema(&json, &a->sink.source->schema);
	if (avro_schema_from_json_length(json.data, json.used, &schema) != 0)
		err = errmsg_set(msg, ERR_CONFIG,
			"the columns make no Avro schema: %s (two names that differ in signs "
			"only?)",
			avro_strerror());
	buf_release(&json);
	if (err != 0)
		return err;
	file = fdopen(dup(a->file.fd), "wb");
	if (!file ||
		avro_file_writer_create_with_codec_fp(file, a->file.path, 1, schema, &a->writer,
			strcmp(word, "none") == 0 ? "null" : word, block_bytes) != 0) {
		a->writer = NULL;
		err = refuse(a, msg);
	}
	avro_schema_decref(schema);
	return err;
}

static int continue_file(struct avro_sink *a, size_t block_bytes, struct errmsg *msg)
{
	const char *path = a->file.part ? a->file.part : a->file.path;

	if (avro_file_writer_open_bs(path, &a->writer, block_bytes) == 0)
		return 0;
	a->writer = NULL;
	return refuse(a, msg);
}

/* --append: what is there must be of the same columns; its compression stays. */
static int append_to(struct avro_sink *a, size_t block_bytes, struct errmsg *msg)
{
	avro_schema_t ours, theirs;
	avro_file_reader_t reader;
	struct buf json = {0};
	bool same;

	put_schema(&json, &a->sink.source->schema);
	if (avro_schema_from_json_length(json.data, json.used, &ours) != 0) {
		buf_release(&json);
		return refuse(a, msg);
	}
	buf_release(&json);
	if (avro_file_reader(a->file.path, &reader) != 0) {
		avro_schema_decref(ours);
		return refuse(a, msg);
	}
	theirs = avro_file_reader_get_writer_schema(reader);
	same = avro_schema_equal(ours, theirs);
	avro_schema_decref(theirs);
	avro_schema_decref(ours);
	avro_file_reader_close(reader);
	if (!same)
		return errmsg_set(msg, ERR_CONFIG,
			"--append: %s has other columns than these rows", a->file.path);
	return continue_file(a, block_bytes, msg);
}

static int avro_open(struct sink *sink, const json_t *resume, struct errmsg *msg)
{
	struct avro_sink *a = (struct avro_sink *)sink;
	size_t largest = (size_t)sink->options->max_record_bytes * 2 + 65536;
	size_t block = largest > BLOCK_BYTES ? largest : BLOCK_BYTES;
	int err;

	if (strcmp(sink->target, "-") == 0)
		return errmsg_set(msg, ERR_CONFIG, "an Avro file cannot go to standard output");
	errno = 0;
	if (resume) {
		err = outfile_resume(&a->file, sink->target,
			(uint64_t)json_integer_value(json_object_get(resume, "bytes")), msg);
		return err ? err : continue_file(a, block, msg);
	}
	err = outfile_create(&a->file, sink->target, sink->options->append, msg);
	if (err == 0)
		err = a->file.found > 0 ? append_to(a, block, msg) : create(a, block, msg);
	a->file.keep_part = sink->options->checkpoint != NULL;
	return err;
}

static void put_long(struct buf *out, int64_t value)
{
	uint64_t v = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
	char *to = buf_room(out, 10);
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		to[n++] = (char)(v | 0x80);
	to[n++] = (char)v;
	out->used += n;
}

static void put_cell(struct buf *out, const struct cell *cell, const struct column *column)
{
	if (column->nullable)
		buf_byte(out, cell->kind == CELL_NULL ? 0 : 2); /* the union's branch, zigzag */
	switch (cell->kind) {
	case CELL_NULL:
		return;
	case CELL_TEXT:
	case CELL_CLEAN:
	case CELL_WORD:
		put_long(out, cell->len);
		buf_put(out, cell->text, cell->len);
		return;
	case CELL_INT:
		put_long(out, cell->integer);
		return;
	case CELL_DOUBLE:
		buf_put(out, &cell->number, 8); /* little-endian, as all we run on */
		return;
	case CELL_BOOL:
		buf_byte(out, cell->integer != 0);
		return;
	}
}

static int avro_write_chunk(struct sink *sink, const struct chunk *chunk, struct errmsg *msg)
{
	struct avro_sink *a = (struct avro_sink *)sink;
	const struct schema *schema = &sink->source->schema;
	const struct cell *cell = chunk->cells;

	errno = 0;
	for (size_t row = 0; row < chunk->count; row++) {
		a->row.used = 0;
		for (size_t i = 0; i < schema->count; i++)
			put_cell(&a->row, cell++, &schema->columns[i]);
		if (avro_file_writer_append_encoded(
			    a->writer, a->row.data, (int64_t)a->row.used) != 0)
			return refuse(a, msg);
	}
	a->records += chunk->count;
	atomic_store_explicit(&sink->records, a->records, memory_order_relaxed);
	return 0;
}

static int flush(struct avro_sink *a, struct errmsg *msg)
{
	off_t end;

	errno = 0;
	if (avro_file_writer_flush(a->writer) != 0)
		return refuse(a, msg);
	end = lseek(a->file.fd, 0, SEEK_END);
	if (end > 0)
		a->file.written = (uint64_t)end;
	atomic_store_explicit(&a->sink.bytes, a->file.written, memory_order_relaxed);
	return outfile_sync(&a->file, msg);
}

static int avro_sync(struct sink *sink, struct barrier *barrier, struct errmsg *msg)
{
	struct avro_sink *a = (struct avro_sink *)sink;
	int err = flush(a, msg);

	if (err != 0)
		barrier_drop(barrier);
	else
		barrier_done(barrier, sink->index,
			json_pack("{s:I}", "bytes", (json_int_t)a->file.written));
	return err;
}

static int avro_drain(struct sink *sink, struct errmsg *msg)
{
	struct avro_sink *a = (struct avro_sink *)sink;
	int err = flush(a, msg);

	errno = 0;
	if (avro_file_writer_close(a->writer) != 0 && err == 0)
		err = refuse(a, msg);
	a->writer = NULL;
	return err;
}

static int avro_finish(struct sink *sink, struct errmsg *msg)
{
	return outfile_finish(&((struct avro_sink *)sink)->file, msg);
}

static void avro_close(struct sink *sink, bool whole)
{
	struct avro_sink *a = (struct avro_sink *)sink;

	(void)whole;
	if (a->writer)
		avro_file_writer_close(a->writer);
	outfile_close(&a->file);
	buf_release(&a->row);
	free(sink->name);
	free(a);
}

static void avro_describe(const struct sink *sink, char *text, size_t bytes)
{
	const struct avro_sink *a = (const struct avro_sink *)sink;

	snprintf(text, bytes, "%llu records, %llu bytes in %s", (unsigned long long)a->records,
		(unsigned long long)a->file.written,
		a->file.part ? a->file.part : a->file.path);
}

static const struct sink_ops avro_ops = {.wants_cells = true,
	.can_resume = true,
	.open = avro_open,
	.write = avro_write_chunk,
	.sync = avro_sync,
	.drain = avro_drain,
	.finish = avro_finish,
	.close = avro_close,
	.describe = avro_describe};

struct sink *sink_avro_new(void)
{
	struct avro_sink *a = mem_zero(1, sizeof(*a));

	a->sink.ops = &avro_ops;
	a->file.fd = -1;
	return &a->sink;
}
