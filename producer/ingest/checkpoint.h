/*
 * checkpoint: the file that says how far a run has come. Written whole under another name, synced,
 * renamed: a crash leaves the old one or the new one.
 *
 *	{"version":2,"source":"csv a.csv","position":{...},"records":N,"sinks":[...],"done":false}
 *
 * checkpoint_load() before the threads; _position() and _write() by any lane (one at a time).
 */
#ifndef PRODUCER_INGEST_CHECKPOINT_H
#define PRODUCER_INGEST_CHECKPOINT_H

#include "common/err.h"
#include "producer/ingest/barrier.h"
#include "producer/ingest/source.h"

struct checkpoint;

/* path NULL: one that writes nothing. `source_word`, `sinks` name the run: a file of another run
   is an ERR_CONFIG. */
int checkpoint_new(struct checkpoint **out, const char *path, const char *source_word,
	struct source *source, const struct conf_list *sinks, struct errmsg *msg);
void checkpoint_free(struct checkpoint *c);

/* What the file held (or a transaction, see checkpoint_replace): NULL for a fresh start. */
const json_t *checkpoint_loaded(const struct checkpoint *c);
/* A newer position from elsewhere. `text` is what checkpoint_position() made. */
int checkpoint_replace(struct checkpoint *c, const char *text, struct errmsg *msg);
bool checkpoint_is_done(const struct checkpoint *c);
uint64_t checkpoint_records(const struct checkpoint *c);
const json_t *checkpoint_sink_state(const struct checkpoint *c, int sink);
/* Lets the source continue there. */
int checkpoint_seek(const struct checkpoint *c, struct source *source, struct errmsg *msg);

/* Caller frees with json_decref. */
json_t *checkpoint_position(struct checkpoint *c, const struct position *at, uint64_t records,
	json_t *sinks, bool last);
/* `position` is owned by the callee. A failure is kept for checkpoint_error(). */
void checkpoint_write(struct checkpoint *c, json_t *position);
/* The run is complete: the file says so. */
void checkpoint_finish(struct checkpoint *c);
/* 0, or ERR_IO of a write that failed. */
int checkpoint_error(struct checkpoint *c, struct errmsg *msg);

#endif
