/*
 * barrier: a point in the stream of chunks at which every sink makes safe what came before. When
 * the last sink has, the position that belongs to it is written to the checkpoint.
 *
 * Made by the thread that delivers; barrier_done() by the sinks' lanes, once each.
 */
#ifndef PRODUCER_INGEST_BARRIER_H
#define PRODUCER_INGEST_BARRIER_H

#include "common/err.h"
#include "producer/ingest/chunk.h"

#include <jansson.h>

struct barrier;
struct checkpoint;

struct barrier *barrier_new(struct checkpoint *checkpoint, const struct position *at,
	uint64_t records, int sinks, bool last);
/* `state` is what the sink needs to continue here: owned by the callee. Frees the last one's. */
void barrier_done(struct barrier *barrier, int sink, json_t *state);
/* The same without a checkpoint: the run has failed. */
void barrier_drop(struct barrier *barrier);
/*
 * Waits until all sinks but this one are done, then answers the whole position as text, for a sink
 * that keeps it itself (a Kafka transaction). Caller frees with free(). NULL: dropped.
 */
char *barrier_wait_others(struct barrier *barrier);
uint64_t barrier_records(const struct barrier *barrier);

#endif
