/*
 * source: where records come from. `read` is called by the one reader thread and does the little
 * that must be done in order; `parse` by any worker, several at once, on different chunks.
 */
#ifndef PRODUCER_INGEST_SOURCE_H
#define PRODUCER_INGEST_SOURCE_H

#include "producer/ingest/chunk.h"
#include "producer/ingest/input.h"
#include "producer/ingest/options.h"
#include "producer/ingest/schema.h"

/* What the sinks need beyond the schema; set by the engine before the first read. */
struct source_wants {
	bool values; /* record.value: what Kafka and NDJSON get */
	bool cells;
};

struct source {
	const struct source_ops *ops;
	struct schema schema;
	struct source_wants wants;
	struct input *input; /* NULL: generated */
	uint64_t total_rows; /* 0: not known */
	uint64_t seed, first_id; /* of generated rows: a checkpoint keeps them */
	bool values_are_json; /* record.value is the row as JSON; otherwise raw bytes */
};

struct source_ops {
	/* Fills an empty chunk: an enum input_state or ERR_*. */
	int (*read)(struct source *source, struct chunk *chunk, struct errmsg *msg);
	void (*parse)(struct source *source, struct chunk *chunk);
	/* Continues behind a position; `file` is NULL for generated rows. */
	int (*seek)(struct source *source, const struct position *at,
		const struct input_file *file, struct errmsg *msg);
	void (*free)(struct source *source);
};

/* Each opens what it reads. Caller frees with source_free(). */
int source_lines_new(
	struct source **out, const struct ingest_options *options, struct errmsg *msg);
int source_csv_new(
	struct source **out, const struct ingest_options *options, struct errmsg *msg);
int source_generate_new(
	struct source **out, const struct ingest_options *options, struct errmsg *msg);
/* "csv a.csv": what a checkpoint belongs to. Caller frees with free(). */
char *source_word(const char *verb, const struct ingest_options *options);
void source_free(struct source *source);

#endif
