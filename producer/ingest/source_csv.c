/*
 * The csv source: a row is a record; its columns become JSON fields with types.
 *
 *	1 open	names from the header (or --columns), types from --columns or from the first rows
 *	2 read	whole records (blocks.h)
 *	3 parse	split, check every field against its type, make the JSON
 * A row that does not fit is refused with its line; nothing is guessed for it.
 */
#include "producer/ingest/blocks.h"
#include "producer/ingest/csv_columns.h"
#include "producer/ingest/csv_parse.h"
#include "producer/ingest/csv_types.h"
#include "producer/ingest/json_row.h"
#include "producer/ingest/source.h"

#define MAX_COLUMNS 4096

struct csv {
	struct source source;
	struct blocks blocks;
	struct csv_columns columns;
	char delimiter;
	bool header;
	const char *null_text; /* borrowed from the options */
	size_t null_len;
	int key; /* column, -1: none */
};

/* One worker's place for a row. */
struct row {
	struct csv_field *fields;
	struct cell *cells;
};

static size_t boundary(const void *arg, const char *raw, size_t used, bool eof)
{
	return csv_last_end(raw, used, ((const struct csv *)arg)->delimiter, eof);
}

static int csv_read(struct source *source, struct chunk *chunk, struct errmsg *msg)
{
	return blocks_read(&((struct csv *)source)->blocks, chunk, msg);
}

/* NULL, or why the row is refused; *column: where. */
static const char *check_row(
	const struct csv *c, struct row *row, const struct csv_record *record, int *column)
{
	*column = -1;
	if (record->problem)
		return record->problem;
	if (record->fields != c->source.schema.count)
		return record->fields < c->source.schema.count ? "fewer fields than columns"
							       : "more fields than columns";
	csv_fold(row->fields, record);
	for (size_t i = 0; i < record->fields; i++) {
		if (!csv_cell(&row->fields[i], c->source.schema.columns[i].type, c->null_text,
			    c->null_len, &row->cells[i])) {
			*column = (int)i;
			return "value does not fit the column's type";
		}
	}
	return NULL;
}

static const char *add_row(
	const struct csv *c, struct chunk *chunk, struct row *row, size_t end, int *column)
{
	size_t columns = c->source.schema.count;
	size_t text_at = chunk->text.used;
	struct record *record;

	if (c->source.wants.values) {
		*column = json_put_row(&chunk->text, &c->source.schema, row->cells);
		if (*column >= 0)
			return "text is not UTF-8";
	}
	record = chunk_add_record(chunk);
	/* text may still move: offsets now, pointers when the chunk is complete */
	*record = (struct record){.value = (const char *)(uintptr_t)text_at,
		.value_len = (uint32_t)(chunk->text.used - text_at),
		.end = (uint32_t)end};
	if (c->source.wants.values)
		buf_byte(&chunk->text, '\n');
	if (c->key >= 0 && row->cells[c->key].kind != CELL_NULL) {
		record->key = row->cells[c->key].text;
		record->key_len = row->cells[c->key].len;
	}
	if (c->source.wants.cells)
		memcpy(chunk_cells(chunk, chunk->count - 1, columns), row->cells,
			columns * sizeof(struct cell));
	return NULL;
}

/* NULL, or why the row is refused; its bytes are then as they were. */
static const char *take_row(const struct csv *c, struct chunk *chunk, struct row *row,
	const struct csv_record *record, size_t end, int *column)
{
	const char *why = check_row(c, row, record, column);

	if (!why)
		why = add_row(c, chunk, row, end, column);
	if (why && !record->problem && record->fields == c->source.schema.count)
		csv_unfold(row->fields, record);
	return why;
}

/* Blank lines are no rows, unless there is one column: then they are an empty field. */
static bool is_blank(
	const struct csv *c, const struct csv_record *record, const struct row *row)
{
	return record->fields == 1 && c->source.schema.count > 1 && row->fields[0].len == 0 &&
	       !row->fields[0].quoted && !record->problem;
}

/* Behind the BOM and the header of a file's first chunk. */
static size_t skip_header(const struct csv *c, struct chunk *chunk, struct row *row)
{
	size_t at = csv_bom_bytes(chunk->raw.data, chunk->raw.used);
	struct csv_record record;

	if (!c->header || at == chunk->raw.used)
		return at;
	csv_split(chunk->raw.data + at, chunk->raw.used - at, c->delimiter, row->fields,
		c->source.schema.count, &record);
	if (!record.problem && record.fields == c->source.schema.count)
		csv_fold(row->fields, &record);
	if (record.problem ||
		!csv_columns_match_header(&c->columns, row->fields, record.fields))
		chunk->fatal = "the header is not the one of the first file";
	return at + record.bytes;
}

static void parse_rows(const struct csv *c, struct chunk *chunk, struct row *row)
{
	char *raw = chunk->raw.data;
	uint64_t line = chunk->from.line;
	size_t at = chunk->from.offset == 0 ? skip_header(c, chunk, row) : 0;

	for (size_t i = 0; i < at; i++)
		line += raw[i] == '\n';
	while (at < chunk->raw.used && !chunk->fatal) {
		struct csv_record record;
		const char *why;
		size_t end, lines_at = at;
		int column;

		csv_split(raw + at, chunk->raw.used - at, c->delimiter, row->fields,
			c->source.schema.count, &record);
		end = at + record.bytes;
		if (!is_blank(c, &record, row)) {
			why = take_row(c, chunk, row, &record, end, &column);
			if (why)
				chunk_reject(chunk, line + 1, at, record.bytes, why,
					column < 0 ? NULL
						   : c->source.schema.columns[column].name);
		}
		at = end;
		while ((lines_at = csv_next_line(raw, lines_at, at)) > 0)
			line++;
	}
}

static void csv_parse(struct source *source, struct chunk *chunk)
{
	const struct csv *c = (const struct csv *)source;
	size_t columns = source->schema.count;
	struct row row;

	if (chunk->broken) {
		chunk_reject(chunk, chunk->from.line + 1, 0, chunk->raw.used,
			"a quote is not closed, or the row is longer than max-record-bytes",
			NULL);
		return;
	}
	row.fields = mem_alloc(columns * sizeof(*row.fields));
	row.cells = mem_alloc(columns * sizeof(*row.cells));
	parse_rows(c, chunk, &row);
	free(row.fields);
	free(row.cells);
	for (size_t i = 0; i < chunk->count; i++)
		chunk->records[i].value =
			source->wants.values
				? chunk->text.data + (uintptr_t)chunk->records[i].value
				: "";
}

static int csv_seek(struct source *source, const struct position *at,
	const struct input_file *file, struct errmsg *msg)
{
	return blocks_seek(&((struct csv *)source)->blocks, at, file, msg);
}

static void csv_free(struct source *source)
{
	struct csv *c = (struct csv *)source;

	blocks_release(&c->blocks);
	csv_columns_release(&c->columns);
	input_close(source->input);
	schema_release(&source->schema);
	free(c);
}

static const struct source_ops csv_ops = {
	.read = csv_read, .parse = csv_parse, .seek = csv_seek, .free = csv_free};

static int setup(struct csv *c, const struct ingest_options *options, struct errmsg *msg)
{
	int err = csv_delimiter(options->delimiter, &c->delimiter, msg);

	if (err == 0)
		err = input_open(&c->source.input, &options->paths, false, msg);
	if (err == 0)
		err = csv_columns_find(&c->columns, &c->source.schema, c->source.input, options,
			c->delimiter, msg);
	if (err != 0)
		return err;
	if (c->source.schema.count > MAX_COLUMNS)
		return errmsg_set(msg, ERR_CONFIG, "%zu columns are more than %d",
			c->source.schema.count, MAX_COLUMNS);
	c->key = options->key ? schema_find(&c->source.schema, options->key) : -1;
	if (options->key && c->key < 0)
		return errmsg_set(
			msg, ERR_CONFIG, "option key: there is no column '%s'", options->key);
	return 0;
}

int source_csv_new(
	struct source **out, const struct ingest_options *options, struct errmsg *msg)
{
	struct csv *c = mem_zero(1, sizeof(*c));
	int err;

	c->source.ops = &csv_ops;
	c->source.values_are_json = true;
	c->header = options->header;
	c->null_text = options->null_text ? options->null_text : "";
	c->null_len = strlen(c->null_text);
	err = setup(c, options, msg);
	if (err != 0) {
		csv_free(&c->source);
		return err;
	}
	c->blocks = (struct blocks){.in = c->source.input,
		.boundary = boundary,
		.arg = c,
		.block_bytes = blocks_bytes(options->rate),
		.max_record_bytes = (size_t)options->max_record_bytes,
		.refuse_first_line = true,
		.open = c->columns.input_is_open};
	*out = &c->source;
	return 0;
}
