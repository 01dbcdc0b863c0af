#include "producer/ingest/parquet_column.h"

#include "producer/ingest/parquet_page.h"

#define MAX_ENTRIES    32768
#define SLOTS	       (MAX_ENTRIES * 2)
#define MAX_DICT_BYTES (1024 * 1024)
#define MAX_RANGE      64 /* longer texts have no range in the statistics */

enum parquet_type parquet_type_of(enum column_type type)
{
	switch (type) {
	case COLUMN_STRING:
	case COLUMN_BYTES:
		return PARQUET_BYTES;
	case COLUMN_INT:
		return PARQUET_INT64;
	case COLUMN_DOUBLE:
		return PARQUET_DOUBLE;
	case COLUMN_BOOL:
		return PARQUET_BOOL;
	}
	return PARQUET_BYTES;
}

static void reset(struct parquet_column *c)
{
	c->values.used = c->indexes.used = c->valid.used = 0;
	c->min_text.used = c->max_text.used = 0;
	c->entries = 0;
	c->bools = 0;
	c->rows = c->nulls = c->count = 0;
	memset(c->words, 0, sizeof(c->words));
	if (!c->plain)
		memset(c->slots, 0, SLOTS * sizeof(*c->slots));
}

void parquet_column_init(struct parquet_column *c, const struct column *column)
{
	*c = (struct parquet_column){.column = column, .type = parquet_type_of(column->type)};
	c->plain = c->type == PARQUET_BOOL;
	c->slots = mem_zero(SLOTS, sizeof(*c->slots));
	c->offsets = mem_zero(MAX_ENTRIES + 1, sizeof(*c->offsets));
	reset(c);
}

void parquet_column_release(struct parquet_column *c)
{
	buf_release(&c->values);
	buf_release(&c->indexes);
	buf_release(&c->valid);
	buf_release(&c->min_text);
	buf_release(&c->max_text);
	free(c->slots);
	free(c->offsets);
}

size_t parquet_column_bytes(const struct parquet_column *c)
{
	return c->values.used + c->indexes.used + c->valid.used;
}

static uint64_t hash_bytes(const char *bytes, size_t count)
{
	uint64_t h = count * 0x9e3779b97f4a7c15ULL;
	uint64_t w;

	for (; count >= 8; bytes += 8, count -= 8) {
		memcpy(&w, bytes, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdULL;
		h ^= h >> 32;
	}
	w = 0;
	memcpy(&w, bytes, count);
	h = (h ^ w) * 0xff51afd7ed558ccdULL;
	return h ^ h >> 29;
}

static void put_plain(struct parquet_column *c, const char *bytes, size_t count)
{
	uint32_t len = (uint32_t)count;

	if (c->type == PARQUET_BYTES)
		buf_put(&c->values, &len, 4);
	buf_put(&c->values, bytes, count);
}

/* Gives the dictionary up: the values so far become plain. */
static void unfold(struct parquet_column *c)
{
	struct buf dictionary = c->values;
	const uint32_t *index = (const uint32_t *)(void *)c->indexes.data;

	c->values = (struct buf){0};
	c->offsets[c->entries] = (uint32_t)dictionary.used;
	for (uint64_t i = 0; i < c->indexes.used / 4; i++)
		buf_put(&c->values, dictionary.data + c->offsets[index[i]],
			c->offsets[index[i] + 1] - c->offsets[index[i]]);
	buf_release(&dictionary);
	c->indexes.used = 0;
	c->plain = true;
}

/* True: the dictionary did not have this value. */
static bool put_indexed(struct parquet_column *c, const char *bytes, size_t count)
{
	uint64_t h = hash_bytes(bytes, count);
	size_t head = c->type == PARQUET_BYTES ? 4 : 0;
	uint32_t entry;

	for (;; h++) {
		entry = c->slots[h % SLOTS];
		if (entry == 0)
			break;
		entry--;
		if ((entry + 1 < c->entries ? c->offsets[entry + 1] : c->values.used) -
					c->offsets[entry] ==
				count + head &&
			memcmp(c->values.data + c->offsets[entry] + head, bytes, count) == 0) {
			buf_put(&c->indexes, &entry, 4);
			return false;
		}
	}
	if (c->entries == MAX_ENTRIES || c->values.used + count > MAX_DICT_BYTES) {
		unfold(c);
		put_plain(c, bytes, count);
		return true;
	}
	entry = c->entries++;
	c->slots[h % SLOTS] = entry + 1;
	c->offsets[entry] = (uint32_t)c->values.used;
	put_plain(c, bytes, count);
	buf_put(&c->indexes, &entry, 4);
	return true;
}

static int compare(const char *a, size_t a_len, const struct buf *b)
{
	size_t both = a_len < b->used ? a_len : b->used;
	int order = both > 0 ? memcmp(a, b->data, both) : 0;

	return order ? order : a_len < b->used ? -1 : a_len > b->used;
}

static void text_range(struct parquet_column *c, const char *text, size_t len, bool first)
{
	if (first || compare(text, len, &c->min_text) < 0) {
		c->min_text.used = 0;
		buf_put(&c->min_text, text, len);
	}
	if (first || compare(text, len, &c->max_text) > 0) {
		c->max_text.used = 0;
		buf_put(&c->max_text, text, len);
	}
}

/* False: the row group has this value already, so its range does too. */
static bool put_value(struct parquet_column *c, const char *bytes, size_t count)
{
	c->count++;
	if (!c->plain)
		return put_indexed(c, bytes, count);
	put_plain(c, bytes, count);
	return true;
}

static void add_bool(struct parquet_column *c, bool value)
{
	c->bools |= (unsigned)value << (c->count & 7);
	if ((++c->count & 7) == 0) {
		buf_byte(&c->values, (int)c->bools);
		c->bools = 0;
	}
}

static void add_int(struct parquet_column *c, int64_t v)
{
	bool first = c->count == 0;

	if (!put_value(c, (const char *)&v, 8))
		return;
	c->min_int = first || v < c->min_int ? v : c->min_int;
	c->max_int = first || v > c->max_int ? v : c->max_int;
}

static void add_double(struct parquet_column *c, double v)
{
	bool first = c->count == 0;

	if (!put_value(c, (const char *)&v, 8))
		return;
	c->min_double = first || v < c->min_double ? v : c->min_double;
	c->max_double = first || v > c->max_double ? v : c->max_double;
}

static void add_text(struct parquet_column *c, const char *text, size_t len)
{
	bool first = c->count == 0;

	if (put_value(c, text, len))
		text_range(c, text, len, first);
}

/* A constant is known by its address: no hash, no comparison. */
static void add_word(struct parquet_column *c, const char *text, size_t len)
{
	struct parquet_word *word =
		&c->words[(uint64_t)(uintptr_t)text * 0x9e3779b97f4a7c15ULL >> 58];

	if (word->text == text && !c->plain) {
		buf_put(&c->indexes, &word->entry, 4);
		c->count++;
		return;
	}
	add_text(c, text, len);
	if (!c->plain) {
		word->text = text;
		memcpy(&word->entry, c->indexes.data + c->indexes.used - 4, 4);
	}
}

/* From the first null on, a byte for each row says whether it has a value. */
static void add_validity(struct parquet_column *c, bool null)
{
	if (null && c->nulls == 0 && c->rows > 0) {
		memset(buf_room(&c->valid, c->rows), 1, c->rows);
		c->valid.used = c->rows;
	}
	c->nulls += null;
	if (c->nulls > 0)
		buf_byte(&c->valid, !null);
}

void parquet_column_add(
	struct parquet_column *c, const struct cell *cell, size_t stride, size_t rows)
{
	for (; rows > 0; rows--, cell += stride) {
		if (cell->kind == CELL_NULL || c->nulls > 0)
			add_validity(c, cell->kind == CELL_NULL);
		c->rows++;
		if (cell->kind == CELL_NULL)
			continue;
		if (cell->kind == CELL_WORD)
			add_word(c, cell->text, cell->len);
		else if (c->type == PARQUET_BYTES)
			add_text(c, cell->text, cell->len);
		else if (c->type == PARQUET_INT64)
			add_int(c, cell->integer);
		else if (c->type == PARQUET_DOUBLE)
			add_double(c, cell->number);
		else
			add_bool(c, cell->integer != 0);
	}
}

static void fill_range(const struct parquet_column *c, struct parquet_chunk *chunk)
{
	const void *min = c->min_text.data, *max = c->max_text.data;
	/* the format wants -0 as the least zero and +0 as the greatest */
	double low = c->min_double == 0 ? -0.0 : c->min_double;
	double high = c->max_double == 0 ? 0.0 : c->max_double;

	chunk->min_len = chunk->max_len = 8;
	chunk->has_range = c->count > 0 && c->type != PARQUET_BOOL;
	switch (c->type) {
	case PARQUET_BOOL:
		return;
	case PARQUET_INT64:
		min = &c->min_int;
		max = &c->max_int;
		break;
	case PARQUET_DOUBLE:
		min = &low;
		max = &high;
		break;
	case PARQUET_BYTES:
		chunk->min_len = c->min_text.used;
		chunk->max_len = c->max_text.used;
		break;
	}
	chunk->has_range =
		chunk->has_range && chunk->min_len <= MAX_RANGE && chunk->max_len <= MAX_RANGE;
	if (chunk->has_range && chunk->min_len > 0)
		memcpy(chunk->min, min, chunk->min_len);
	if (chunk->has_range && chunk->max_len > 0)
		memcpy(chunk->max, max, chunk->max_len);
}

int parquet_column_write(struct parquet_column *c, enum codec codec, int64_t at,
	struct parquet_scratch *scratch, struct buf *out, struct parquet_chunk *chunk,
	struct errmsg *msg)
{
	struct buf *body = &scratch->body;
	int err = 0;

	body->used = 0;
	*chunk = (struct parquet_chunk){.dictionary_offset = -1,
		.values = (int64_t)c->rows,
		.nulls = (int64_t)c->nulls};
	fill_range(c, chunk);
	if (!c->plain) {
		chunk->dictionary_offset = at;
		err = parquet_page(PAGE_DICTIONARY, &c->values, c->entries, false, codec,
			&scratch->packed, out, chunk, msg);
	}
	chunk->data_offset = at + chunk->stored_bytes;
	if (c->type == PARQUET_BOOL && c->count & 7)
		buf_byte(&c->values, (int)c->bools);
	if (c->column->nullable)
		parquet_put_levels(body, &c->valid, c->rows, c->nulls);
	if (c->plain && c->column->nullable)
		buf_put(body, c->values.data, c->values.used);
	else if (c->plain)
		body = &c->values;
	else
		parquet_put_indexes(
			body, (const uint32_t *)(void *)c->indexes.data, c->count, c->entries);
	if (err == 0)
		err = parquet_page(PAGE_DATA, body, c->rows, !c->plain, codec, &scratch->packed,
			out, chunk, msg);
	reset(c);
	return err;
}
