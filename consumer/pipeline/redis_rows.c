/* redis_rows: rows as a script's arguments: what is deleted, then what is written. */
#include "consumer/pipeline/redis_internal.h"

static void arg_scratch(struct redis_store *store)
{
	redis_arg(store, store->scratch.data, store->scratch.used);
}

static void arg_key(struct redis_store *store, const struct route *route, const struct row *row)
{
	store->scratch.used = 0;
	cache_key_add(&store->scratch, route, row);
	arg_scratch(store);
}

static void arg_hash(
	struct redis_store *store, const struct route *route, const struct row *row)
{
	int fields = 0;

	for (int i = 0; i < route->column_count; i++)
		fields += row->cells[i].kind != CELL_NULL;
	redis_arg_number(store, 2 * fields);
	for (int i = 0; i < route->column_count; i++) {
		if (row->cells[i].kind == CELL_NULL)
			continue;
		redis_arg_text(store, route->columns[i].field);
		store->scratch.used = 0;
		cache_cell_add(&store->scratch, &route->columns[i], &row->cells[i]);
		arg_scratch(store);
	}
}

static void arg_row(struct redis_store *store, const struct route *route, const struct row *row)
{
	arg_key(store, route, row);
	if (route->cache == CACHE_HASH) {
		arg_hash(store, route, row);
		return;
	}
	store->scratch.used = 0;
	cache_json_add(&store->scratch, route, row);
	arg_scratch(store);
}

static const char *how(const struct route *route)
{
	switch (route->cache) {
	case CACHE_HASH:
		return "h";
	case CACHE_NONE:
	case CACHE_JSON:
		break;
	}
	return route->cache_ttl_s > 0 ? "e" : "s";
}

void redis_arg_rows(struct redis_store *store, const struct route *route,
	struct row *const *rows, size_t count)
{
	int64_t erased = 0;

	if (route->cache == CACHE_NONE) /* only the fence moves */
		count = 0;
	for (size_t i = 0; i < count; i++)
		erased += rows[i]->tombstone;
	redis_arg_text(store, how(route));
	redis_arg_number(store, route->cache_ttl_s);
	redis_arg_number(store, erased);
	for (size_t i = 0; i < count; i++) {
		if (rows[i]->tombstone)
			arg_key(store, route, rows[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (!rows[i]->tombstone)
			arg_row(store, route, rows[i]);
	}
}
