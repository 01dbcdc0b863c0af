/*
 * mysql_snapshot: position and rows of one moment, for refresh, verify and rebuild. A read asks
 * for at most a shape of keys at a time; what comes back unordered is put in the order asked.
 */
#include "consumer/pipeline/mysql_internal.h"

#include "common/mem.h"
#include "consumer/pipeline/mysql_fit.h"
#include "consumer/pipeline/mysql_sql.h"

#include <stdlib.h>
#include <string.h>

#define SCAN_BYTES (8 << 20)

enum verdict mysql_store_snapshot_begin(struct mysql_store *store, struct store_error *error)
{
	enum verdict v = VERDICT_DONE;

	if (store->snapshot_needs_level)
		v = mysql_run(store, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", error);
	if (v == VERDICT_DONE)
		v = mysql_run(
			store, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", error);
	return v;
}

enum verdict mysql_store_snapshot_end(struct mysql_store *store, struct store_error *error)
{
	return mysql_run(store, "COMMIT", error);
}

static enum verdict read_positions(struct mysql_store *store, const struct route *route,
	int64_t *next, int64_t *generation, int32_t count, struct store_error *error)
{
	long long values[3] = {0, 0, 0};
	MYSQL_BIND result[3];
	MYSQL_BIND *bind = mysql_binds(store, 2);
	MYSQL_STMT *stmt;
	int code;
	enum verdict v = mysql_fixed(store, FIXED_POSITIONS, &stmt, error);

	for (int32_t i = 0; i < count; i++)
		next[i] = generation[i] = -1;
	if (v != VERDICT_DONE)
		return v;
	mysql_bind_text(&bind[0], store->config->group, strlen(store->config->group));
	mysql_bind_text(&bind[1], route->topic, strlen(route->topic));
	v = mysql_execute(store, stmt, error);
	if (v != VERDICT_DONE)
		return v;
	memset(result, 0, sizeof(result));
	for (int i = 0; i < 3; i++) {
		result[i].buffer_type = MYSQL_TYPE_LONGLONG;
		result[i].buffer = &values[i];
		result[i].buffer_length = sizeof(values[i]);
	}
	if (mysql_stmt_bind_result(stmt, result) || mysql_stmt_store_result(stmt))
		return mysql_stmt_failed(stmt, error);
	while ((code = mysql_stmt_fetch(stmt)) == 0) {
		if (values[0] < 0 || values[0] >= count)
			continue;
		next[values[0]] = values[1];
		generation[values[0]] = values[2];
	}
	v = code == MYSQL_NO_DATA ? VERDICT_DONE : mysql_stmt_failed(stmt, error);
	mysql_stmt_free_result(stmt);
	return v;
}

enum verdict mysql_store_snapshot_positions(struct mysql_store *store,
	const struct route *route, int64_t *next, int64_t *generation, int32_t count,
	struct store_error *error)
{
	int64_t *ignored = generation ? NULL : mem_zero((size_t)count, sizeof(*ignored));
	enum verdict v = read_positions(
		store, route, next, generation ? generation : ignored, count, error);

	free(ignored);
	return v;
}

/* The key cells of a row as one number; equal keys, equal number. */
static uint64_t key_hash(const struct route *route, const struct row *row)
{
	uint64_t hash = 1469598103934665603u;

	for (int k = 0; k < route->key_count; k++) {
		const struct cell *cell = &row->cells[route->keys[k]];
		const void *data = cell->kind == CELL_TEXT ? (const void *)cell->text
							   : (const void *)&cell->integer;
		size_t length = cell->kind == CELL_TEXT ? cell->length : sizeof(cell->integer);

		for (size_t i = 0; i < length; i++)
			hash = (hash ^ ((const unsigned char *)data)[i]) * 1099511628211u;
		hash = (hash ^ length) * 1099511628211u;
	}
	return hash;
}

static bool cell_equal(const struct cell *a, const struct cell *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case CELL_NULL:
		return true;
	case CELL_INT:
		return a->integer == b->integer;
	case CELL_DOUBLE:
		return !memcmp(&a->number, &b->number, sizeof(a->number));
	case CELL_TEXT:
		return a->length == b->length &&
		       (a->length == 0 || !memcmp(a->text, b->text, a->length));
	}
	return false;
}

static bool key_equal(const struct route *route, const struct row *a, const struct row *b)
{
	for (int k = 0; k < route->key_count; k++) {
		int c = route->keys[k];

		if (!cell_equal(&a->cells[c], &b->cells[c]))
			return false;
	}
	return true;
}

/* A tombstone for each wanted key; the cells' texts are copied. */
static void add_tombstones(const struct route *route, struct row *const *wanted, size_t count,
	struct row_list *out)
{
	size_t cell_bytes = (size_t)route->column_count * sizeof(struct cell);

	if (out->count + count > out->room) {
		out->room = 2 * (out->count + count);
		out->rows = mem_resize(out->rows, out->room, sizeof(*out->rows));
	}
	for (size_t i = 0; i < count; i++) {
		struct row *row = &out->rows[out->count++];

		memset(row, 0, sizeof(*row));
		row->tombstone = true;
		row->cells = arena_alloc(&out->arena, cell_bytes);
		memset(row->cells, 0, cell_bytes);
		for (int k = 0; k < route->key_count; k++) {
			struct cell *cell = &row->cells[route->keys[k]];

			*cell = wanted[i]->cells[route->keys[k]];
			if (cell->kind == CELL_TEXT)
				cell->text = arena_copy(&out->arena, cell->text, cell->length);
		}
	}
}

#define TABLE_SLOTS 2048 /* a power of two, at least 4 x the largest shape */

/* Puts each found row in the place of the tombstone with its key (all of them, when asked twice). */
static void place_found(const struct route *route, struct row *asked, size_t count,
	const struct row *found, size_t found_count)
{
	uint16_t table[TABLE_SLOTS] = {0};

	for (size_t i = 0; i < count; i++) {
		size_t slot = key_hash(route, &asked[i]) % TABLE_SLOTS;

		while (table[slot])
			slot = (slot + 1) % TABLE_SLOTS;
		table[slot] = (uint16_t)(i + 1);
	}
	for (size_t f = 0; f < found_count; f++) {
		size_t slot = key_hash(route, &found[f]) % TABLE_SLOTS;

		for (; table[slot]; slot = (slot + 1) % TABLE_SLOTS) {
			struct row *row = &asked[table[slot] - 1];

			if (key_equal(route, row, &found[f])) {
				row->cells = found[f].cells;
				row->tombstone = false;
			}
		}
	}
}

static enum verdict read_shape(struct mysql_store *store, const struct route *route, int shape,
	struct row *const *wanted, struct row_list *out, struct store_error *error)
{
	unsigned count = mysql_shape_rows[shape];
	MYSQL_STMT **stmt = &mysql_route_of(store, route)->read[shape];
	MYSQL_BIND *bind;
	size_t first = out->count, found;
	enum verdict v = VERDICT_DONE;

	if (!*stmt)
		v = mysql_prepare(store, stmt, mysql_sql_select(route, count), error);
	if (v != VERDICT_DONE)
		return v;
	bind = mysql_binds(store, (size_t)count * (size_t)route->key_count);
	for (unsigned r = 0; r < count; r++) {
		for (int k = 0; k < route->key_count; k++, bind++)
			mysql_bind_cell(bind, &route->columns[route->keys[k]],
				&wanted[r]->cells[route->keys[k]]);
	}
	v = mysql_execute(store, *stmt, error);
	if (v != VERDICT_DONE)
		return v;
	add_tombstones(route, wanted, count, out);
	found = out->count;
	v = mysql_read_rows(*stmt, route, SIZE_MAX, out, error);
	if (v == VERDICT_DONE)
		place_found(
			route, out->rows + first, count, out->rows + found, out->count - found);
	out->count = found;
	return v;
}

/* The server refused one of these keys: what the column's character set cannot spell is in no row. */
static enum verdict read_singly(struct mysql_store *store, const struct route *route,
	unsigned count, struct row *const *wanted, struct row_list *out,
	struct store_error *error)
{
	enum verdict v = VERDICT_DONE;

	for (unsigned i = 0; i < count && v == VERDICT_DONE; i++) {
		v = read_shape(store, route, MYSQL_SHAPES - 1, wanted + i, out, error);
		if (v == VERDICT_POISON) {
			add_tombstones(route, wanted + i, 1, out);
			v = VERDICT_DONE;
		}
	}
	return v;
}

enum verdict mysql_store_snapshot_rows(struct mysql_store *store, const struct route *route,
	struct row *const *wanted, size_t count, struct row_list *out,
	struct store_error *error)
{
	size_t at = 0;

	while (at < count) {
		size_t left =
			count - at < mysql_shape_rows[0] ? count - at : mysql_shape_rows[0];
		size_t fit = mysql_rows_fit(store, route, true, wanted + at, left);
		int shape = 0;
		enum verdict v;

		if (fit == 0) {
			add_tombstones(route, wanted + at++, 1, out); /* it cannot be there */
			continue;
		}
		while (mysql_shape_rows[shape] > fit)
			shape++;
		v = read_shape(store, route, shape, wanted + at, out, error);
		if (v == VERDICT_POISON)
			v = read_singly(
				store, route, mysql_shape_rows[shape], wanted + at, out, error);
		if (v != VERDICT_DONE)
			return v;
		at += mysql_shape_rows[shape];
	}
	return VERDICT_DONE;
}

enum verdict mysql_store_snapshot_scan(struct mysql_store *store, const struct route *route,
	const struct row *after, size_t limit, struct row_list *out, struct store_error *error)
{
	struct mysql_route *own = mysql_route_of(store, route);
	MYSQL_STMT **stmt = after ? &own->scan_after : &own->scan;
	unsigned params = after ? mysql_sql_after_params(route) : 0;
	MYSQL_BIND *bind = mysql_binds(store, params + 1);
	size_t rows = store->scan_rows && store->scan_rows < limit ? store->scan_rows : limit;
	size_t count = out->count, given = out->arena.given;
	int64_t most = (int64_t)rows;
	enum verdict v = VERDICT_DONE;

	if (!*stmt)
		v = mysql_prepare(store, stmt, mysql_sql_scan(route, after != NULL), error);
	if (v != VERDICT_DONE)
		return v;
	for (unsigned i = 0; i < params; i++) {
		int c = route->keys[mysql_sql_after_param(i)];

		mysql_bind_cell(&bind[i], &route->columns[c], &after->cells[c]);
	}
	mysql_bind_int(&bind[params], &most);
	v = mysql_execute(store, *stmt, error);
	if (v == VERDICT_DONE)
		v = mysql_read_rows(*stmt, route, SCAN_BYTES, out, error);
	/* What is passed over has to be sent again: as many as fit are asked for. */
	if (out->arena.given - given >= SCAN_BYTES)
		store->scan_rows = out->count - count;
	else if (out->arena.given - given < SCAN_BYTES / 4)
		store->scan_rows = 2 * rows;
	return v;
}
