/*
 * mysql_batch: a batch in one transaction, in this order:
 *   1 the ledger row moves from -> to, or nothing happens: it is the lock and the fence
 *   2 upserts (or plain inserts), 3 deletes: each in the fewest prepared shapes
 *   4 COMMIT, asked for apart, so that the caller may do other things between
 * Parameters are bound to the rows' own cells: no text is copied before the client library does.
 */
#include "consumer/pipeline/mysql_internal.h"

#include "common/mem.h"
#include "consumer/pipeline/bare.h"
#include "consumer/pipeline/mysql_sql.h"

#include <string.h>

/* A statement's head, its NULL bits, and what a length or a type takes: a safe estimate. */
#define PACKET_HEAD_BYTES 1024
#define CELL_HEAD_BYTES	  12

static size_t cell_bytes(const struct cell *cell)
{
	return CELL_HEAD_BYTES + (cell->kind == CELL_TEXT ? cell->length : sizeof(int64_t));
}

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

static size_t row_bytes(const struct kind *kind, const struct row *row)
{
	size_t bytes = 0;

	for (int i = 0; i < kind->columns; i++)
		bytes += cell_bytes(&row->cells[kind_column(kind, i)]);
	return bytes;
}

/* How many of the next rows one statement can take; 0: not even the first. */
static size_t rows_fit(const struct mysql_store *store, const struct kind *kind,
	struct row *const *rows, size_t count)
{
	size_t most = MYSQL_PLACEHOLDERS / (size_t)kind->columns, bytes = PACKET_HEAD_BYTES, n;

	if (most > mysql_shape_rows[0] && !kind->array)
		most = mysql_shape_rows[0];
	for (n = 0; n < count && n < most; n++) {
		bytes += row_bytes(kind, rows[n]);
		if (bytes > store->packet_max)
			break;
	}
	return n;
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

	if (kind->array && *count > 1)
		return mysql_array_run(store, kind->route, rows, *count, error);
	while (mysql_shape_rows[shape] > *count)
		shape++;
	*count = mysql_shape_rows[shape];
	return shape_run(store, kind, shape, rows, error);
}

static enum verdict rows_run(struct mysql_store *store, const struct kind *kind,
	const struct mysql_rows *list, struct store_error *error)
{
	size_t at = 0;

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
			bool known = error->row >= 0 && error->row < (long)fit;

			error->row = known ? (long)list->index[at + (size_t)error->row] : -1;
			return v;
		}
		at += fit;
	}
	return VERDICT_DONE;
}

enum verdict mysql_apply_rows(struct mysql_store *store, const struct route *route,
	struct row *const *rows, size_t count, struct store_error *error)
{
	struct mysql_route *own = mysql_route_of(store, route);
	struct kind write = {route, false, route->column_count, own->write, false};
	struct kind erase = {route, true, route->key_count, own->erase, false};
	enum verdict v = VERDICT_DONE;

	store->writes.count = store->erases.count = 0;
	for (size_t i = 0; i < count; i++)
		rows_add(rows[i]->tombstone ? &store->erases : &store->writes, rows[i], i);
	if (store->writes.count > 1)
		v = mysql_array_usable(store, route, &write.array, error);
	if (v == VERDICT_DONE)
		v = rows_run(store, &write, &store->writes, error);
	if (v == VERDICT_DONE)
		v = rows_run(store, &erase, &store->erases, error);
	return v;
}

static enum verdict ledger_move(
	struct mysql_store *store, const struct batch *batch, struct store_error *error)
{
	const struct mysql_config *config = store->config;
	const char *topic = batch->route->topic;
	int64_t partition = batch->partition, digest = batch->last_digest;
	struct cell null = {.kind = CELL_NULL};
	MYSQL_STMT *stmt;
	MYSQL_BIND *bind = mysql_binds(store, 9);
	enum verdict v = mysql_fixed(store, FIXED_LEDGER_MOVE, &stmt, error);

	if (v != VERDICT_DONE)
		return v;
	mysql_bind_int(&bind[0], &batch->to);
	if (batch->has_last && batch->last_timestamp >= 0)
		mysql_bind_int(&bind[1], &batch->last_timestamp);
	else
		mysql_bind_cell(&bind[1], NULL, &null);
	if (batch->has_last)
		mysql_bind_int(&bind[2], &digest);
	else
		mysql_bind_cell(&bind[2], NULL, &null);
	mysql_bind_text(&bind[3], store->updated_by, strlen(store->updated_by));
	mysql_bind_text(&bind[4], config->group, strlen(config->group));
	mysql_bind_text(&bind[5], topic, strlen(topic));
	mysql_bind_int(&bind[6], &partition);
	mysql_bind_int(&bind[7], &batch->from);
	mysql_bind_int(&bind[8], &batch->generation);
	v = mysql_execute(store, stmt, error);
	if (v == VERDICT_POISON) /* it is not a row's fault */
		v = VERDICT_RETRY;
	error->row = -1;
	if (v == VERDICT_DONE && mysql_stmt_affected_rows(stmt) != 1)
		v = mysql_refuse(error, VERDICT_MOVED, "moved",
			"the ledger of %s [%d] is not at %lld", topic, (int)partition,
			(long long)batch->from);
	return v;
}

enum verdict mysql_store_execute(
	struct mysql_store *store, const struct batch *batch, struct store_error *error)
{
	enum verdict v = BARE ? VERDICT_DONE : ledger_move(store, batch, error);

	if (v == VERDICT_DONE)
		v = mysql_apply_rows(
			store, batch->route, batch->selected, batch->selected_count, error);
	return v == VERDICT_DONE ? v : mysql_abandon(store, v, error);
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
	enum verdict v = mysql_apply_rows(store, route, rows, count, error);
	struct store_error end;

	if (v != VERDICT_DONE)
		return mysql_abandon(store, v, error);
	v = mysql_store_rollback(store, &end);
	if (v != VERDICT_DONE)
		*error = end;
	return v;
}
