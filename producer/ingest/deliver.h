/*
 * deliver: parsed chunks, in the order they were read, to every lane. On the way: bad rows are
 * reported, --count cuts, --rate paces, and from time to time a barrier follows a chunk.
 *
 * deliver_chunk() by any worker; it waits for nobody but the pace.
 */
#ifndef PRODUCER_INGEST_DELIVER_H
#define PRODUCER_INGEST_DELIVER_H

#include "producer/ingest/checkpoint.h"
#include "producer/ingest/options.h"

enum lane_item { LANE_CHUNK, LANE_BARRIER, LANE_END };
typedef void deliver_sink(void *arg, enum lane_item kind, void *what);

struct deliver;

struct deliver *deliver_new(const struct ingest_options *options, struct source *source,
	struct checkpoint *checkpoint, int lanes, deliver_sink *to_all, void *arg);
void deliver_free(struct deliver *d);
/* Opens --rejects; takes over the checkpoint's count. */
int deliver_open(struct deliver *d, struct errmsg *msg);

/* Owns the caller's reference from now on. An error is a bad row that the options do not allow; the
   good ones before it were delivered. */
int deliver_chunk(struct deliver *d, struct chunk *chunk, struct errmsg *msg);
/* Nothing comes: a barrier that is due follows what came before. Any thread. */
void deliver_idle(struct deliver *d);
/* There will be `chunks` in all; when they have come, the lanes get their END. */
void deliver_expect(struct deliver *d, uint64_t chunks);
/* What waits for its turn (--rate) is not delivered. Any thread, also a signal's. */
void deliver_stop(struct deliver *d);
/* deliver_stop() left something out. */
bool deliver_was_cut(const struct deliver *d);
/* --count is reached. */
bool deliver_is_full(struct deliver *d);
void deliver_progress(
	struct deliver *d, uint64_t *records, uint64_t *resumed, uint64_t *rejected);

#endif
