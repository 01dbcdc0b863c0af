/*
 * schema: the columns that a source makes and every sink writes. Made once before the threads
 * start, read-only afterwards.
 */
#ifndef PRODUCER_INGEST_SCHEMA_H
#define PRODUCER_INGEST_SCHEMA_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

enum column_type { COLUMN_STRING, COLUMN_BYTES, COLUMN_INT, COLUMN_DOUBLE, COLUMN_BOOL };

struct column {
	char *name;
	enum column_type type;
	bool nullable;
	/* `,"name":` ready for a JSON object; the first column's begins with `{`. */
	char *json_name;
	size_t json_name_len;
};

struct schema {
	struct column *columns;
	size_t count;
};

/* `name` is copied. */
void schema_add(
	struct schema *s, const char *name, size_t len, enum column_type type, bool nullable);
/* The column's index, or -1. */
int schema_find(const struct schema *s, const char *name);
/* "string", "bytes", "int", "double", "bool"; ERR_CONFIG for another word. */
int column_type_parse(const char *word, size_t len, enum column_type *type, struct errmsg *msg);
const char *column_type_name(enum column_type type);
void schema_release(struct schema *s);

#endif
