/*
 * Any record: a row or dead with words; a row's cache text is JSON again, its cache key leads back
 * to it, and its delete finds the same key. The first byte chooses value, delete or another route.
 */
#include "consumer/pipeline/cache_key_parse.h"
#include "consumer/pipeline/cache_value.h"
#include "tests/lib/records.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mapping users;
static struct route kinds;

/* The same fields, other types. */
static void make_routes(void)
{
	mapping_init_users(&users, "users");
	kinds = users.routes[0];
	kinds.columns = malloc(4 * sizeof(*kinds.columns));
	memcpy(kinds.columns, users.routes[0].columns, 4 * sizeof(*kinds.columns));
	kinds.columns[0].type = COLUMN_INT;
	kinds.columns[1].type = COLUMN_DATETIME;
	kinds.columns[2].type = COLUMN_DOUBLE;
	kinds.columns[3].type = COLUMN_BYTES;
}

static void must(int truth)
{
	if (!truth)
		abort();
}

static bool same_key(const struct row *a, const struct row *b)
{
	return a->sort_key_length == b->sort_key_length &&
	       memcmp(a->sort_key, b->sort_key, a->sort_key_length) == 0;
}

static void check_row(const struct route *route, const struct row *row)
{
	struct row *readings[CACHE_KEY_READINGS], first = *row, *again;
	struct text_buffer key = {0}, text = {0};
	struct records *deletes = records_new(route);
	struct arena arena = {0};
	json_t *read;

	cache_key_add(&key, route, row);
	must(cache_key_parse(route, key.data, key.used, &arena, readings) == 1);
	again = records_put_bytes(deletes, key.data + 5, key.used - 5, NULL, 0);
	must(again && same_key(&first, again)); /* "user:" is five bytes long */
	if (!row->tombstone) {
		cache_json_add(&text, route, row);
		read = json_loadb(text.data, text.used, JSON_ALLOW_NUL, NULL);
		must(read && json_object_size(read) == 4);
		json_decref(read);
	}
	records_free(deletes);
	arena_release(&arena);
	text_buffer_release(&key);
	text_buffer_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct route *route;
	struct records *records;
	struct row *row;
	char *exact;

	if (size == 0)
		return 0;
	if (!users.routes)
		make_routes();
	route = data[0] & 1 ? &kinds : &users.routes[0];
	records = records_new(route);
	exact = malloc(size);
	memcpy(exact, data + 1, size - 1);
	row = data[0] & 2 ? records_put_bytes(records, exact, size - 1, NULL, 0)
			  : records_put_bytes(records, NULL, 0, exact, size - 1);
	must(row ? !records->why.reason : records->why.reason && records->why.msg.text[0]);
	if (row)
		check_row(route, row);
	records_free(records);
	free(exact);
	return 0;
}
