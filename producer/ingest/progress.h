/*
 * progress: what the run says about itself on stderr: a bar on a terminal, log lines elsewhere,
 * nothing with --quiet. Rates are by the wall clock and count what is safe: acknowledged by the
 * brokers, written to the files. Main thread only.
 */
#ifndef PRODUCER_INGEST_PROGRESS_H
#define PRODUCER_INGEST_PROGRESS_H

#include "producer/ingest/engine.h"

struct progress {
	const struct ingest_options *options;
	uint64_t total_rows; /* 0: not known */
	bool terminal;
	int64_t started_ns, shown_ms, last_ns;
	uint64_t last_safe;
	double first_share; /* of the work that an earlier run did; NAN: not seen yet */
};

void progress_start(
	struct progress *p, const struct ingest_options *options, uint64_t total_rows);
/* Shows something if it is time to. */
void progress_show(struct progress *p, struct engine *engine);
/* The last word; `outcome` is "complete", "stopped" or "failed". */
void progress_end(struct progress *p, struct engine *engine, struct sink **sinks, int count,
	const char *outcome);

#endif
