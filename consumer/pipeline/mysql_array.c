/*
 * mysql_array: MariaDB's array binding: one prepared row, executed for any number of rows in one
 * packet and one trip. Against the fixed shapes (mysql_batch.c), which every server takes, it saves
 * the trips of a count that is no shape, and binding thousands of parameters anew.
 *
 * Not for a table with triggers: older MariaDB servers run them wrongly for arrays (MDEV-24411).
 */
#include "consumer/pipeline/mysql_internal.h"

#include "common/mem.h"
#include "consumer/pipeline/mysql_sql.h"

#include <stdlib.h>
#include <string.h>

#ifdef LIBMARIADB

struct mysql_array {
	size_t room; /* rows */
	int columns;
	MYSQL_BIND *binds; /* one per column, into what follows: room elements per column */
	union array_value {
		int64_t integer;
		double number;
		const char *text;
	} * values;
	unsigned long *lengths;
	char *indicators; /* NULL or not */
};

static void array_fit(struct mysql_array *array, size_t rows, int columns)
{
	size_t cells = rows * (size_t)columns;

	if (rows <= array->room && columns == array->columns)
		return;
	array->room = rows;
	array->columns = columns;
	array->binds = mem_resize(array->binds, (size_t)columns, sizeof(*array->binds));
	array->values = mem_resize(array->values, cells, sizeof(*array->values));
	array->lengths = mem_resize(array->lengths, cells, sizeof(*array->lengths));
	array->indicators = mem_resize(array->indicators, cells, 1);
}

void mysql_array_free(struct mysql_array *array)
{
	if (!array)
		return;
	free(array->binds);
	free(array->values);
	free(array->lengths);
	free(array->indicators);
	free(array);
}

static enum enum_field_types wire_type(enum column_type type)
{
	switch (type) {
	case COLUMN_INT:
	case COLUMN_BOOL:
		return MYSQL_TYPE_LONGLONG;
	case COLUMN_DOUBLE:
		return MYSQL_TYPE_DOUBLE;
	case COLUMN_BYTES:
		return MYSQL_TYPE_BLOB;
	case COLUMN_STRING:
	case COLUMN_DATETIME:
	case COLUMN_JSON:
		break;
	}
	return MYSQL_TYPE_STRING;
}

/* One column of all rows. */
static void bind_column(struct mysql_array *array, const struct route *route, int column,
	struct row *const *rows, size_t count)
{
	size_t first = (size_t)column * array->room;
	union array_value *values = array->values + first;
	unsigned long *lengths = array->lengths + first;
	char *indicators = array->indicators + first;
	MYSQL_BIND *bind = &array->binds[column];

	memset(bind, 0, sizeof(*bind));
	bind->buffer_type = wire_type(route->columns[column].type);
	bind->buffer = values;
	bind->length = lengths;
	bind->u.indicator = indicators;
	for (size_t i = 0; i < count; i++) {
		const struct cell *cell = &rows[i]->cells[column];

		indicators[i] =
			cell->kind == CELL_NULL ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE;
		lengths[i] = 0;
		if (cell->kind == CELL_TEXT) {
			values[i].text = cell->text ? cell->text : "";
			lengths[i] = cell->length;
		} else if (cell->kind == CELL_DOUBLE) {
			values[i].number = cell->number;
		} else {
			values[i].integer = cell->kind == CELL_INT ? cell->integer : 0;
		}
	}
}

static enum verdict has_triggers(struct mysql_store *store, const struct route *route,
	bool *answer, struct store_error *error)
{
	char *sql = mem_printf("SELECT 1 FROM information_schema.TRIGGERS WHERE "
			       "EVENT_OBJECT_SCHEMA='%s' AND EVENT_OBJECT_TABLE='%s' LIMIT 1",
		store->database, route->table);
	enum verdict v = mysql_run(store, sql, error);
	MYSQL_RES *result;

	free(sql);
	if (v != VERDICT_DONE)
		return v;
	result = mysql_store_result(store->mysql);
	if (!result)
		return mysql_failed(store, error);
	*answer = mysql_num_rows(result) > 0;
	mysql_free_result(result);
	return VERDICT_DONE;
}

/* The server said at login what it can; a proxy between may not pass it on. */
static bool server_takes_arrays(struct mysql_store *store)
{
	unsigned long can = 0; /* the library writes a long */

	if (mariadb_get_infov(
		    store->mysql, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &can))
		return false;
	return can & (unsigned long)(MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32);
}

/* Once per connection and route. */
static enum verdict array_prepare(struct mysql_store *store, const struct route *route,
	struct mysql_route *own, struct store_error *error)
{
	bool triggers = true;
	enum verdict v = VERDICT_DONE;

	if (server_takes_arrays(store))
		v = has_triggers(store, route, &triggers, error);
	if (v == VERDICT_DONE && !triggers)
		v = mysql_prepare(
			store, &own->array, mysql_sql_write(route, 1, store->row_alias), error);
	own->array_asked = v == VERDICT_DONE;
	return v;
}

enum verdict mysql_array_usable(struct mysql_store *store, const struct route *route,
	bool *usable, struct store_error *error)
{
	struct mysql_route *own = mysql_route_of(store, route);
	enum verdict v = VERDICT_DONE;

	if (store->arrays && !own->array_asked)
		v = array_prepare(store, route, own, error);
	*usable = store->arrays && own->array;
	return v;
}

enum verdict mysql_array_run(struct mysql_store *store, const struct route *route,
	struct row *const *rows, size_t count, struct store_error *error)
{
	MYSQL_STMT *stmt = mysql_route_of(store, route)->array;
	unsigned size = (unsigned)count;

	if (!store->array)
		store->array = mem_zero(1, sizeof(*store->array));
	array_fit(store->array, count, route->column_count);
	for (int i = 0; i < route->column_count; i++)
		bind_column(store->array, route, i, rows, count);
	if (mysql_stmt_attr_set(stmt, STMT_ATTR_ARRAY_SIZE, &size) ||
		mysql_stmt_bind_param(stmt, store->array->binds) || mysql_stmt_execute(stmt))
		return mysql_stmt_failed(stmt, error);
	return VERDICT_DONE;
}

#else

void mysql_array_free(struct mysql_array *array)
{
	(void)array;
}

enum verdict mysql_array_usable(struct mysql_store *store, const struct route *route,
	bool *usable, struct store_error *error)
{
	(void)store, (void)route, (void)error;
	*usable = false;
	return VERDICT_DONE;
}

enum verdict mysql_array_run(struct mysql_store *store, const struct route *route,
	struct row *const *rows, size_t count, struct store_error *error)
{
	(void)store, (void)route, (void)rows, (void)count;
	return mysql_refuse(error, VERDICT_FATAL, "schema", "array binding is MariaDB's");
}

#endif
