/* mysql_reset: what an operator may change of the ledger (the reset verb); see mysql_store.h. */
#ifndef CONSUMER_PIPELINE_MYSQL_RESET_H
#define CONSUMER_PIPELINE_MYSQL_RESET_H

#include "consumer/pipeline/mysql_store.h"

/* An operator's reset: the row that was read goes to `next` with a fresh generation; MOVED when it
 * is not that row any more. accept_partitions: the count the table's keys are spread over. */
enum verdict mysql_store_reset_position(struct mysql_store *store, const struct route *route,
	int32_t partition, const struct ledger *read, int64_t next, int64_t generation,
	struct store_error *error);
enum verdict mysql_store_accept_partitions(struct mysql_store *store, const struct route *route,
	int32_t partitions, struct store_error *error);

#endif
