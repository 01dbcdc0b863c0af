#include "consumer/pipeline/refresh.h"

#include "common/mem.h"

#include <stdlib.h>

/* Position and rows from one snapshot: the fence may not pass what those rows hold. */
static enum verdict read_snapshot(struct mysql_store *mysql,
	const struct refresh_request *request, struct refresh *refresh, struct row_list *rows,
	struct store_error *error)
{
	int32_t count = request->partition + 1;
	int64_t *positions = mem_alloc((size_t)count * 2 * sizeof(*positions));
	int64_t *generations = positions + count;
	struct store_error ignored;
	enum verdict v, end;

	v = mysql_store_snapshot_begin(mysql, error);
	if (v == VERDICT_DONE)
		v = mysql_store_snapshot_positions(
			mysql, request->route, positions, generations, count, error);
	if (v == VERDICT_DONE && request->count > 0 && request->route->cache != CACHE_NONE)
		v = mysql_store_snapshot_rows(
			mysql, request->route, request->wanted, request->count, rows, error);
	if (v == VERDICT_DONE) {
		refresh->snapshot = positions[request->partition];
		refresh->generation = generations[request->partition];
	}
	end = mysql_store_snapshot_end(mysql, v == VERDICT_DONE ? error : &ignored);
	free(positions);
	return v == VERDICT_DONE ? end : v;
}

enum verdict refresh_keys(struct mysql_store *mysql, struct redis_store *redis,
	const struct refresh_request *request, struct row_list *rows, struct store_error *error)
{
	struct refresh refresh = {.route = request->route,
		.partition = request->partition,
		.advance_from = request->advance_from,
		.advance_to = request->advance_to};
	struct row **found;
	enum verdict v;

	row_list_clear(rows);
	v = read_snapshot(mysql, request, &refresh, rows, error);
	if (v != VERDICT_DONE)
		return v;
	if (refresh.advance_to > refresh.snapshot)
		refresh.advance_to = refresh.snapshot;
	found = mem_alloc((rows->count + 1) * sizeof(*found));
	for (size_t i = 0; i < rows->count; i++)
		found[i] = &rows->rows[i];
	refresh.rows = found;
	refresh.count = rows->count;
	v = redis_store_refresh(redis, &refresh, error);
	free(found);
	return v;
}
