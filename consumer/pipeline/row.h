/*
 * row: one record after decode: the cells of its table row, in the order of the route's columns.
 * Nothing here owns memory: texts point into the record's bytes or into the batch's arena and
 * live until the batch is cleared.
 */
#ifndef CONSUMER_PIPELINE_ROW_H
#define CONSUMER_PIPELINE_ROW_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * Booleans are CELL_INT 0 or 1; a datetime is CELL_TEXT "YYYY-MM-DD HH:MM:SS.mmm" in UTC; JSON and
 * bytes are CELL_TEXT (bytes: decoded). So is a number of MySQL's above 64 bits with a sign.
 */
enum cell_kind { CELL_NULL, CELL_INT, CELL_DOUBLE, CELL_TEXT };

struct cell {
	enum cell_kind kind : 8;
	bool plain; /* a text that JSON holds as it is: nothing in it wants an escape */
	bool no_json; /* a json column's text that is none: others may have written it */
	uint32_t length; /* bytes of text */
	union {
		int64_t integer;
		double number;
		const char *text; /* not NUL-terminated */
	};
};

struct row {
	int64_t offset;
	bool tombstone; /* delete; only the key cells are set */
	bool dead; /* went to the dead letters; takes no part any more */
	uint32_t record; /* index of the record in its batch */
	uint32_t sort_key_length;
	const char *sort_key; /* orders and identifies the key: equal key, equal bytes */
	struct cell *cells;
	char *texts; /* NULL, or where its texts were copied to when its record was let go */
	uint32_t texts_room;
};

static inline bool row_same_key(const struct row *a, const struct row *b)
{
	return a->sort_key_length == b->sort_key_length &&
	       memcmp(a->sort_key, b->sort_key, a->sort_key_length) == 0;
}

#endif
