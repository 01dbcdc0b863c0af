/*
 * lag: the observer. It watches any group on any topics with a client of its own that never joins
 * the group, in a thread of its own, and says how far behind the group is, in records and seconds,
 * as the brokers know it (never from a consumer's own statistics).
 *
 * A round: committed offsets FIRST, end offsets after, so the lag can be a moment too large and
 * never too small or negative. On a topic written by transactions the committed offset may come to
 * rest just before a control record that no consumer ever sees: a lag of 1 or so is then "done".
 *
 *	lag_observer_start -> lag_observer_snapshot (any thread, any time) ... -> lag_observer_stop
 */
#ifndef COMMON_LAG_H
#define COMMON_LAG_H

#include "common/err.h"
#include "common/lag_math.h"

#include <librdkafka/rdkafka.h>
#include <stddef.h>

#define LAG_TOPIC_BYTES 250
#define LAG_OWNER_BYTES 96
#define LAG_ERROR_BYTES 200

struct lag_config {
	const char *group;
	const char *const *topics; /* none: every topic the group has committed on */
	size_t topic_count;
	int64_t period_ms; /* 0: 500 */
	int64_t timeout_ms; /* of one request; 0: 5000 */
	const struct lag_limits *limits; /* NULL: lag_limits_default */
};

struct lag_partition {
	char topic[LAG_TOPIC_BYTES];
	int32_t partition; /* -1 in a snapshot's total */
	char owner
		[LAG_OWNER_BYTES]; /* the member's client id and host; "" when none or unknown */
	struct lag_view view;
};

struct lag_snapshot {
	int64_t rounds; /* completed; 0: nothing is known yet */
	int64_t age_ms; /* since the round these figures are from; LAG_UNKNOWN before the first */
	int members; /* of the group; LAG_UNKNOWN */
	char group_state[32]; /* "Stable", "Empty", ...; "" when unknown */
	int error_code; /* ERR_UNAVAILABLE, ERR_INVALID (no such topic); 0 */
	char error[LAG_ERROR_BYTES]; /* why the newest round failed; "" when it did not */
	struct lag_partition *partitions; /* by topic, then partition */
	size_t count;
	struct lag_partition total; /* sums; the worst state of all */
};

struct lag_observer;

/*
 * `config` is copied. `kafka` (brokers, security) is owned by the callee in every case. Does not
 * wait for a broker. Fails with ERR_CONFIG.
 */
int lag_observer_start(struct lag_observer **observer, const struct lag_config *config,
	rd_kafka_conf_t *kafka, struct errmsg *msg);
/* Joins the thread (at most one request's timeout) and frees. NULL is fine. */
void lag_observer_stop(struct lag_observer *observer);

/* Waits until `rounds` rounds are complete; 0, or ERR_TIMEOUT with why in `msg`. */
int lag_observer_wait(
	struct lag_observer *observer, int64_t rounds, int64_t timeout_ms, struct errmsg *msg);
/* Copies; the figures and members of an unreachable broker turn to unknown after a few periods. */
void lag_observer_snapshot(struct lag_observer *observer, struct lag_snapshot *snapshot);
void lag_snapshot_release(struct lag_snapshot *snapshot);

#endif
