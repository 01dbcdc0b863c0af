/*
 * visible: how long until a record can be read. Samples acknowledged records and looks for them in
 * MySQL and in Redis, in a thread for each, every half millisecond, until they are there; the time
 * counts from the request's intended start. Only sound where each request has a key of its own.
 *
 *	open -> offer... (loop thread) -> finish (blocks) -> times, missing -> free
 */
#ifndef LOADGEN_VISIBLE_H
#define LOADGEN_VISIBLE_H

#include "common/err.h"
#include "common/histogram.h"

#include <stdbool.h>
#include <stddef.h>

enum visible_store { VISIBLE_MYSQL, VISIBLE_REDIS, VISIBLE_STORES };

struct visible_config {
	int per_second; /* samples at most */
	const char *mysql_host, *mysql_user, *mysql_password, *mysql_database;
	int mysql_port;
	const char *redis_host, *redis_password;
	int redis_port, redis_database;
};

struct visible;

/* Connects to both; ERR_UNAVAILABLE. `config` is borrowed for the call. */
int visible_open(struct visible **v, const struct visible_config *config, struct errmsg *msg);
/* Was it taken as a sample? The key is copied. */
bool visible_offer(struct visible *v, const char *key, size_t key_bytes, int64_t due_ns);
/* No more offers; returns when all is found, wait_ms have passed or a signal says so. */
void visible_finish(struct visible *v, int wait_ms);

/* After finish. Histogram and texts are borrowed. */
uint64_t visible_sampled(const struct visible *v);
const struct histogram *visible_times(const struct visible *v, enum visible_store store);
/* How many were not found; *first is one of their keys, or "". */
uint64_t visible_missing(const struct visible *v, enum visible_store store, const char **first);
/* Why it is not known of them whether they are there: a look failed; NULL: it is known. */
const char *visible_unknown(const struct visible *v, enum visible_store store);
void visible_free(struct visible *v);

#endif
