#include "consumer/pipeline/key_partition.h"

#include "common/murmur2.h"

#include <inttypes.h>
#include <stdio.h>

int32_t key_partition(const struct route *route, const struct row *row, int32_t partitions)
{
	const struct column *column;
	const struct cell *cell;
	char text[24];
	int length;

	if (route->key_count != 1 || partitions <= 0)
		return -1;
	column = &route->columns[route->keys[0]];
	cell = &row->cells[route->keys[0]];
	if (column->type == COLUMN_STRING && cell->kind == CELL_TEXT)
		return murmur2_partition(cell->text, cell->length, partitions);
	if (column->type != COLUMN_INT || cell->kind != CELL_INT)
		return -1;
	length = snprintf(text, sizeof(text), "%" PRId64, cell->integer);
	return murmur2_partition(text, (size_t)length, partitions);
}
