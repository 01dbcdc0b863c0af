/*
 * config_file: a YAML or JSON configuration as option lines. JSON is read as the YAML that it is.
 *
 * Two vocabularies: our own option names (nested or dotted: {kafka: {brokers: x}}), and the fields
 * that message generators of this kind have: producer.message_count, producer.workers,
 * producer.buffer_size, output.format (csv, parquet, both), output.csv.path, kafka.enabled, ...
 * A field that is neither is an error, not ignored.
 */
#ifndef PRODUCER_INGEST_CONFIG_FILE_H
#define PRODUCER_INGEST_CONFIG_FILE_H

#include "common/conf.h"
#include "producer/ingest/buf.h"

/* By the name's end: .yaml, .yml, .json. */
bool config_file_is_ours(const char *path);
/* What a file says beyond options. */
struct config_said {
	char *source; /* the word of the source that it implies, or NULL; caller frees with free() */
	bool no_kafka; /* kafka.enabled is false: Kafka is no default */
};

/* Appends "name=value\n" lines. */
int config_file_read(const char *path, const struct conf_program *program, struct buf *lines,
	struct config_said *said, struct errmsg *msg);

#endif
