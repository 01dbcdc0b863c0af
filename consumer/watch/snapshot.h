/*
 * snapshot: what the pool shows to its watchers (status page, metrics, terminal view): a copy,
 * taken under the pool's lock in microseconds, never waiting for a store or a broker.
 */
#ifndef CONSUMER_WATCH_SNAPSHOT_H
#define CONSUMER_WATCH_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

struct snapshot_partition {
	char topic[250];
	int32_t partition;
	int owner; /* worker's number; -1 = on its way to one */
	const char *
		mode; /* "running", "claiming", "checking", "catching up", "healing", "stopped" */
	int64_t position; /* both stores hold all records below; -1 = not known yet */
	uint64_t applied;
	uint64_t deadlettered;
	uint64_t errors;
	uint32_t last_batch; /* records */
	uint32_t stage_us[5]; /* last batch: intake, decode, mysql, redis, settle */
	int64_t progress_age_ms; /* since the last step that moved something */
	bool rebuild_wanted; /* its cache is being rebuilt, or waits for it */
	double cache_ratio; /* how much of it is written, 0..1; -1: nobody rebuilds it */
	char error[512]; /* "" = all is well */
	int64_t error_wall_ms;
};

struct snapshot_mark { /* something to mark on a chart */
	int64_t wall_ms;
	char kind[24]; /* "rebalance", "workers", "drain" */
	char text[160];
};
#define SNAPSHOT_MARKS 64

struct snapshot {
	char group[256];
	char member[256]; /* member id in the group, "" = not yet */
	int64_t started_wall_ms;
	bool draining;
	bool assigned; /* has had an assignment */
	bool ready; /* every assigned partition runs */
	int workers; /* threads that may own partitions */
	bool workers_auto;
	int workers_min, workers_max;
	char workers_reason[200]; /* why the count is what it is */
	uint64_t rebalances;
	int mark_count;
	struct snapshot_mark marks[SNAPSHOT_MARKS]; /* oldest first */
	int partition_count;
	struct snapshot_partition *partitions; /* sorted by topic, partition */
};

void snapshot_release(struct snapshot *snapshot);

#endif
