#include "consumer/pipeline/cache_key_parse.h"

#include "common/json_reader.h"
#include "consumer/pipeline/cache_value.h"
#include "consumer/pipeline/decode_value.h"

#include <string.h>

struct parse {
	const struct route *route;
	const char *key, *end;
	struct arena *arena;
	struct row **readings;
	size_t count;
	struct cell *cells; /* of the reading that is being tried */
	struct text_buffer again;
};

/* A cell's text in a key is its JSON value without quotes. */
static bool take_cell(struct parse *p, int column, const char *text, size_t length)
{
	const struct column *c = &p->route->columns[column];
	struct json_value value = {.kind = JSON_KIND_STRING, .text = text, .length = length};
	struct json_reader r;
	struct errmsg ignored;
	char *array;

	if (c->type == COLUMN_INT || c->type == COLUMN_DOUBLE || c->type == COLUMN_BOOL) {
		array = arena_alloc(p->arena, length + 2);
		array[0] = '[';
		memcpy(array + 1, text, length);
		array[length + 1] = ']';
		if (json_array_begin(&r, array, length + 2) != 0 ||
			json_array_next(&r, &value) != 1)
			return false;
	} else if (!json_is_utf8(text, length)) {
		return false;
	}
	return decode_value(c, &value, p->arena, &p->cells[column], &ignored) == NULL;
}

/* "007" is no key of the row 7: what was understood must spell the same key again. */
static void take_reading(struct parse *p)
{
	size_t bytes = (size_t)p->route->column_count * sizeof(*p->cells);
	size_t length = (size_t)(p->end - p->key);
	struct row *row = arena_alloc(p->arena, sizeof(*row));

	*row = (struct row){.cells = arena_alloc(p->arena, bytes)};
	memcpy(row->cells, p->cells, bytes);
	p->again.used = 0;
	cache_key_add(&p->again, p->route, row);
	if (p->again.used == length &&
		(length == 0 || memcmp(p->again.data, p->key, length) == 0))
		p->readings[p->count++] = row;
}

static bool may_follow(const struct parse *p, int part, const char *at)
{
	const char *literal =
		part < p->route->cache_key_count ? p->route->cache_key[part].literal : NULL;
	size_t length = literal ? strlen(literal) : 0;

	return (size_t)(p->end - at) >= length &&
	       (length == 0 || memcmp(at, literal, length) == 0);
}

static void try_part(struct parse *p, int part, const char *at)
{
	const struct cache_key_part *this = &p->route->cache_key[part];
	bool last = part + 1 == p->route->cache_key_count;

	if (part == p->route->cache_key_count) {
		if (at == p->end)
			take_reading(p);
		return;
	}
	if (this->literal) {
		size_t length = strlen(this->literal);

		if ((size_t)(p->end - at) >= length && memcmp(at, this->literal, length) == 0)
			try_part(p, part + 1, at + length);
		return;
	}
	for (const char *to = last ? p->end : at; to <= p->end && p->count < CACHE_KEY_READINGS;
		to++) {
		if (may_follow(p, part + 1, to) &&
			take_cell(p, this->column, at, (size_t)(to - at)))
			try_part(p, part + 1, to);
	}
}

size_t cache_key_parse(const struct route *route, const char *key, size_t length,
	struct arena *arena, struct row **readings)
{
	struct parse p = {.route = route,
		.key = key,
		.end = key + length,
		.arena = arena,
		.readings = readings};
	size_t bytes = (size_t)route->column_count * sizeof(*p.cells);

	p.cells = arena_alloc(arena, bytes);
	memset(p.cells, 0, bytes);
	try_part(&p, 0, key);
	text_buffer_release(&p.again);
	return p.count;
}
