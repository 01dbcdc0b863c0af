/*
 * refresh: the only second way into the cache (docs/protocol). Reads the ledger position and the
 * rows of some keys of one partition in ONE MySQL snapshot and writes them into Redis if, and only
 * if, the fence says that nothing newer can be there. Safe for anybody at any time: catch-up,
 * rebuild, verify --repair, the refill after a miss.
 */
#ifndef CONSUMER_PIPELINE_REFRESH_H
#define CONSUMER_PIPELINE_REFRESH_H

#include "consumer/pipeline/mysql_store.h"
#include "consumer/pipeline/redis_store.h"

#include <stdint.h>

struct refresh_request {
	const struct route *route;
	int32_t partition;
	struct row *const *wanted; /* rows whose key cells are set; borrowed */
	size_t count;
	int64_t advance_from, advance_to; /* catch-up moves the fence too; -1, -1 = it stays */
};

/* `rows` is scratch, cleared first. MOVED: the cache is newer than the snapshot; read again. */
enum verdict refresh_keys(struct mysql_store *mysql, struct redis_store *redis,
	const struct refresh_request *request, struct row_list *rows,
	struct store_error *error);

#endif
