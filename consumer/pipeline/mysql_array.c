/*
 * mysql_array: MariaDB's bulk execution: one prepared row, executed for any number of rows in one
 * packet and one trip. Against the fixed shapes (mysql_batch.c), which every server takes, it saves
 * the trips of a count that is no shape, and binding thousands of parameters anew. The rows are
 * written into the packet straight from their cells; the library's array binding makes the same
 * packet from arrays of pointers, lengths and indicators, for several times our share of the work.
 *
 * Not for a table with triggers: older MariaDB servers run them wrongly for arrays (MDEV-24411).
 *
 * Form: https://mariadb.com/kb/en/com_stmt_bulk_execute/
 */
#include "consumer/pipeline/mysql_internal.h"

#include "common/mem.h"
#include "consumer/pipeline/mysql_sql.h"
#include "consumer/pipeline/mysql_wire.h"

#include <stdlib.h>
#include <string.h>

#ifdef LIBMARIADB

#define SEND_TYPES 128 /* STMT_BULK_FLAG_CLIENT_SEND_TYPES */
#define HEAD_BYTES 6
#define CELL_BYTES 10 /* at most, without its text: indicator, and a length or a number */

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

/* As the type of its column wants it. Returns behind it. */
static char *put_cell(char *at, const struct column *column, const struct cell *cell)
{
	if (cell->kind == CELL_NULL) {
		*at++ = STMT_INDICATOR_NULL;
		return at;
	}
	*at++ = STMT_INDICATOR_NONE;
	switch (wire_type(column->type)) {
	case MYSQL_TYPE_LONGLONG:
		return mysql_wire_number(
			at, cell->kind == CELL_INT ? (uint64_t)cell->integer : 0, 8);
	case MYSQL_TYPE_DOUBLE:
		return mysql_wire_double(at, cell->kind == CELL_DOUBLE ? cell->number : 0);
	default:
		return mysql_wire_text(
			at, cell->text, cell->kind == CELL_TEXT ? cell->length : 0);
	}
}

static void put_row(
	struct text_buffer *packet, const struct route *route, const struct row *row)
{
	size_t room = (size_t)route->column_count * CELL_BYTES;
	char *at;

	for (int i = 0; i < route->column_count; i++)
		room += row->cells[i].kind == CELL_TEXT ? row->cells[i].length : 0;
	at = text_buffer_room(packet, room);
	for (int i = 0; i < route->column_count; i++)
		at = put_cell(at, &route->columns[i], &row->cells[i]);
	packet->used = (size_t)(at - packet->data);
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

enum verdict mysql_array_send(struct mysql_store *store, const struct route *route,
	struct row *const *rows, size_t count, struct store_error *error)
{
	struct text_buffer *packet = &store->packet;
	char *at;

	packet->used = 0;
	at = text_buffer_room(packet, HEAD_BYTES + 2 * (size_t)route->column_count);
	at = mysql_wire_number(at, mysql_route_of(store, route)->array->stmt_id, 4);
	at = mysql_wire_number(at, SEND_TYPES, 2);
	for (int i = 0; i < route->column_count; i++)
		at = mysql_wire_number(at, wire_type(route->columns[i].type), 2);
	packet->used = (size_t)(at - packet->data);
	for (size_t i = 0; i < count; i++)
		put_row(packet, route, rows[i]);
	return mysql_wire_send(store, COM_STMT_BULK_EXECUTE, error);
}

#else

enum verdict mysql_array_usable(struct mysql_store *store, const struct route *route,
	bool *usable, struct store_error *error)
{
	(void)store, (void)route, (void)error;
	*usable = false;
	return VERDICT_DONE;
}

enum verdict mysql_array_send(struct mysql_store *store, const struct route *route,
	struct row *const *rows, size_t count, struct store_error *error)
{
	(void)store, (void)route, (void)rows, (void)count;
	return mysql_refuse(error, VERDICT_FATAL, "schema", "bulk execution is MariaDB's");
}

#endif
