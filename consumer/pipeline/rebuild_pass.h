/*
 * rebuild_pass: one rebuild of some partitions of one route, on the caller's thread: the table
 * into the cache, then the cache against the table.
 */
#ifndef CONSUMER_PIPELINE_REBUILD_PASS_H
#define CONSUMER_PIPELINE_REBUILD_PASS_H

#include "consumer/pipeline/mysql_store.h"
#include "consumer/pipeline/redis_store.h"

#include <stdatomic.h>
#include <stdbool.h>

struct rebuild_part {
	int32_t partition;
	uint64_t mark; /* rebuild_mark of the id it was wanted for */
	char id[64]; /* the fence's, as the pass found it; "" = it has none */
	bool failed; /* refused for good in this pass: the id stays */
	struct row **rows; /* scratch: its rows of a chunk */
	size_t count;
};

struct rebuild_pass {
	const struct route *route;
	int32_t partitions; /* that the topic's keys are spread over */
	struct rebuild_part *parts; /* owned by the caller */
	size_t part_count;
	int64_t rows_per_s;
	int64_t rows_expected; /* an estimate */
	struct mysql_store *mysql;
	struct redis_store *redis;
	atomic_bool *stop; /* looked at often */
	_Atomic double *ratio; /* written */
};

/*
 * DONE: each part is either written whole or has failed set; MOVED: told to stop. Anything else is
 * a store's trouble, the pass may be run again from its beginning.
 */
enum verdict rebuild_pass_run(struct rebuild_pass *pass, struct store_error *error);

#endif
