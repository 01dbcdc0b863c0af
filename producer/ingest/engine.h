/*
 * engine: moves records from one source to every sink.
 *
 *	reader thread -> [chunks] -> workers -> deliver, in order -> one lane (thread) per sink
 *
 * Life: engine_new -> engine_start -> engine_wait* -> engine_join -> engine_free. The main thread
 * only waits and shows progress. A lane that fails stops the run; the others still drain what they
 * were given, so that what is said to be there is there.
 */
#ifndef PRODUCER_INGEST_ENGINE_H
#define PRODUCER_INGEST_ENGINE_H

#include "producer/ingest/checkpoint.h"
#include "producer/ingest/options.h"
#include "producer/ingest/sink.h"
#include "producer/ingest/source.h"

struct engine;

struct engine_setup {
	const struct ingest_options *options;
	struct source *source;
	struct sink **sinks;
	int sink_count;
	struct checkpoint *checkpoint;
};

/* Everything in the setup is borrowed until engine_free. */
struct engine *engine_new(const struct engine_setup *setup);
void engine_free(struct engine *e);
int engine_start(struct engine *e, struct errmsg *msg);
/* True when all threads have ended. */
bool engine_wait(struct engine *e, int timeout_ms);
/* The result: 0, or the first error. *stopped: it ended before the input did, because of
   engine_stop(). */
int engine_join(struct engine *e, bool *stopped, struct errmsg *msg);
/* Take no more input, finish what is there. Async-signal-safe. */
void engine_stop(struct engine *e);

/* Any thread. */
struct engine_progress {
	uint64_t records; /* delivered to the lanes, this run and (resumed) those before */
	uint64_t resumed; /* of which before this run */
	uint64_t rejected;
	uint64_t input_bytes, input_total;
	uint64_t safe; /* the least of the sinks, this run */
};
void engine_progress(struct engine *e, struct engine_progress *out);

/* What a stage used, all its threads; after engine_join. 0: there is no such number. */
struct engine_stage {
	const char *name; /* borrowed */
	int threads;
	int64_t cpu_ns;
};
int engine_stage(const struct engine *e, int number, struct engine_stage *stage);

#endif
