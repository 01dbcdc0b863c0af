/* csv_types: what a CSV field's text may be: the types of a column, seen or demanded. */
#ifndef PRODUCER_INGEST_CSV_TYPES_H
#define PRODUCER_INGEST_CSV_TYPES_H

#include "producer/ingest/chunk.h"
#include "producer/ingest/csv_parse.h"
#include "producer/ingest/schema.h"

/* The text is an int64 as JSON writes one (no +, no leading zeros). */
bool csv_parse_int(const char *text, size_t len, int64_t *value);
/* A finite JSON number. */
bool csv_parse_double(const char *text, size_t len, double *value);

/* Types seen so far; start with all true. */
struct csv_guess {
	bool is_int, is_double, is_bool, seen;
};
void csv_guess_field(struct csv_guess *guess, const char *text, size_t len);
enum column_type csv_guess_type(const struct csv_guess *guess);

/*
 * The cell for a field. False: it does not fit the type. An unquoted field equal to null_text is
 * null, except an empty one in a text column, which is an empty text.
 */
bool csv_cell(const struct csv_field *field, enum column_type type, const char *null_text,
	size_t null_len, struct cell *cell);

#endif
