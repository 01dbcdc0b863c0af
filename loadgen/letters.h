/*
 * letters: where the records of a dead-letter topic stood before (headers wt.origin.*). Reads with
 * a client that joins no group. Blocks; any thread.
 */
#ifndef LOADGEN_LETTERS_H
#define LOADGEN_LETTERS_H

#include "common/err.h"

#include <librdkafka/rdkafka.h>
#include <stdint.h>

typedef void letter_seen(void *ctx, const char *topic, int partition, int64_t offset);

/* Every letter since that time, up to the end of now. `kafka` is copied. ERR_UNAVAILABLE. */
int letters_read(const rd_kafka_conf_t *kafka, const char *topic, int64_t since_ms,
	letter_seen *seen, void *ctx, struct errmsg *msg);

#endif
