/*
 * rebuild: fills a cache that lost its data from MySQL, in the background, while records go on.
 *
 * A fence that was made anew, or jumped, carries a rebuild id. One thread with connections of its
 * own reads the whole table in key order, a chunk at a time, and refreshes (docs/protocol) the
 * rows of the wanted partitions; then it looks through the cache for keys whose row is gone. When
 * all of it was written, the id is taken off the fence. Whatever goes wrong leaves the id there,
 * so a restart, of it or of the program, begins again.
 *
 * Life: new - start - set_wanted and state as often as one likes - stop - free. start, stop and
 * free by one thread; set_wanted and state by any.
 */
#ifndef CONSUMER_PIPELINE_REBUILD_H
#define CONSUMER_PIPELINE_REBUILD_H

#include "consumer/pipeline/mysql_store.h"
#include "consumer/pipeline/redis_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed as long as the rebuild lives. */
struct rebuild_config {
	const struct mapping *mapping;
	const struct mysql_config *mysql;
	const struct redis_config *redis;
	int64_t rows_per_s; /* at most */
};

/* A partition of ours whose fence carries the id with this mark. */
struct rebuild_want {
	const struct route *route;
	int32_t partition;
	uint64_t mark;
};

struct rebuild_state {
	bool done; /* the id with this mark is off the fence */
	double ratio; /* of the rows written, 0..1; -1: this one cannot be rebuilt */
};

struct rebuild;

/* A rebuild id as a number that fits an atomic; 0 only for "". */
uint64_t rebuild_mark(const char *id);

struct rebuild *rebuild_new(const struct rebuild_config *config);
void rebuild_free(struct rebuild *rebuild);
int rebuild_start(struct rebuild *rebuild, struct errmsg *msg);
/* Ends within the stores' timeouts, mostly at once. */
void rebuild_stop(struct rebuild *rebuild);

/* Replaces what is wanted; copied. Partitions that are no longer ours simply miss. */
void rebuild_set_wanted(
	struct rebuild *rebuild, const struct rebuild_want *wants, size_t count);
struct rebuild_state rebuild_state(struct rebuild *rebuild, const struct rebuild_want *want);

#endif
