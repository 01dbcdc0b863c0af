/* mysql_check: may this mapping be written to this database? See mysql_store.h. */
#ifndef CONSUMER_PIPELINE_MYSQL_CHECK_H
#define CONSUMER_PIPELINE_MYSQL_CHECK_H

#include "consumer/pipeline/mysql_store.h"

/*
 * At the start of the process, before any worker: tables and columns against the mapping (every
 * mismatch in one message, with the mapping's lines), one unique key per table, rights, and the
 * table's owner in writethrough_route (another group, topic or partition count). FATAL with the
 * words; error->class is then "schema", "rights" or "owner". `warning` (may stay empty) says what
 * works but may surprise: a key that ignores case, columns that keep less than the records carry.
 */
enum verdict mysql_store_check(struct mysql_store *store, struct route *route,
	int32_t partitions, struct errmsg *warning, struct store_error *error);

#endif
