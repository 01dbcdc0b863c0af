/* json_row: a row's cells as one JSON object, and the small formatters that every text sink uses. */
#ifndef PRODUCER_INGEST_JSON_ROW_H
#define PRODUCER_INGEST_JSON_ROW_H

#include "producer/ingest/buf.h"
#include "producer/ingest/chunk.h"
#include "producer/ingest/schema.h"

/* Quoted and escaped. False (and nothing written) when the bytes are not UTF-8. */
bool json_put_text(struct buf *out, const char *text, size_t len);
/* The same with U+FFFD for every byte that is not UTF-8. */
void json_put_text_lossy(struct buf *out, const char *text, size_t len);

/*
 * Appends `{"a":1,"b":"x"}` without a line end. Returns -1, or the column whose text is not UTF-8
 * (then `out` is as it was).
 */
int json_put_row(struct buf *out, const struct schema *schema, const struct cell *cells);

/* Decimal digits at `out` (20 bytes are enough); returns how many. */
size_t format_int(char *out, int64_t value);
/* The shortest of %.15g .. %.17g that reads back equal; 32 bytes. */
size_t format_double(char *out, double value);
/* `value` / 10^decimals with exactly that many decimals: format_fixed(out, 1234, 2) is "12.34". */
size_t format_fixed(char *out, int64_t value, int decimals);

/* True if the bytes are well-formed UTF-8 (no surrogates, no overlong forms). */
bool utf8_valid(const char *text, size_t len);

#endif
