/*
 * inflight: a record from its admission to its delivery report. The slot owns the value's bytes
 * (librdkafka only borrows them) and lives until the report is there, also when its client has been
 * answered 504 or has gone. Slots are pooled. The loop's thread only.
 */
#ifndef PRODUCER_INFLIGHT_H
#define PRODUCER_INFLIGHT_H

#include "common/http_server.h"
#include "producer/http/admission.h"
#include "producer/http/kafka_out.h"

#include <stdbool.h>

#define INFLIGHT_INLINE_BYTES 384

struct inflight {
	struct kafka_out_record record; /* its key and value are `value` and what follows it */
	struct inflight *prev, *next; /* by arrival; in the pool: next only */
	/* Who wants to know: a request alone, or line `line` of a batch. Both NULL: nobody. */
	struct http_request *request;
	struct batch_answer *batch;
	size_t line;
	int64_t deadline_ms;
	int64_t wait_until_ms; /* with `applied_wanted`: Prefer: wait */
	int32_t wait_s;
	bool applied_wanted;
	bool waiting; /* in the list of those with a deadline */
	size_t value_length, id_at, id_length; /* the id as JSON is inside the value */
	char *value; /* inline_value, or owned */
	char inline_value[INFLIGHT_INLINE_BYTES];
};

struct inflight_pool {
	struct admission admission;
	struct inflight *first, *last; /* those that somebody waits for, oldest first */
	struct inflight *unused;
	size_t unused_count;
};

void inflight_release(struct inflight_pool *pool);
/* A slot, counted, with room for a value, which the caller writes, and this key. */
struct inflight *inflight_take(
	struct inflight_pool *pool, size_t value_length, const char *key, size_t key_length);
/* Somebody waits for it until `deadline_ms`; deadlines never decrease. */
void inflight_wait(struct inflight_pool *pool, struct inflight *slot, int64_t deadline_ms);
/* Nobody waits for it any more; it stays in flight. */
void inflight_leave(struct inflight_pool *pool, struct inflight *slot);
/* The report is there. */
void inflight_drop(struct inflight_pool *pool, struct inflight *slot);

#endif
