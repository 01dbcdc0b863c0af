/*
 * watch: everything by which somebody looks at a running consumer: dashboard, /status, /events,
 * /metrics, /healthz, /readyz, and the two requests that change something (POST /workers, POST
 * /drain). A thread and a loop of its own: a stalled store or broker never blocks an answer.
 *
 *	watch_start -> watch_port ... -> watch_stop
 *
 * What it shows comes from a source, so that it knows neither pool nor broker; the source's
 * functions are called by the watch's thread and must not block.
 */
#ifndef CONSUMER_WATCH_WATCH_H
#define CONSUMER_WATCH_WATCH_H

#include "common/lag.h"
#include "consumer/pipeline/meters.h"
#include "consumer/watch/snapshot.h"

struct watch_source {
	void *user; /* borrowed, the first argument of each */
	void (*snapshot)(void *user, struct snapshot *out); /* released by the caller */
	void (*lag)(void *user, struct lag_snapshot *out); /* the same */
	int (*set_workers)(void *user, int count, struct errmsg *msg); /* 0 = auto */
	void (*drain)(void *user);
	struct meters *meters; /* borrowed */
};

struct watch_config {
	const char *listen; /* HOST:PORT */
	const char *token; /* NULL: changes from loopback only, and not from a browser */
	struct watch_source source;
};

struct watch;

/* Copies the configuration; listens when it returns. ERR_CONFIG, ERR_UNAVAILABLE (port taken). */
int watch_start(struct watch **watch, const struct watch_config *config, struct errmsg *msg);
int watch_port(const struct watch *watch);
/* Ends the answers that stay open and joins the thread. NULL is fine. */
void watch_stop(struct watch *watch);

#endif
