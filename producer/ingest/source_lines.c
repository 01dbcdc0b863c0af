/*
 * The lines source: a line is a record, its bytes as they are. Only the line feed is taken off;
 * a CR stays unless --strip-cr, an empty line is an empty record, the last line needs no end.
 */
#include "producer/ingest/blocks.h"
#include "producer/ingest/source.h"

struct lines {
	struct source source;
	struct blocks blocks;
	bool strip_cr;
	const char *key_separator; /* borrowed from the options; NULL: records have no key */
	size_t key_separator_len;
};

static size_t last_line_end(const void *arg, const char *raw, size_t used, bool eof)
{
	const char *end = memrchr(raw, '\n', used);

	(void)arg;
	if (eof)
		return used;
	return end ? (size_t)(end - raw) + 1 : 0;
}

static int lines_read(struct source *source, struct chunk *chunk, struct errmsg *msg)
{
	return blocks_read(&((struct lines *)source)->blocks, chunk, msg);
}

static void add_line(
	const struct lines *l, struct chunk *chunk, const char *text, size_t len, size_t end)
{
	struct record *record = chunk_add_record(chunk);
	const char *separator;
	struct cell *cell;

	*record = (struct record){
		.value = text, .value_len = (uint32_t)len, .end = (uint32_t)end};
	if (l->key_separator && len >= l->key_separator_len) {
		separator = memmem(text, len, l->key_separator, l->key_separator_len);
		if (separator) {
			size_t skip = (size_t)(separator - text) + l->key_separator_len;

			record->key = text;
			record->key_len = (uint32_t)(separator - text);
			record->value = text + skip;
			record->value_len = (uint32_t)(len - skip);
		}
	}
	if (l->source.wants.cells) {
		cell = chunk_cells(chunk, chunk->count - 1, 1);
		*cell = (struct cell){.text = text, .len = (uint32_t)len, .kind = CELL_TEXT};
	}
}

static void reject_line(
	const struct lines *l, struct chunk *chunk, uint64_t line, size_t at, size_t len)
{
	chunk_reject(chunk, line, at, len, "line is longer than max-record-bytes", NULL);
	chunk->rejects[chunk->reject_count - 1].ends_run = l->blocks.overlong == OVERLONG_FAIL;
}

/* A line within the limit, or what the option says about a longer one. */
static void take_line(
	const struct lines *l, struct chunk *chunk, const char *text, size_t len, size_t end)
{
	size_t limit = l->blocks.max_record_bytes;

	if (len > 0 && l->strip_cr && text[len - 1] == '\r' && end > len)
		len--;
	if (len <= limit) {
		add_line(l, chunk, text, len, end);
		return;
	}
	switch (l->blocks.overlong) {
	case OVERLONG_SPLIT:
		for (; len > limit; text += limit, len -= limit)
			add_line(l, chunk, text, limit,
				(size_t)(text - chunk->raw.data) + limit);
		add_line(l, chunk, text, len, end);
		break;
	case OVERLONG_TRUNCATE:
		add_line(l, chunk, text, limit, end);
		break;
	case OVERLONG_REJECT:
	case OVERLONG_FAIL:
		reject_line(l, chunk, 0, (size_t)(text - chunk->raw.data), len);
		break;
	}
}

static void lines_parse(struct source *source, struct chunk *chunk)
{
	const struct lines *l = (const struct lines *)source;
	const char *at = chunk->raw.data;
	const char *end = at + chunk->raw.used;
	uint64_t line = chunk->from.line;

	if (chunk->broken) {
		reject_line(l, chunk, line + 1, 0, chunk->raw.used);
		return;
	}
	if (chunk->mid_line && at < end && *at == '\n') {
		at++; /* the line's last piece was exactly full */
		line++;
	}
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		const char *next = stop ? stop + 1 : end;
		size_t rejects = chunk->reject_count;

		take_line(l, chunk, at, (size_t)((stop ? stop : end) - at),
			(size_t)(next - chunk->raw.data));
		line++;
		if (chunk->reject_count > rejects)
			chunk->rejects[rejects].line = line;
		at = next;
	}
}

static int lines_seek(struct source *source, const struct position *at,
	const struct input_file *file, struct errmsg *msg)
{
	return blocks_seek(&((struct lines *)source)->blocks, at, file, msg);
}

static void lines_free(struct source *source)
{
	struct lines *l = (struct lines *)source;

	blocks_release(&l->blocks);
	input_close(source->input);
	schema_release(&source->schema);
	free(l);
}

static const struct source_ops lines_ops = {
	.read = lines_read, .parse = lines_parse, .seek = lines_seek, .free = lines_free};

int source_lines_new(
	struct source **out, const struct ingest_options *options, struct errmsg *msg)
{
	struct lines *l = mem_zero(1, sizeof(*l));
	int err;

	l->source.ops = &lines_ops;
	l->strip_cr = options->strip_cr;
	l->key_separator = options->key_separator;
	l->key_separator_len = l->key_separator ? strlen(l->key_separator) : 0;
	schema_add(&l->source.schema, "line", 4, COLUMN_BYTES, false);
	err = input_open(&l->source.input, &options->paths, options->follow, msg);
	if (err != 0) {
		lines_free(&l->source);
		return err;
	}
	l->blocks = (struct blocks){.in = l->source.input,
		.boundary = last_line_end,
		.block_bytes = blocks_bytes(options->rate),
		.max_record_bytes = (size_t)options->max_record_bytes,
		.overlong = (enum overlong)options->long_lines};
	*out = &l->source;
	return 0;
}
