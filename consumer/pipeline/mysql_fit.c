#include "consumer/pipeline/mysql_fit.h"

/* A statement's head, its NULL bits, and what a length or a type takes: a safe estimate. */
#define PACKET_HEAD_BYTES 1024
#define CELL_HEAD_BYTES	  12

static size_t cell_bytes(const struct cell *cell)
{
	return CELL_HEAD_BYTES + (cell->kind == CELL_TEXT ? cell->length : sizeof(int64_t));
}

static size_t row_bytes(const struct route *route, bool keys_only, const struct row *row)
{
	int columns = keys_only ? route->key_count : route->column_count;
	size_t bytes = 0;

	for (int i = 0; i < columns; i++)
		bytes += cell_bytes(&row->cells[keys_only ? route->keys[i] : i]);
	return bytes;
}

size_t mysql_rows_fit(const struct mysql_store *store, const struct route *route,
	bool keys_only, struct row *const *rows, size_t count)
{
	int columns = keys_only ? route->key_count : route->column_count;
	size_t most = MYSQL_PLACEHOLDERS / (size_t)columns, bytes = PACKET_HEAD_BYTES, n;

	for (n = 0; n < count && n < most; n++) {
		bytes += row_bytes(route, keys_only, rows[n]);
		if (bytes > store->packet_max)
			break;
	}
	return n;
}
