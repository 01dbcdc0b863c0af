/*
 * The generate source: rows from nothing. The reader only gives out numbers; workers make the rows,
 * so --workers helps. Row n of a seed is the same in every run.
 */
#include "common/clock.h"
#include "producer/ingest/gen_rows.h"
#include "producer/ingest/gen_template.h"
#include "producer/ingest/json_row.h"
#include "producer/ingest/source.h"

#include <sys/random.h>

#define CHUNK_ROWS  4096
#define IDS_PER_MS  4096 /* auto ids: more than a run makes, so runs do not overlap */
#define FIXED_EPOCH 1735689600000LL /* 2025-01-01: the time of rows with ids of their own */
#define MAX_COLUMNS 256

struct generate {
	struct source source;
	struct gen_params params;
	struct gen_template *template; /* NULL: a built-in shape */
	bool users;
	uint64_t limit; /* rows in all; 0: none */
	uint64_t chunk_rows;
	struct position at; /* reader only */
	int key; /* column, -1: none */
};

static int generate_read(struct source *source, struct chunk *chunk, struct errmsg *msg)
{
	struct generate *g = (struct generate *)source;
	uint64_t rows = g->chunk_rows;

	(void)msg;
	if (g->limit && g->limit - g->at.rows < rows)
		rows = g->limit - g->at.rows;
	if (rows == 0)
		return INPUT_END;
	chunk->from = g->at;
	g->at.rows += rows;
	chunk->after = g->at;
	return INPUT_DATA;
}

static void make_row(const struct generate *g, uint64_t row, struct cell *cells, char **text,
	struct buf *arena)
{
	if (g->template)
		gen_template_row(g->template, &g->params, row, cells, text);
	else if (g->users)
		gen_users_row(&g->params, row, cells, text);
	else
		gen_message_row(&g->params, row, cells, text);
	(void)arena;
}

static void add_row(
	const struct generate *g, struct chunk *chunk, const struct cell *cells, char **text)
{
	struct record *record = chunk_add_record(chunk);
	size_t at = chunk->text.used;

	if (g->source.wants.values) {
		json_put_row(&chunk->text, &g->source.schema, cells);
		buf_byte(&chunk->text, '\n');
	}
	*record = (struct record){.value = (const char *)(uintptr_t)at,
		.value_len = (uint32_t)(chunk->text.used - at - g->source.wants.values)};
	if (g->key >= 0 && cells[g->key].kind != CELL_NULL) {
		const struct cell *cell = &cells[g->key];

		record->key = cell->text;
		record->key_len = cell->len;
		if (!cell->text) {
			record->key = *text;
			record->key_len = (uint32_t)format_int(*text, cell->integer);
			*text += record->key_len;
		}
	}
}

static void generate_parse(struct source *source, struct chunk *chunk)
{
	const struct generate *g = (const struct generate *)source;
	size_t columns = source->schema.count;
	uint64_t rows = chunk->after.rows - chunk->from.rows;
	size_t row_bytes = g->template ? gen_template_row_bytes(g->template) : GEN_ROW_BYTES;
	char *text = buf_room(&chunk->raw, rows * (row_bytes + 24));
	struct cell own[MAX_COLUMNS];

	for (uint64_t i = 0; i < rows; i++) {
		struct cell *cells = source->wants.cells ? chunk_cells(chunk, i, columns) : own;

		make_row(g, chunk->from.rows + i, cells, &text, &chunk->raw);
		add_row(g, chunk, cells, &text);
	}
	for (size_t i = 0; i < chunk->count; i++)
		chunk->records[i].value =
			source->wants.values
				? chunk->text.data + (uintptr_t)chunk->records[i].value
				: "";
}

static void set_params(struct generate *g)
{
	bool automatic = g->source.first_id >= IDS_PER_MS * 1000000000000ULL;

	g->params.seed = g->source.seed;
	g->params.first_id = g->source.first_id;
	g->params.base_ms =
		automatic ? (int64_t)(g->source.first_id / IDS_PER_MS) : FIXED_EPOCH;
}

static int generate_seek(struct source *source, const struct position *at,
	const struct input_file *file, struct errmsg *msg)
{
	struct generate *g = (struct generate *)source;

	(void)file;
	(void)msg;
	g->at.rows = at->rows;
	if (g->limit && g->at.rows > g->limit)
		g->at.rows = g->limit;
	set_params(g);
	return 0;
}

static void generate_free(struct source *source)
{
	struct generate *g = (struct generate *)source;

	gen_template_free(g->template);
	schema_release(&source->schema);
	free(g);
}

static const struct source_ops generate_ops = {.read = generate_read,
	.parse = generate_parse,
	.seek = generate_seek,
	.free = generate_free};

static int choose_ids(struct generate *g, const struct ingest_options *o, struct errmsg *msg)
{
	char *end;

	g->source.seed = (uint64_t)o->seed;
	if (o->seed == 0 && getrandom(&g->source.seed, sizeof(g->source.seed), 0) !=
				    (ssize_t)sizeof(g->source.seed))
		g->source.seed = (uint64_t)clock_mono_ns();
	g->source.seed &= 0x1fffffffffffffULL; /* fits a JSON number */
	g->source.first_id = (uint64_t)clock_wall_ms() * IDS_PER_MS;
	if (strcmp(o->start_id, "auto") == 0)
		return 0;
	g->source.first_id = strtoull(o->start_id, &end, 10);
	if (*end || end == o->start_id || g->source.first_id > INT64_MAX)
		return errmsg_set(msg, ERR_CONFIG,
			"option start-id: '%s' is neither a number nor auto", o->start_id);
	return 0;
}

static int choose_shape(struct generate *g, const struct ingest_options *o, struct errmsg *msg)
{
	const char *key = o->key;
	int err = 0;

	g->users = o->shape == 1;
	if (o->template_file)
		err = gen_template_load(&g->template, o->template_file, &g->source.schema, msg);
	else if (g->users)
		gen_users_schema(&g->source.schema);
	else
		gen_message_schema(&g->source.schema);
	if (err != 0)
		return err;
	if (g->source.schema.count > MAX_COLUMNS)
		return errmsg_set(msg, ERR_CONFIG, "more than %d fields", MAX_COLUMNS);
	if (!key && g->users && !g->template)
		key = "id";
	g->key = key ? schema_find(&g->source.schema, key) : -1;
	if (key && g->key < 0)
		return errmsg_set(msg, ERR_CONFIG, "option key: there is no field '%s'", key);
	return 0;
}

int source_generate_new(
	struct source **out, const struct ingest_options *options, struct errmsg *msg)
{
	struct generate *g = mem_zero(1, sizeof(*g));
	int err = choose_ids(g, options, msg);

	g->source.ops = &generate_ops;
	g->source.values_are_json = true;
	g->limit = g->source.total_rows = (uint64_t)options->count;
	g->params.keys = (uint64_t)options->keys;
	g->chunk_rows = CHUNK_ROWS;
	if (options->rate > 0 && options->rate / 50 < CHUNK_ROWS)
		g->chunk_rows = options->rate < 50 ? 1 : (uint64_t)(options->rate / 50);
	if (err == 0)
		err = choose_shape(g, options, msg);
	if (err != 0) {
		generate_free(&g->source);
		return err;
	}
	set_params(g);
	*out = &g->source;
	return 0;
}
