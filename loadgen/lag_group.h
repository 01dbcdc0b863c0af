/*
 * lag_group: the lag of any consumer group, from the brokers (common/lag), reported on the load's
 * loop. Loop thread only. open -> (interval) -> close -> (loop runs dry) -> free.
 */
#ifndef LOADGEN_LAG_GROUP_H
#define LOADGEN_LAG_GROUP_H

#include "common/err.h"
#include "loadgen/lag_look.h"

#include <librdkafka/rdkafka.h>
#include <uv.h>

struct lag_observer;

/*
 * Starts the observer and waits (blocking, before the load) for its first round, so that brokers
 * that are not there are a start error: ERR_UNAVAILABLE. `kafka` is owned by the callee in every
 * case; group and topic are copied. End with lag_observer_stop() from common/lag.
 */
int lag_group_open(struct lag_observer **observer, const char *group, const char *topic,
	int64_t period_ms, rd_kafka_conf_t *kafka, struct errmsg *msg);

struct lag_group;

/* The observer is borrowed until free. */
struct lag_group *lag_group_new(uv_loop_t *loop, struct lag_observer *observer, int interval_ms,
	lag_seen *seen, void *ctx);
void lag_group_interval(struct lag_group *l, int interval_ms);
void lag_group_close(struct lag_group *l);
void lag_group_free(struct lag_group *l);

#endif
