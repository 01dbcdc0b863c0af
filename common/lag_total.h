/*
 * lag_total: the sum over the partitions of a group, as one more series. Part of lag; one thread;
 * zeroed except for `limits`.
 */
#ifndef COMMON_LAG_TOTAL_H
#define COMMON_LAG_TOTAL_H

#include "common/lag.h"

struct lag_total {
	const struct lag_limits *limits; /* borrowed */
	struct lag_track *track;
	size_t known; /* partitions that made up the last sighting */
};

/* Call after every round. Unknown where one partition's lag is, but for lag_known and the seconds. */
void lag_total_see(struct lag_total *total, const struct lag_partition *partitions,
	size_t count, int64_t now_ms, int members, struct lag_view *view);
void lag_total_release(struct lag_total *total);

#endif
