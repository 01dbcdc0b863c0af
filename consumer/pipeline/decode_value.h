/* decode_value: one JSON value -> one cell, by the column's type. Pure. */
#ifndef CONSUMER_PIPELINE_DECODE_VALUE_H
#define CONSUMER_PIPELINE_DECODE_VALUE_H

#include "common/err.h"
#include "common/json_reader.h"
#include "consumer/mapping.h"
#include "consumer/pipeline/arena.h"

/*
 * NULL: done (JSON null becomes CELL_NULL, whether that is allowed is the caller's matter).
 * Otherwise a constant reason ("bad_type", "out_of_range", ...) and words in `why`. Text points
 * into the value, or into the arena where it had to be made.
 */
const char *decode_value(const struct column *column, const struct json_value *value,
	struct arena *arena, struct cell *cell, struct errmsg *why);
/*
 * A text with a blank (also a tab, the end of a line) at its end that is longer than its column: the
 * server cuts blanks off without an error, and the table would hold another value than the cache.
 */
bool decode_value_is_cut(const struct column *column, const struct cell *cell);

#endif
