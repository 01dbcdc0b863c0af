/*
 * lag_text: figures that may be unknown, as people and as programs read them. "n/a" and null,
 * never 0, stand for unknown. Pure; any thread.
 */
#ifndef COMMON_LAG_TEXT_H
#define COMMON_LAG_TEXT_H

#include "common/lag.h"

#include <jansson.h>

#define LAG_TEXT_BYTES 32

/* Each writes at most LAG_TEXT_BYTES into `buf` and returns it. */
const char *lag_text_count(char *buf, int64_t value); /* "12 345" */
const char *lag_text_lag(char *buf, const struct lag_view *view); /* ">= 12 345" of a part */
const char *lag_text_rate(char *buf, double per_second); /* "0.4", "1 200" */
const char *lag_text_seconds(char *buf, double seconds, bool at_least); /* ">= 3m 12s" */

/* A new reference. Members: low end committed lag lag_known lag_seconds lag_seconds_at_least rate_in
 * rate_out eta_seconds eta_slope state reason. */
json_t *lag_view_json(const struct lag_view *view);
/* group, members, group_state, age_ms, error, total, partitions: [topic, partition, owner, ...]. */
json_t *lag_snapshot_json(const struct lag_snapshot *snapshot, const char *group);

#endif
