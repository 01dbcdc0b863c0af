/*
 * records: a batch of made-up Kafka records, for tests of decoding and selecting. The messages are
 * not librdkafka's: records_release() takes them out before the batch would destroy them, and they
 * carry an error code so that nobody looks for a timestamp behind them.
 */
#ifndef TESTS_LIB_RECORDS_H
#define TESTS_LIB_RECORDS_H

#include "consumer/pipeline/batch.h"
#include "consumer/pipeline/decode.h"

#define RECORDS_MAX 1024

struct records {
	struct batch batch;
	rd_kafka_message_t messages[RECORDS_MAX];
	struct decode_error why; /* of the last dead one; reason NULL otherwise */
};

struct records *records_new(const struct route *route);
void records_free(struct records *records);
/* Empties it, keeps the batch's buffers. */
void records_clear(struct records *records);
/* Adds and decodes one; key and value may be NULL. The row, or NULL when it is dead. Exact copies
 * are decoded, so that reading beyond them is seen by a sanitizer. */
struct row *records_put(struct records *records, const char *key, const char *value);
/* The same with the bytes as they are, borrowed. */
struct row *records_put_bytes(struct records *records, const void *key, size_t key_length,
	const void *value, size_t length);

#endif
