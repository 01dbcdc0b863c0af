/*
 * redis_rows: rows as a script's arguments, or as commands: what is deleted, then what is written.
 * Keys and values are put together where they are sent from.
 */
#include "consumer/pipeline/redis_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put_key(struct redis_store *store, const struct route *route, const struct row *row)
{
	size_t at = redis_word_begin(&store->body, &store->key_digits);

	cache_key_add(&store->body, route, row);
	redis_word_end(&store->body, at, &store->key_digits);
	store->body_args++;
}

static void put_json(
	struct redis_store *store, const struct route *route, const struct row *row)
{
	size_t at = redis_word_begin(&store->body, &store->value_digits);

	cache_json_add(&store->body, route, row);
	redis_word_end(&store->body, at, &store->value_digits);
	store->body_args++;
}

static size_t fields_of(const struct route *route, const struct row *row)
{
	size_t fields = 0;

	for (int i = 0; i < route->column_count; i++)
		fields += row->cells[i].kind != CELL_NULL;
	return fields;
}

static void put_fields(
	struct redis_store *store, const struct route *route, const struct row *row)
{
	for (int i = 0; i < route->column_count; i++) {
		size_t at;

		if (row->cells[i].kind == CELL_NULL)
			continue;
		redis_arg_text(store, route->columns[i].field);
		at = redis_word_begin(&store->body, &store->value_digits);
		cache_cell_add(&store->body, &route->columns[i], &row->cells[i]);
		redis_word_end(&store->body, at, &store->value_digits);
		store->body_args++;
	}
}

/* Of the rows that the cache holds; only the fence moves where there is no cache. */
static size_t count_erased(struct row *const *rows, size_t count)
{
	size_t erased = 0;

	for (size_t i = 0; i < count; i++)
		erased += rows[i]->tombstone;
	return erased;
}

static void put_erased_keys(struct redis_store *store, const struct route *route,
	struct row *const *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i]->tombstone)
			put_key(store, route, rows[i]);
	}
}

/* ---- a script's arguments ------------------------------------------------------------------- */

static void arg_row(struct redis_store *store, const struct route *route, const struct row *row)
{
	put_key(store, route, row);
	if (route->cache != CACHE_HASH) {
		put_json(store, route, row);
		return;
	}
	redis_arg_number(store, 2 * (int64_t)fields_of(route, row));
	put_fields(store, route, row);
}

static const char *how(const struct route *route)
{
	if (route->cache == CACHE_HASH)
		return "h";
	return route->cache_ttl_s > 0 ? "e" : "s";
}

void redis_arg_rows(struct redis_store *store, const struct route *route,
	struct row *const *rows, size_t count)
{
	if (route->cache == CACHE_NONE)
		count = 0;
	redis_arg_text(store, how(route));
	redis_arg_number(store, route->cache_ttl_s);
	redis_arg_number(store, (int64_t)count_erased(rows, count));
	put_erased_keys(store, route, rows, count);
	for (size_t i = 0; i < count; i++) {
		if (!rows[i]->tombstone)
			arg_row(store, route, rows[i]);
	}
}

/* ---- commands ---------------------------------------------------------------------------------- */

static void begin_command(struct redis_store *store, size_t words, const char *name)
{
	redis_words(&store->body, words);
	redis_arg_text(store, name);
}

static size_t hash_commands(
	struct redis_store *store, const struct route *route, const struct row *row)
{
	size_t fields = fields_of(route, row), made = 1;

	begin_command(store, 2, "DEL"); /* HSET can fail on a key of another type */
	put_key(store, route, row);
	if (fields == 0)
		return made;
	begin_command(store, 2 + 2 * fields, "HSET");
	put_key(store, route, row);
	put_fields(store, route, row);
	made++;
	if (route->cache_ttl_s > 0) {
		begin_command(store, 3, "EXPIRE");
		put_key(store, route, row);
		redis_arg_number(store, route->cache_ttl_s);
		made++;
	}
	return made;
}

static size_t expiring_command(
	struct redis_store *store, const struct route *route, const struct row *row)
{
	begin_command(store, 5, "SET");
	put_key(store, route, row);
	put_json(store, route, row);
	redis_arg_text(store, "EX");
	redis_arg_number(store, route->cache_ttl_s);
	return 1;
}

static size_t write_commands(struct redis_store *store, const struct route *route,
	struct row *const *rows, size_t count, size_t written)
{
	bool plain = route->cache == CACHE_JSON && route->cache_ttl_s == 0;
	size_t made = plain;

	if (plain)
		begin_command(store, 1 + 2 * written, "MSET");
	for (size_t i = 0; i < count; i++) {
		if (rows[i]->tombstone)
			continue;
		if (plain) {
			put_key(store, route, rows[i]);
			put_json(store, route, rows[i]);
		} else if (route->cache == CACHE_HASH) {
			made += hash_commands(store, route, rows[i]);
		} else {
			made += expiring_command(store, route, rows[i]);
		}
	}
	return made;
}

size_t redis_row_commands(struct redis_store *store, const struct route *route,
	struct row *const *rows, size_t count)
{
	size_t erased, made = 0;

	if (route->cache == CACHE_NONE)
		return 0;
	erased = count_erased(rows, count);
	if (erased > 0) {
		begin_command(store, 1 + erased, "DEL");
		put_erased_keys(store, route, rows, count);
		made++;
	}
	if (erased < count)
		made += write_commands(store, route, rows, count, count - erased);
	return made;
}
