/* mysql_statement: errors, transactions and prepared statements; see mysql_internal.h. */
#include "consumer/pipeline/mysql_internal.h"

#include "common/mem.h"
#include "consumer/failure/mysql_verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const unsigned mysql_shape_rows[MYSQL_SHAPES] = {500, 250, 100, 50, 25, 10, 5, 2, 1};

static enum verdict failed(
	unsigned code, const char *state, const char *text, struct store_error *error)
{
	const struct mysql_verdict *row = mysql_verdict_of(code, state);

	error->store = "mysql";
	error->code = code;
	error->class = row->class;
	error->row = -1;
	errmsg_set(&error->msg, 0, "%s (%u)", text, code);
	return row->verdict;
}

enum verdict mysql_failed(struct mysql_store *store, struct store_error *error)
{
	return failed(mysql_errno(store->mysql), mysql_sqlstate(store->mysql),
		mysql_error(store->mysql), error);
}

enum verdict mysql_stmt_failed(MYSQL_STMT *stmt, struct store_error *error)
{
	const char *text = mysql_stmt_error(stmt);
	enum verdict v = failed(mysql_stmt_errno(stmt), mysql_stmt_sqlstate(stmt), text, error);

	error->row = (long)mysql_verdict_row(text) - 1; /* within the statement */
	return v;
}

enum verdict mysql_refuse(struct store_error *error, enum verdict verdict, const char *class,
	const char *format, ...)
{
	char text[ERRMSG_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error->store = "mysql";
	error->code = 0;
	error->class = class;
	error->row = -1;
	errmsg_set(&error->msg, 0, "%s", text);
	return verdict;
}

enum verdict mysql_run(struct mysql_store *store, const char *sql, struct store_error *error)
{
	if (!store->mysql)
		return mysql_refuse(error, VERDICT_RECONNECT, "connection", "not connected");
	if (mysql_real_query(store->mysql, sql, strlen(sql)))
		return mysql_failed(store, error);
	return VERDICT_DONE;
}

enum verdict mysql_abandon(
	struct mysql_store *store, enum verdict verdict, struct store_error *error)
{
	struct store_error second;

	if (verdict == VERDICT_RECONNECT)
		return verdict;
	if (mysql_run(store, "ROLLBACK", &second) == VERDICT_DONE)
		return verdict;
	errmsg_wrap(&error->msg, "rollback failed: %s; before", second.msg.text);
	error->class = second.class;
	return VERDICT_RECONNECT;
}

enum verdict mysql_prepare(
	struct mysql_store *store, MYSQL_STMT **stmt, char *sql, struct store_error *error)
{
	enum verdict v = VERDICT_DONE;

	if (!store->mysql) {
		free(sql);
		return mysql_refuse(error, VERDICT_RECONNECT, "connection", "not connected");
	}
	*stmt = mysql_stmt_init(store->mysql);
	if (!*stmt)
		abort();
	if (mysql_stmt_prepare(*stmt, sql, strlen(sql))) {
		v = mysql_stmt_failed(*stmt, error);
		error->row = -1;
		mysql_stmt_close(*stmt);
		*stmt = NULL;
	}
	free(sql);
	return v;
}

enum verdict mysql_fixed(struct mysql_store *store, enum mysql_fixed which, MYSQL_STMT **stmt,
	struct store_error *error)
{
	static const char *const texts[FIXED_COUNT] = {
		[FIXED_LEDGER_MOVE] =
			"UPDATE writethrough_ledger SET next_offset=?, last_timestamp=?, "
			"last_digest=?, updated_by=? WHERE group_id=? AND topic=? AND "
			"partition_id=? AND next_offset=? AND generation=?",
		[FIXED_LEDGER_READ] =
			"SELECT next_offset, last_timestamp, last_digest, generation "
			"FROM writethrough_ledger WHERE group_id=? AND topic=? "
			"AND partition_id=? FOR UPDATE",
		[FIXED_LEDGER_CREATE] =
			"INSERT INTO writethrough_ledger (group_id, topic, partition_id, "
			"next_offset, updated_by) VALUES (?,?,?,?,?)",
		[FIXED_POSITIONS] =
			"SELECT partition_id, next_offset, generation FROM writethrough_ledger "
			"WHERE group_id=? AND topic=?",
	};
	enum verdict v = VERDICT_DONE;

	if (!store->fixed[which])
		v = mysql_prepare(store, &store->fixed[which], mem_strdup(texts[which]), error);
	*stmt = store->fixed[which];
	return v;
}

enum verdict mysql_execute(
	struct mysql_store *store, MYSQL_STMT *stmt, struct store_error *error)
{
	if (mysql_stmt_bind_param(stmt, store->binds) || mysql_stmt_execute(stmt))
		return mysql_stmt_failed(stmt, error);
	return VERDICT_DONE;
}

MYSQL_BIND *mysql_binds(struct mysql_store *store, size_t count)
{
	if (count > store->bind_room) {
		store->binds = mem_resize(store->binds, count, sizeof(*store->binds));
		memset(store->binds + store->bind_room, 0,
			(count - store->bind_room) * sizeof(*store->binds));
		store->bind_room = count;
	}
	return store->binds;
}

static void bind_set(
	MYSQL_BIND *bind, enum enum_field_types type, const void *data, size_t length)
{
	bind->buffer_type = type;
	bind->buffer = (void *)(uintptr_t)data; /* a parameter: only read */
	bind->buffer_length = (unsigned long)length;
	bind->length = &bind->buffer_length;
	bind->is_null = NULL;
	bind->is_unsigned = 0;
}

void mysql_bind_int(MYSQL_BIND *bind, const int64_t *value)
{
	bind_set(bind, MYSQL_TYPE_LONGLONG, value, sizeof(*value));
}

void mysql_bind_text(MYSQL_BIND *bind, const char *text, size_t length)
{
	bind_set(bind, MYSQL_TYPE_STRING, text, length);
}

void mysql_bind_cell(MYSQL_BIND *bind, const struct column *column, const struct cell *cell)
{
	switch (cell->kind) {
	case CELL_NULL:
		bind_set(bind, MYSQL_TYPE_NULL, NULL, 0);
		return;
	case CELL_INT:
		mysql_bind_int(bind, &cell->integer);
		return;
	case CELL_DOUBLE:
		bind_set(bind, MYSQL_TYPE_DOUBLE, &cell->number, sizeof(cell->number));
		return;
	case CELL_TEXT:
		bind_set(bind,
			column->type == COLUMN_BYTES ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING,
			cell->text ? cell->text : "", cell->length);
		return;
	}
}

struct mysql_route *mysql_route_of(struct mysql_store *store, const struct route *route)
{
	return &store->routes[route->index];
}
