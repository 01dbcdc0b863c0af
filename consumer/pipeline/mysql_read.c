/*
 * mysql_read: result rows -> rows whose cells are what decode would make. Numbers are bound in
 * place; a text is fetched straight into the list's arena once its length is known.
 */
#include "consumer/pipeline/mysql_internal.h"

#include "common/json_reader.h"
#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW_LIST_KEEP_BYTES (1024 * 1024)

void row_list_clear(struct row_list *list)
{
	list->count = 0;
	arena_clear(&list->arena, ROW_LIST_KEEP_BYTES);
}

void row_list_release(struct row_list *list)
{
	free(list->rows);
	arena_release(&list->arena);
	memset(list, 0, sizeof(*list));
}

/* One result column: where the library puts it. */
struct slot {
	long long integer;
	double number;
	MYSQL_TIME time;
	unsigned long length;
	mysql_flag null, cut; /* cut: more than it holds */
};

static void slot_bind(struct slot *slot, MYSQL_BIND *bind, enum column_type type)
{
	bind->length = &slot->length;
	bind->is_null = &slot->null;
	bind->error = &slot->cut;
	switch (type) {
	case COLUMN_INT:
	case COLUMN_BOOL:
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = &slot->integer;
		bind->buffer_length = sizeof(slot->integer);
		return;
	case COLUMN_DOUBLE:
		bind->buffer_type = MYSQL_TYPE_DOUBLE;
		bind->buffer = &slot->number;
		bind->buffer_length = sizeof(slot->number);
		return;
	case COLUMN_DATETIME:
		bind->buffer_type = MYSQL_TYPE_DATETIME;
		bind->buffer = &slot->time;
		bind->buffer_length = sizeof(slot->time);
		return;
	case COLUMN_STRING:
	case COLUMN_JSON:
	case COLUMN_BYTES:
		bind->buffer_type = type == COLUMN_BYTES ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
		bind->buffer_length = 0; /* only the length, for now */
		return;
	}
}

/* With a byte of room before and behind it. */
static int cell_text(MYSQL_STMT *stmt, unsigned column, const struct slot *slot,
	struct arena *arena, struct cell *cell)
{
	MYSQL_BIND bind;
	unsigned long length = slot->length;
	mysql_flag null = 0;
	char *text = (char *)arena_alloc(arena, length + 2) + 1;

	cell->kind = CELL_TEXT;
	cell->length = (uint32_t)length;
	cell->text = text;
	if (length == 0)
		return 0;
	memset(&bind, 0, sizeof(bind));
	bind.buffer_type = MYSQL_TYPE_BLOB; /* the bytes as they are */
	bind.buffer = text;
	bind.buffer_length = length;
	bind.length = &length;
	bind.is_null = &null;
	return mysql_stmt_fetch_column(stmt, &bind, column, 0);
}

/* A text column may hold anything: the only element of an array, or no JSON. */
static bool is_json(const struct cell *cell)
{
	char *array = (char *)(uintptr_t)cell->text - 1;
	size_t length = cell->length + 2u;
	struct json_value value;
	struct json_reader r;

	array[0] = '[';
	array[length - 1] = ']';
	return json_array_begin(&r, array, length) == 0 && json_array_next(&r, &value) == 1 &&
	       json_array_next(&r, &value) == 0;
}

/* An unsigned one that no record can have is its digits. */
static int cell_int(MYSQL_STMT *stmt, unsigned column, struct slot *slot, struct arena *arena,
	struct cell *cell)
{
	char digits[24];
	MYSQL_BIND bind = {.buffer_type = MYSQL_TYPE_STRING,
		.buffer = digits,
		.buffer_length = sizeof(digits),
		.length = &slot->length,
		.is_null = &slot->null,
		.error = &slot->cut};
	int code;

	cell->kind = CELL_INT;
	cell->integer = slot->integer;
	if (!slot->cut)
		return 0;
	code = mysql_stmt_fetch_column(stmt, &bind, column, 0);
	if (code != 0 || slot->length > sizeof(digits))
		return code;
	cell->kind = CELL_TEXT;
	cell->length = (uint32_t)slot->length;
	cell->text = arena_copy(arena, digits, slot->length);
	return 0;
}

static int cell_json(MYSQL_STMT *stmt, unsigned column, const struct slot *slot,
	struct arena *arena, struct cell *cell)
{
	int code = cell_text(stmt, column, slot, arena, cell);

	cell->no_json = code == 0 && !is_json(cell);
	return code;
}

/* "YYYY-MM-DD HH:MM:SS.mmm" */
static void cell_time(const MYSQL_TIME *time, struct arena *arena, struct cell *cell)
{
	char text[96];
	int length = snprintf(text, sizeof(text), "%04u-%02u-%02u %02u:%02u:%02u.%03lu",
		time->year, time->month, time->day, time->hour, time->minute, time->second,
		time->second_part / 1000);

	cell->kind = CELL_TEXT;
	cell->length = (uint32_t)length;
	cell->text = arena_copy(arena, text, (size_t)length);
}

static int cell_fetch(MYSQL_STMT *stmt, unsigned column, const struct column *as,
	struct slot *slot, struct arena *arena, struct cell *cell)
{
	if (slot->null) {
		cell->kind = CELL_NULL;
		return 0;
	}
	switch (as->type) {
	case COLUMN_INT:
		if (!as->key)
			return cell_int(stmt, column, slot, arena, cell);
		/* fall through */
	case COLUMN_BOOL:
		cell->kind = CELL_INT;
		cell->integer = slot->integer;
		return 0;
	case COLUMN_DOUBLE:
		cell->kind = CELL_DOUBLE;
		cell->number = slot->number;
		return 0;
	case COLUMN_DATETIME:
		cell_time(&slot->time, arena, cell);
		return 0;
	case COLUMN_JSON:
		return cell_json(stmt, column, slot, arena, cell);
	case COLUMN_STRING:
	case COLUMN_BYTES:
		return cell_text(stmt, column, slot, arena, cell);
	}
	return 0;
}

static struct row *row_list_add(struct row_list *list, int cells)
{
	struct row *row;

	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		list->rows = mem_resize(list->rows, list->room, sizeof(*list->rows));
	}
	row = &list->rows[list->count++];
	memset(row, 0, sizeof(*row));
	row->cells = arena_alloc(&list->arena, (size_t)cells * sizeof(*row->cells));
	memset(row->cells, 0, (size_t)cells * sizeof(*row->cells));
	return row;
}

static enum verdict rows_fetch(MYSQL_STMT *stmt, const struct route *route, struct slot *slots,
	size_t bytes, struct row_list *out, struct store_error *error)
{
	size_t before = out->arena.given;

	while (out->arena.given - before < bytes) {
		int code = mysql_stmt_fetch(stmt);
		struct row *row;

		if (code == MYSQL_NO_DATA)
			return VERDICT_DONE;
		if (code != 0 && code != MYSQL_DATA_TRUNCATED)
			return mysql_stmt_failed(stmt, error);
		row = row_list_add(out, route->column_count);
		for (int i = 0; i < route->column_count; i++) {
			if (cell_fetch(stmt, (unsigned)i, &route->columns[i], &slots[i],
				    &out->arena, &row->cells[i]))
				return mysql_stmt_failed(stmt, error);
		}
	}
	return VERDICT_DONE;
}

enum verdict mysql_read_rows(MYSQL_STMT *stmt, const struct route *route, size_t bytes,
	struct row_list *out, struct store_error *error)
{
	size_t columns = (size_t)route->column_count;
	struct slot *slots = mem_zero(columns, sizeof(*slots));
	MYSQL_BIND *binds = mem_zero(columns, sizeof(*binds));
	enum verdict v;

	for (int i = 0; i < route->column_count; i++)
		slot_bind(&slots[i], &binds[i], route->columns[i].type);
	/* Not mysql_stmt_store_result(): it holds all of the answer, whatever it is. */
	if (mysql_stmt_bind_result(stmt, binds))
		v = mysql_stmt_failed(stmt, error);
	else
		v = rows_fetch(stmt, route, slots, bytes, out, error);
	mysql_stmt_free_result(stmt);
	free(binds);
	free(slots);
	return v;
}
