/*
 * csv_parse: RFC 4180 records, pure functions over bytes in memory.
 *
 * A quote opens a field only as its first byte; inside, "" is one quote and line feeds are data.
 * Records end at LF or CRLF. What breaks these rules is named, not guessed.
 */
#ifndef PRODUCER_INGEST_CSV_PARSE_H
#define PRODUCER_INGEST_CSV_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csv_field {
	char *text; /* into the record; "" is already " */
	uint32_t len;
	bool quoted;
};

struct csv_record {
	size_t fields; /* how many there are, also beyond the room */
	size_t bytes; /* consumed, with the line end */
	const char *problem; /* NULL, or a constant; bytes then ends behind the first line */
};

/* Splits the record at `text` (len > 0); doubled quotes are folded in place. */
void csv_split(char *text, size_t len, char delimiter, struct csv_field *fields, size_t room,
	struct csv_record *record);

/* Where the last record that is whole ends, 0 when none is. `eof`: a line end is not needed. */
size_t csv_last_end(const char *text, size_t len, char delimiter, bool eof);

#endif
