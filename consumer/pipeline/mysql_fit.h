/* mysql_fit: how many rows one statement can take, by its placeholders and the server's packets. */
#ifndef CONSUMER_PIPELINE_MYSQL_FIT_H
#define CONSUMER_PIPELINE_MYSQL_FIT_H

#include "consumer/pipeline/mysql_internal.h"

/* Of the next `count` rows, with all columns or with those of the key; 0: not even the first. */
size_t mysql_rows_fit(const struct mysql_store *store, const struct route *route,
	bool keys_only, struct row *const *rows, size_t count);

#endif
