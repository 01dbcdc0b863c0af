/* users: see users.h. */
#include "tests/lib/users.h"

#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mapping *users_mapping(void)
{
	static char id[] = "id", name[] = "name", age[] = "age", occupation[] = "occupation";
	static char prefix[] = "user:", topic[] = "users", table[] = "users", source[] = "test";
	static struct column columns[4];
	static struct cache_key_part key[2] = {{prefix, 0}, {NULL, 0}};
	static int keys[1] = {0};
	static struct route route;
	static struct mapping mapping;

	columns[0] = (struct column){
		.field = id, .column = id, .type = COLUMN_STRING, .key = true, .line = 2};
	columns[1] = (struct column){
		.field = name, .column = name, .type = COLUMN_STRING, .line = 3};
	columns[2] =
		(struct column){.field = age, .column = age, .type = COLUMN_INT, .line = 4};
	columns[3] = (struct column){
		.field = occupation, .column = occupation, .type = COLUMN_STRING, .line = 5};
	route = (struct route){.topic = topic,
		.table = table,
		.mode = ROUTE_UPSERT,
		.columns = columns,
		.column_count = 4,
		.keys = keys,
		.key_count = 1,
		.cache = CACHE_JSON,
		.cache_key = key,
		.cache_key_count = 2};
	mapping = (struct mapping){.source = source, .routes = &route, .route_count = 1};
	return &mapping;
}

struct users *users_new(const struct route *route, int64_t from, int64_t to)
{
	struct users *users = mem_zero(1, sizeof(*users));

	users->batch.route = route;
	users->batch.from = from;
	users->batch.to = to;
	users->batch.has_last = true;
	users->batch.last_timestamp = 1700000000123;
	users->batch.last_digest = 0xfedcba98u;
	users->batch.selected = users->selected;
	return users;
}

void users_free(struct users *users)
{
	free(users);
}

static struct cell text_cell(const char *text)
{
	return (struct cell){.kind = CELL_TEXT, .length = (uint32_t)strlen(text), .text = text};
}

static struct row *add(struct users *users, const char *id)
{
	size_t i = users->batch.selected_count++;
	struct row *row = &users->rows[i];

	if (i >= USERS_ROWS)
		abort();
	row->cells = users->cells[i];
	row->offset = users->batch.from + (int64_t)i;
	row->record = (uint32_t)i;
	row->cells[0] = text_cell(id);
	row->sort_key = row->cells[0].text;
	row->sort_key_length = row->cells[0].length;
	users->selected[i] = row;
	return row;
}

struct row *users_put(
	struct users *users, const char *id, const char *name, int64_t age, const char *work)
{
	struct row *row = add(users, id);

	row->cells[1] = text_cell(name);
	row->cells[2] = (struct cell){.kind = CELL_INT, .integer = age};
	row->cells[3] = text_cell(work);
	return row;
}

struct row *users_delete(struct users *users, const char *id)
{
	struct row *row = add(users, id);

	row->tombstone = true;
	return row;
}

void users_put_many(struct users *users, int first, int count, int salt)
{
	for (int i = first; i < first + count; i++) {
		char(*text)[48] = users->texts[users->batch.selected_count];

		snprintf(text[0], sizeof(text[0]), "k%05d", i);
		snprintf(text[1], sizeof(text[1]), "n%d", salt);
		snprintf(text[2], sizeof(text[2]), "w%d", i);
		users_put(users, text[0], text[1], i + salt, text[2]);
	}
}
