#include "loadgen/lag_group.h"

#include "common/clock.h"
#include "common/lag.h"
#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROUND_MS 10000

struct lag_group {
	uv_timer_t timer;
	struct lag_observer *observer;
	lag_seen *seen;
	void *ctx;
	int64_t rounds; /* reported */
	bool failed;
};

int lag_group_open(struct lag_observer **observer, const char *group, const char *topic,
	int64_t period_ms, rd_kafka_conf_t *kafka, struct errmsg *msg)
{
	struct lag_config config = {
		.group = group, .topics = &topic, .topic_count = 1, .period_ms = period_ms};
	struct lag_snapshot snapshot;
	int err = lag_observer_start(observer, &config, kafka, msg);

	if (err != 0)
		return err;
	err = lag_observer_wait(*observer, 1, FIRST_ROUND_MS, msg);
	if (err != 0)
		goto err_after_start;
	lag_observer_snapshot(*observer, &snapshot);
	if (snapshot.count == 0)
		err = errmsg_set(msg, ERR_UNAVAILABLE, "%s",
			snapshot.error[0] ? snapshot.error : "the topic has no partitions");
	lag_snapshot_release(&snapshot);
	if (err == 0)
		return 0;
err_after_start:
	errmsg_wrap(msg, "lag of group %s on topic %s", group, topic);
	lag_observer_stop(*observer);
	*observer = NULL;
	return ERR_UNAVAILABLE;
}

static void add_partition(struct lag_look *look, const struct lag_partition *from)
{
	struct look_partition *to = lag_look_add(look);

	memcpy(to->topic, from->topic, sizeof(to->topic));
	to->id = from->partition;
	to->end = from->view.end < 0 ? -1 : from->view.end;
	to->committed = from->view.committed < 0 ? -1 : from->view.committed;
	to->lag = from->view.lag < 0 ? -1 : from->view.lag;
	to->seconds = from->view.lag_seconds;
	to->eta_seconds = from->view.eta_seconds;
	snprintf(to->state, sizeof(to->state), "%s", lag_state_name(from->view.state));
}

static void on_timer(uv_timer_t *timer)
{
	struct lag_group *l = timer->data;
	struct lag_snapshot snapshot;
	struct lag_look look;

	lag_observer_snapshot(l->observer, &snapshot);
	if (snapshot.rounds != l->rounds || (snapshot.error[0] && !l->failed)) {
		l->rounds = snapshot.rounds;
		l->failed = snapshot.error[0] != 0;
		lag_look_init(&look);
		look.asked_ns = clock_mono_ns() - snapshot.age_ms * 1000000;
		snprintf(look.why, sizeof(look.why), "%.*s", (int)sizeof(look.why) - 1,
			snapshot.error);
		for (size_t i = 0; i < snapshot.count; i++)
			add_partition(&look, &snapshot.partitions[i]);
		lag_look_total(&look);
		l->seen(l->ctx, &look);
		lag_look_release(&look);
	}
	lag_snapshot_release(&snapshot);
}

struct lag_group *lag_group_new(uv_loop_t *loop, struct lag_observer *observer, int interval_ms,
	lag_seen *seen, void *ctx)
{
	struct lag_group *l = mem_zero(1, sizeof(*l));

	l->observer = observer;
	l->seen = seen;
	l->ctx = ctx;
	uv_timer_init(loop, &l->timer);
	l->timer.data = l;
	lag_group_interval(l, interval_ms);
	return l;
}

void lag_group_interval(struct lag_group *l, int interval_ms)
{
	uv_timer_start(&l->timer, on_timer, 0, (uint64_t)interval_ms);
}

void lag_group_close(struct lag_group *l)
{
	uv_close((uv_handle_t *)&l->timer, NULL);
}

void lag_group_free(struct lag_group *l)
{
	free(l);
}
