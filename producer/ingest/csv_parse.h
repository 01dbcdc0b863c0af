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
	char *text; /* into the record */
	uint32_t len;
	uint32_t raw_len; /* quoted: before csv_fold() */
	bool quoted;
};

struct csv_record {
	size_t fields; /* how many there are, also beyond the room */
	size_t bytes; /* consumed, with the line end */
	bool doubled; /* a field holds "" for " */
	const char *problem; /* NULL, or a constant; bytes then ends behind the first line */
};

/* Splits the record at `text` (len > 0) and changes nothing: it may have to be refused as it is. */
void csv_split(char *text, size_t len, char delimiter, struct csv_field *fields, size_t room,
	struct csv_record *record);

/*
 * Makes " of "" in place, and "" again; for a record that has no problem and no more fields than
 * there was room. Line feeds between its ends stay as many as they are.
 */
void csv_fold(struct csv_field *fields, const struct csv_record *record);
void csv_unfold(struct csv_field *fields, const struct csv_record *record);

/* Where the last record that is whole ends, 0 when none is. `eof`: a line end is not needed. */
size_t csv_last_end(const char *text, size_t len, char delimiter, bool eof);

#endif
