/*
 * bare: VARIANT=bare builds a consumer without ledger and fence, to measure what those two cost
 * (docs/performance.md). It loses and repeats records; nothing but a bench may run it.
 */
#ifndef CONSUMER_PIPELINE_BARE_H
#define CONSUMER_PIPELINE_BARE_H

#include <stdbool.h>

#ifdef WT_BARE
#define BARE true
#else
#define BARE false
#endif

#endif
