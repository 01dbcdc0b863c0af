/*
 * redis_verdict: what an error reply of Redis means. A table by prefix; pure; any thread. An
 * unknown error is RETRY: it costs time, never a record. Redis has no POISON: it takes any bytes.
 */
#ifndef CONSUMER_FAILURE_REDIS_VERDICT_H
#define CONSUMER_FAILURE_REDIS_VERDICT_H

#include "consumer/pipeline/verdict.h"

#include <stddef.h>

struct redis_verdict {
	const char *prefix;
	enum verdict verdict;
	const char *class; /* a constant, a bounded metric label */
};

/* `text` is the error reply without its '-', NUL-terminated. Never NULL. */
const struct redis_verdict *redis_verdict(const char *text);

const struct redis_verdict *redis_verdict_table(size_t *count);

#endif
