/* csv_columns: names and types of a CSV's columns, from the options, the header and first rows. */
#ifndef PRODUCER_INGEST_CSV_COLUMNS_H
#define PRODUCER_INGEST_CSV_COLUMNS_H

#include "producer/ingest/csv_parse.h"
#include "producer/ingest/input.h"
#include "producer/ingest/options.h"
#include "producer/ingest/schema.h"

struct csv_columns {
	char **header; /* names as they stand in the first file, NULL without a header */
	size_t count;
	bool input_is_open; /* the input's first file was opened to look at it */
};

/* One byte; "tab" and "\t" mean a tab. */
int csv_delimiter(const char *text, char *delimiter, struct errmsg *msg);
/* Fills the schema; reads the input's first rows and puts them back. */
int csv_columns_find(struct csv_columns *c, struct schema *schema, struct input *in,
	const struct ingest_options *options, char delimiter, struct errmsg *msg);
void csv_columns_release(struct csv_columns *c);
bool csv_columns_match_header(
	const struct csv_columns *c, const struct csv_field *fields, size_t count);

/* 3 when the text begins with a UTF-8 byte order mark. */
size_t csv_bom_bytes(const char *text, size_t len);
/* Behind the next line feed in [at, end), or 0. */
size_t csv_next_line(const char *text, size_t at, size_t end);

#endif
