/*
 * mysql_batch: a batch in one transaction, in this order:
 *   1 the ledger row moves from -> to, or nothing stays: it is the lock and the fence
 *   2 upserts (or plain inserts), 3 deletes: each in the fewest prepared shapes
 *   4 COMMIT, asked for apart, so that the caller may do other things between
 * With MariaDB 1 and 2 go out together and are judged together (mysql_wire.c): one trip. What a move
 * that was refused let through is rolled back with it; only COMMIT could make it last.
 */
#include "consumer/pipeline/mysql_internal.h"

#include "common/mem.h"
#include "consumer/pipeline/bare.h"
#include "consumer/pipeline/mysql_fit.h"
#include "consumer/pipeline/mysql_sql.h"
#include "consumer/pipeline/mysql_wire.h"

#include <string.h>

static void rows_add(struct mysql_rows *list, struct row *row, size_t index)
{
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 512;
		list->rows = mem_resize(list->rows, list->room, sizeof(*list->rows));
		list->index = mem_resize(list->index, list->room, sizeof(*list->index));
	}
	list->rows[list->count] = row;
	list->index[list->count++] = index;
}

/* One way of writing rows: which columns go in, which statements. */
struct kind {
	const struct route *route;
	bool erase; /* key columns only */
	int columns;
	MYSQL_STMT **stmts;
	bool array; /* in one go, whatever the count */
};

static int kind_column(const struct kind *kind, int i)
{
	return kind->erase ? kind->route->keys[i] : i;
}

/* How many of the next rows one statement can take; 0: not even the first. */
static size_t rows_fit(const struct mysql_store *store, const struct kind *kind,
	struct row *const *rows, size_t count)
{
	if (count > mysql_shape_rows[0] && !kind->array)
		count = mysql_shape_rows[0];
	return mysql_rows_fit(store, kind->route, kind->erase, rows, count);
}

static enum verdict shape_run(struct mysql_store *store, const struct kind *kind, int shape,
	struct row *const *rows, struct store_error *error)
{
	unsigned count = mysql_shape_rows[shape];
	MYSQL_STMT **stmt = &kind->stmts[shape];
	MYSQL_BIND *bind;

	if (!*stmt) {
		enum verdict v = mysql_prepare(store, stmt,
			kind->erase ? mysql_sql_delete(kind->route, count)
				    : mysql_sql_write(kind->route, count, store->row_alias),
			error);
		if (v != VERDICT_DONE)
			return v;
	}
	bind = mysql_binds(store, count * (size_t)kind->columns);
	for (unsigned r = 0; r < count; r++) {
		for (int i = 0; i < kind->columns; i++, bind++) {
			int c = kind_column(kind, i);

			mysql_bind_cell(bind, &kind->route->columns[c], &rows[r]->cells[c]);
		}
	}
	return mysql_execute(store, *stmt, error);
}

/* The first of *count rows; *count becomes how many that were. */
static enum verdict some_run(struct mysql_store *store, const struct kind *kind,
	struct row *const *rows, size_t *count, struct store_error *error)
{
	int shape = 0;

	if (kind->array && *count > 1) {
		enum verdict v = mysql_array_send(store, kind->route, rows, *count, error);

		return v == VERDICT_DONE ? mysql_wire_answer(store, error) : v;
	}
	while (mysql_shape_rows[shape] > *count)
		shape++;
	*count = mysql_shape_rows[shape];
	return shape_run(store, kind, shape, rows, error);
}

/* A row of the statement that wrote `count` rows of the list from `at` -> one of the caller's. */
static void name_row(
	const struct mysql_rows *list, size_t at, size_t count, struct store_error *error)
{
	bool known = error->row >= 0 && error->row < (long)count;

	error->row = known ? (long)list->index[at + (size_t)error->row] : -1;
}

static enum verdict rows_run(struct mysql_store *store, const struct kind *kind,
	const struct mysql_rows *list, size_t at, struct store_error *error)
{
	while (at < list->count) {
		size_t fit = rows_fit(store, kind, list->rows + at, list->count - at);
		enum verdict v;

		if (fit == 0) {
			v = mysql_refuse(error, VERDICT_POISON, "too_long",
				"the row is larger than max_allowed_packet (%lu bytes)",
				store->packet_max);
			error->row = (long)list->index[at];
			return v;
		}
		v = some_run(store, kind, list->rows + at, &fit, error);
		if (v != VERDICT_DONE) {
			name_row(list, at, fit, error);
			return v;
		}
		at += fit;
	}
	return VERDICT_DONE;
}

static struct kind kind_write(struct mysql_store *store, const struct route *route)
{
	return (struct kind){.route = route,
		.columns = route->column_count,
		.stmts = mysql_route_of(store, route)->write};
}

static void sort_out(struct mysql_store *store, struct row *const *rows, size_t count)
{
	store->writes.count = store->erases.count = 0;
	for (size_t i = 0; i < count; i++)
		rows_add(rows[i]->tombstone ? &store->erases : &store->writes, rows[i], i);
}

/* What sort_out found, but for the first `done` writes. */
static enum verdict apply_rest(struct mysql_store *store, const struct route *route,
	size_t done, struct store_error *error)
{
	struct kind write = kind_write(store, route);
	struct kind erase = {.route = route,
		.erase = true,
		.columns = route->key_count,
		.stmts = mysql_route_of(store, route)->erase};
	enum verdict v = VERDICT_DONE;

	if (store->writes.count > done + 1)
		v = mysql_array_usable(store, route, &write.array, error);
	if (v == VERDICT_DONE)
		v = rows_run(store, &write, &store->writes, done, error);
	if (v == VERDICT_DONE)
		v = rows_run(store, &erase, &store->erases, 0, error);
	return v;
}

/* The ledger's move, and behind it the writes as far as one packet takes them. */
static enum verdict send_ahead(struct mysql_store *store, const struct batch *batch,
	size_t count, struct store_error *error)
{
	enum verdict v = BARE ? VERDICT_DONE : mysql_ledger_send(store, batch, error);

	if (v == VERDICT_DONE)
		v = mysql_array_send(store, batch->route, store->writes.rows, count, error);
	if (v == VERDICT_DONE)
		store->ahead = count;
	return v;
}

enum verdict mysql_store_start(
	struct mysql_store *store, const struct batch *batch, struct store_error *error)
{
	struct kind write = kind_write(store, batch->route);
	enum verdict v = VERDICT_DONE;
	size_t fit;

	store->ahead = 0;
	sort_out(store, batch->selected, batch->selected_count);
	if (store->writes.count == 0)
		return VERDICT_DONE;
	v = mysql_array_usable(store, batch->route, &write.array, error);
	if (v == VERDICT_DONE && write.array) {
		fit = rows_fit(store, &write, store->writes.rows, store->writes.count);
		if (fit > 0)
			v = send_ahead(store, batch, fit, error);
	}
	return v == VERDICT_DONE ? v : mysql_abandon(store, v, error);
}

/* The answers to what mysql_store_start sent: both are read, the first that is not DONE counts. */
static enum verdict answers_ahead(struct mysql_store *store, const struct batch *batch,
	size_t count, struct store_error *error)
{
	enum verdict moved = VERDICT_DONE, written;
	struct store_error second;

	if (!BARE)
		moved = mysql_ledger_answer(store, batch, error);
	if (moved == VERDICT_RECONNECT)
		return moved;
	written = mysql_wire_answer(store, &second);
	if (written == VERDICT_DONE || (moved != VERDICT_DONE && written != VERDICT_RECONNECT))
		return moved;
	name_row(&store->writes, 0, count, &second);
	*error = second;
	return written;
}

enum verdict mysql_store_finish(
	struct mysql_store *store, const struct batch *batch, struct store_error *error)
{
	size_t done = store->ahead;
	enum verdict v = VERDICT_DONE;

	store->ahead = 0;
	if (done > 0)
		v = answers_ahead(store, batch, done, error);
	else if (!BARE)
		v = mysql_ledger_move(store, batch, error);
	if (v == VERDICT_DONE)
		v = apply_rest(store, batch->route, done, error);
	return v == VERDICT_DONE ? v : mysql_abandon(store, v, error);
}

enum verdict mysql_store_execute(
	struct mysql_store *store, const struct batch *batch, struct store_error *error)
{
	enum verdict v = mysql_store_start(store, batch, error);

	return v == VERDICT_DONE ? mysql_store_finish(store, batch, error) : v;
}

enum verdict mysql_store_commit(struct mysql_store *store, struct store_error *error)
{
	enum verdict v = mysql_run(store, "COMMIT", error);

	return v == VERDICT_DONE ? v : mysql_abandon(store, v, error);
}

enum verdict mysql_store_rollback(struct mysql_store *store, struct store_error *error)
{
	return mysql_run(store, "ROLLBACK", error) == VERDICT_DONE ? VERDICT_DONE
								   : VERDICT_RECONNECT;
}

enum verdict mysql_store_probe(struct mysql_store *store, const struct route *route,
	struct row *const *rows, size_t count, struct store_error *error)
{
	struct store_error end;
	enum verdict v;

	sort_out(store, rows, count);
	v = apply_rest(store, route, 0, error);
	if (v != VERDICT_DONE)
		return mysql_abandon(store, v, error);
	v = mysql_store_rollback(store, &end);
	if (v != VERDICT_DONE)
		*error = end;
	return v;
}
