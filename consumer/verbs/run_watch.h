/*
 * run_watch: the lag observer and the status server beside a running pool. Main thread.
 *
 *	run_watch_start (after pool_new) -> run_watch_stop (before pool_free)
 */
#ifndef CONSUMER_VERBS_RUN_WATCH_H
#define CONSUMER_VERBS_RUN_WATCH_H

#include "consumer/pool/pool.h"
#include "consumer/verbs/settings.h"

struct run_watch;

/* Borrows all until it is stopped. *out is NULL with status.listen=off. */
int run_watch_start(struct run_watch **out, const struct settings *settings, struct pool *pool,
	struct meters *meters, struct errmsg *msg);
/* NULL is fine. */
void run_watch_stop(struct run_watch *watch);

#endif
