/*
 * The parquet sink, written after the format's specification (Debian has no C library for it).
 *
 *	PAR1, row groups, footer, its length, PAR1
 *	a row group: per column a dictionary page (or none) and one data page
 * A row group is full at --row-group rows or 64 MiB. Text columns are STRING, lines are plain
 * BYTE_ARRAY. The footer comes last; with --checkpoint what it will say so far is kept in
 * FILE.groups.part, so that a later run can cut FILE.part back and go on.
 */
#include "producer/ingest/outfile.h"
#include "producer/ingest/parquet_footer.h"
#include "producer/ingest/sink.h"
#include "producer/ingest/source.h"

#include <stdio.h>
#include <unistd.h>

#define GROUP_BYTES (64u * 1024 * 1024)
#define MAGIC	    "PAR1"

struct parquet {
	struct sink sink;
	struct outfile file;
	enum codec codec;
	struct parquet_column *columns;
	size_t column_count;
	int64_t group_rows; /* in the open group */
	struct parquet_chunk *chunks; /* one for each column, of the group that is written */
	struct parquet_footer footer;
	struct outfile side; /* with --checkpoint: the footer so far, as it grows */
	char *side_path;
	struct parquet_scratch scratch;
	struct buf out;
	uint64_t records;
};

static int write_group(struct parquet *p, struct errmsg *msg)
{
	int err = 0;

	if (p->group_rows == 0)
		return 0;
	for (size_t i = 0; err == 0 && i < p->column_count; i++) {
		p->out.used = 0;
		err = parquet_column_write(&p->columns[i], p->codec, (int64_t)p->file.written,
			&p->scratch, &p->out, &p->chunks[i], msg);
		if (err == 0)
			err = outfile_write(&p->file, p->out.data, p->out.used, msg);
	}
	if (err == 0)
		parquet_footer_add(&p->footer, p->columns, p->column_count, p->chunks,
			p->group_rows, p->codec);
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

			parquet_column_add(&p->columns[i], cell, p->column_count, rows);
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

static int parquet_drain(struct sink *sink, struct errmsg *msg)
{
	struct parquet *p = (struct parquet *)sink;
	uint32_t len;
	int err = write_group(p, msg);

	if (err != 0)
		return err;
	p->out.used = 0;
	parquet_footer_put(&p->footer, &p->out, p->columns, p->column_count);
	len = (uint32_t)p->out.used;
	buf_put(&p->out, &len, 4);
	buf_put(&p->out, MAGIC, 4);
	err = outfile_write(&p->file, p->out.data, p->out.used, msg);
	return err ? err : outfile_sync(&p->file, msg);
}

/* The open row group is written as it is: what lies before a checkpoint must be on the disk. */
static int parquet_sync(struct sink *sink, struct barrier *barrier, struct errmsg *msg)
{
	struct parquet *p = (struct parquet *)sink;
	const struct parquet_footer *f = &p->footer;
	int err = write_group(p, msg);

	if (err == 0)
		err = outfile_write(&p->side, f->encoded.data + p->side.written,
			f->encoded.used - p->side.written, msg);
	if (err == 0)
		err = outfile_sync(&p->side, msg);
	if (err == 0)
		err = outfile_sync(&p->file, msg);
	if (err != 0)
		barrier_drop(barrier);
	else
		barrier_done(barrier, sink->index,
			json_pack("{s:I,s:I,s:I,s:I}", "bytes", (json_int_t)p->file.written,
				"footer_bytes", (json_int_t)f->encoded.used, "groups",
				(json_int_t)f->groups, "records", (json_int_t)f->rows));
	return err;
}

static int resume_side(struct parquet *p, const json_t *state, struct errmsg *msg)
{
	uint64_t bytes = (uint64_t)json_integer_value(json_object_get(state, "footer_bytes"));
	int err = outfile_resume(&p->side, p->side_path, bytes, msg);

	if (err != 0)
		return err;
	if (pread(p->side.fd, buf_room(&p->footer.encoded, bytes), bytes, 0) != (ssize_t)bytes)
		return errmsg_set(msg, ERR_IO, "%s cannot be read", p->side_path);
	p->footer.encoded.used = bytes;
	p->footer.groups = (uint64_t)json_integer_value(json_object_get(state, "groups"));
	p->records = p->footer.rows =
		(uint64_t)json_integer_value(json_object_get(state, "records"));
	return 0;
}

/* Killed between the rename and the checkpoint's last word: the footer goes again. */
static void take_back(const char *path)
{
	char *part = mem_printf("%s.part", path);

	if (access(part, F_OK) != 0)
		(void)!rename(path, part); /* a failure shows when the part is opened */
	free(part);
}

static int open_files(struct parquet *p, const json_t *resume, struct errmsg *msg)
{
	const char *target = p->sink.target;
	int err;

	p->side_path = mem_printf("%s.groups", target);
	if (resume) {
		err = resume_side(p, resume, msg);
		if (err == 0)
			take_back(target);
		return err ? err
			   : outfile_resume(&p->file, target,
				     (uint64_t)json_integer_value(
					     json_object_get(resume, "bytes")),
				     msg);
	}
	err = outfile_create(&p->file, target, false, msg);
	if (err == 0)
		err = outfile_write(&p->file, MAGIC, 4, msg);
	if (err != 0 || !p->sink.options->checkpoint)
		return err;
	if (!p->file.part)
		return errmsg_set(msg, ERR_CONFIG,
			"it is no file, so it cannot be continued: no --checkpoint");
	err = outfile_create(&p->side, p->side_path, false, msg);
	p->file.keep_part = p->side.keep_part = true;
	return err;
}

static int parquet_open(struct sink *sink, const json_t *resume, struct errmsg *msg)
{
	struct parquet *p = (struct parquet *)sink;
	const struct schema *schema = &sink->source->schema;
	char word[16];
	int err = codec_word(word, sink->options->compression, "parquet",
		"none|snappy|gzip|zstd", "snappy", msg);

	if (err == 0 && sink->options->append)
		err = errmsg_set(msg, ERR_CONFIG,
			"--append: a Parquet file ends with its footer, nothing can follow");
	if (err != 0)
		return err;
	p->codec = codec_of(word);
	p->column_count = schema->count;
	p->columns = mem_zero(schema->count, sizeof(*p->columns));
	for (size_t i = 0; i < schema->count; i++)
		parquet_column_init(&p->columns[i], &schema->columns[i]);
	p->chunks = mem_zero(schema->count, sizeof(*p->chunks));
	return open_files(p, resume, msg);
}

static int parquet_finish(struct sink *sink, struct errmsg *msg)
{
	return outfile_finish(&((struct parquet *)sink)->file, msg);
}

static void parquet_close(struct sink *sink, bool whole)
{
	struct parquet *p = (struct parquet *)sink;

	p->side.keep_part = p->side.keep_part && (!whole || p->file.part);
	outfile_close(&p->side);
	outfile_close(&p->file);
	for (size_t i = 0; i < p->column_count; i++)
		parquet_column_release(&p->columns[i]);
	parquet_footer_release(&p->footer);
	free(p->columns);
	free(p->chunks);
	free(p->side_path);
	buf_release(&p->scratch.body);
	buf_release(&p->scratch.packed);
	buf_release(&p->out);
	free(sink->name);
	free(p);
}

static void parquet_describe(const struct sink *sink, char *text, size_t bytes)
{
	const struct parquet *p = (const struct parquet *)sink;

	snprintf(text, bytes, "%llu records in %llu row groups, %llu bytes in %s",
		(unsigned long long)p->records, (unsigned long long)p->footer.groups,
		(unsigned long long)p->file.written,
		p->file.part ? p->file.part : p->file.path);
}

static const struct sink_ops parquet_ops = {.wants_cells = true,
	.can_resume = true,
	.open = parquet_open,
	.write = parquet_write,
	.sync = parquet_sync,
	.drain = parquet_drain,
	.finish = parquet_finish,
	.close = parquet_close,
	.describe = parquet_describe};

struct sink *sink_parquet_new(void)
{
	struct parquet *p = mem_zero(1, sizeof(*p));

	p->sink.ops = &parquet_ops;
	p->file.fd = p->side.fd = -1;
	return &p->sink;
}
