/*
 * bench_produce: three ways in which a producer learns that its record is acknowledged, timed.
 *
 *	async	all are handed over, a callback counts
 *	sync	one is handed over, its report awaited, then the next: pays --linger-ms each time
 *	opaque	as async, and each report finds its record again by the pointer that travels with it
 */
#ifndef PRODUCER_INGEST_BENCH_PRODUCE_H
#define PRODUCER_INGEST_BENCH_PRODUCE_H

#include "producer/ingest/options.h"

/* Writes its figures to stdout. */
int bench_produce(const struct ingest_options *options, struct errmsg *msg);

#endif
