/*
 * verdict: what a store answers. A store never sleeps, retries, logs or counts; the worker acts
 * on the verdict in one switch without default. Compare by name, never by truth.
 */
#ifndef CONSUMER_PIPELINE_VERDICT_H
#define CONSUMER_PIPELINE_VERDICT_H

#include "common/err.h"

enum verdict {
	VERDICT_DONE, /* next stage */
	VERDICT_RETRY, /* the same again after a backoff with jitter */
	VERDICT_RECONNECT, /* connect first; costs no attempt, waits for ever */
	VERDICT_POISON, /* a row can never fit: dead-letter it (store_error.row, or search) */
	VERDICT_MOVED, /* the store is not where we thought: start the partition over */
	VERDICT_FATAL, /* schema or rights: stop the partition, keep the offset, show it */
};

/* The words of an answer other than DONE. `class` is a constant, a bounded metric label. */
struct store_error {
	const char *store; /* "mysql" or "redis" */
	unsigned code; /* MySQL's number; 0 for Redis */
	const char *class; /* "deadlock", "connection", "oom", ... */
	long row; /* index into batch->selected when the store named it, else -1 */
	struct errmsg msg;
};

const char *verdict_name(enum verdict verdict);

#endif
