/*
 * bisect: which row of a refused batch can never fit? Halving by probes that are always rolled
 * back. A row is the culprit only if it alone is refused while a row that is known to fit is
 * taken; if nothing fits, the store is sick and the batch waits.
 */
#ifndef CONSUMER_FAILURE_BISECT_H
#define CONSUMER_FAILURE_BISECT_H

#include "consumer/pipeline/row.h"
#include "consumer/pipeline/verdict.h"

#include <stddef.h>

/* The store behind a function, so that tests bring their own. Same answers as mysql_store_probe. */
struct bisect_probe {
	enum verdict (*rows)(void *context, struct row *const *rows, size_t count,
		struct store_error *error);
	/*
	 * Writes (and rolls back) a row that is in the table already: DONE it fits, POISON it does
	 * not, MOVED there is none.
	 */
	enum verdict (*known_row)(void *context, struct store_error *error);
	void *context;
};

/*
 * DONE: *culprit is the index of the row, and `error` says why it does not fit. RETRY: the store
 * is sick, or it all fits now. Anything else: what a probe answered.
 * `hint` is the index the store named, or -1.
 */
enum verdict bisect_find(const struct bisect_probe *probe, struct row *const *rows,
	size_t count, long hint, size_t *culprit, struct store_error *error);

#endif
