/* run: one ingestion from its options to its exit. Main thread. */
#ifndef PRODUCER_INGEST_RUN_H
#define PRODUCER_INGEST_RUN_H

#include "producer/ingest/options.h"

/* `verb` is lines, csv or generate. 0 or ERR_*, with what happened. */
int run_ingest(const char *verb, const struct ingest_options *options, struct errmsg *msg);
/* SIGINT, SIGTERM: finish what is there. Async-signal-safe. */
void run_stop(void);

#endif
