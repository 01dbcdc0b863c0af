/*
 * sink: where records go. Each sink has a thread of its own (a lane, engine.c), which calls all of
 * this except finish and close; those are called by the main thread when the lanes have ended.
 *
 * Life: new -> open -> write* and sync* -> drain -> finish -> close. When any sink fails, the others
 * are closed without finish: a file keeps its temporary name or goes.
 */
#ifndef PRODUCER_INGEST_SINK_H
#define PRODUCER_INGEST_SINK_H

#include "producer/ingest/barrier.h"
#include "producer/ingest/chunk.h"
#include "producer/ingest/options.h"
#include "producer/ingest/schema.h"

#include <jansson.h>

struct source;

struct sink {
	const struct sink_ops *ops;
	char *name; /* as the user wrote it: "json:users.json" */
	const char *target; /* behind the colon; into name */
	int index; /* among the sinks: its place in a barrier */
	const struct source *source; /* borrowed: schema, kind of values */
	const struct ingest_options *options; /* borrowed */
	struct checkpoint *checkpoint; /* borrowed; set before open */
	/* written by the lane, read by anyone */
	_Atomic uint64_t records; /* accepted for good: acknowledged, or written */
	_Atomic uint64_t bytes;
};

struct sink_ops {
	bool wants_values, wants_cells;
	bool can_resume; /* has a state for a checkpoint */
	/*
	 * Puts the chunk's bytes, as write() will want them, behind `out`. Any worker, several at once,
	 * after open: it may not change the sink. NULL: write() does all of it.
	 */
	void (*encode)(const struct sink *sink, const struct chunk *chunk, struct buf *out);
	/* `resume` is what sync() gave at the checkpoint, NULL for a fresh start. */
	int (*open)(struct sink *sink, const json_t *resume, struct errmsg *msg);
	int (*write)(struct sink *sink, const struct chunk *chunk, struct errmsg *msg);
	/* Everything before is to be safe: barrier_done() now or later. NULL: cannot. */
	int (*sync)(struct sink *sink, struct barrier *barrier, struct errmsg *msg);
	/* Nothing came for a while, or something is outstanding. NULL: nothing to do. */
	int (*idle)(struct sink *sink, struct errmsg *msg);
	/* Nothing comes any more: all of it is safe when this returns 0. */
	int (*drain)(struct sink *sink, struct errmsg *msg);
	int (*finish)(struct sink *sink, struct errmsg *msg);
	/* `whole`: finish was called and went well. Also after a failed open. */
	void (*close)(struct sink *sink, bool whole);
	/* One sentence for people: what it holds now. */
	void (*describe)(const struct sink *sink, char *text, size_t bytes);
};

/* "kafka:users" ... ; ERR_CONFIG for another word. Caller frees with close. */
int sink_new(struct sink **out, const char *spec, const struct ingest_options *options,
	const struct source *source, int index, struct errmsg *msg);

struct sink *sink_kafka_new(void);
struct sink *sink_json_new(void);
struct sink *sink_csv_new(void);
struct sink *sink_avro_new(void);
struct sink *sink_parquet_new(void);

#endif
