#include "consumer/pipeline/record_key.h"

#include <string.h>

/* As "%lld" writes it, from the end; a printf for each record would be felt. */
static bool is_int(const char *text, size_t length, int64_t value)
{
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	size_t at = length;

	do {
		if (at == 0 || text[--at] != (char)('0' + left % 10))
			return false;
		left /= 10;
	} while (left > 0);
	if (value < 0)
		return at == 1 && text[0] == '-';
	return at == 0;
}

bool record_key_agrees(
	const struct route *route, const struct row *row, const rd_kafka_message_t *record)
{
	const struct column *column;
	const struct cell *cell;

	if (route->key_count != 1)
		return true;
	column = &route->columns[route->keys[0]];
	cell = &row->cells[route->keys[0]];
	if (column->type == COLUMN_INT && cell->kind == CELL_INT)
		return record->key && is_int(record->key, record->key_len, cell->integer);
	if (column->type != COLUMN_STRING || cell->kind != CELL_TEXT)
		return true;
	return record->key && record->key_len == cell->length &&
	       memcmp(record->key, cell->text, cell->length) == 0;
}
