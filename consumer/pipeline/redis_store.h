/*
 * redis_store: one worker's Redis connection: the cache keys and the fence, together.
 *
 * Life: new - connect - any of the calls - free; after RECONNECT connect() again (it loads the
 * scripts anew). One thread; redis_store_interrupt() alone may be called by another. Every reply
 * is read and its type looked at. Calls are bounded by the io timeout.
 */
#ifndef CONSUMER_PIPELINE_REDIS_STORE_H
#define CONSUMER_PIPELINE_REDIS_STORE_H

#include "consumer/mapping.h"
#include "consumer/pipeline/batch.h"
#include "consumer/pipeline/verdict.h"

#include <stdbool.h>
#include <stdint.h>

/* Borrowed for the life of every store made with it. */
struct redis_config {
	const char *host;
	int port;
	const char *user, *password; /* or NULL */
	int database;
	bool tls;
	const char *tls_ca; /* or NULL */
	int connect_timeout_ms, io_timeout_ms;
	const char *group;
	bool scripts_only; /* batches by script too, never by WATCH and MULTI */
};

#define FENCE_ID_BYTES 64

/* The hash writethrough:{GROUP:TOPIC:PARTITION}. */
struct fence {
	bool exists;
	int64_t next; /* all records below are in Redis or missing, never older */
	int64_t seen; /* newest MySQL position whose rows anybody put here */
	int64_t generation; /* of the ledger its positions count in */
	char rebuild[FENCE_ID_BYTES]; /* id of an unfinished rebuild, "" when none */
};

struct redis_store;

struct redis_store *redis_store_new(const struct redis_config *config);
void redis_store_free(struct redis_store *store);
enum verdict redis_store_connect(struct redis_store *store, struct store_error *error);
/* Another thread: makes a blocked call fail soon. */
void redis_store_interrupt(struct redis_store *store);
/* At start: answers and is writable; `warning` (may stay empty) says if its eviction policy could
 * take the fence. */
enum verdict redis_store_check(
	struct redis_store *store, struct errmsg *warning, struct store_error *error);
/* Has the database no key at this moment? false also where the user may not ask. */
enum verdict redis_store_is_empty(
	struct redis_store *store, bool *empty, struct store_error *error);

enum verdict redis_store_fence(struct redis_store *store, const struct route *route,
	int32_t partition, struct fence *fence, struct store_error *error);
/* Puts `wanted` in the place of exactly what was `read` (perhaps nothing); MOVED when it is not
 * that any more. wanted->seen is next. */
enum verdict redis_store_create_fence(struct redis_store *store, const struct route *route,
	int32_t partition, const struct fence *read, const struct fence *wanted,
	struct store_error *error);
/* Compare-and-set of the position alone, with a rebuild id: what lies between is gone from
 * Kafka. */
enum verdict redis_store_jump(struct redis_store *store, const struct route *route,
	int32_t partition, const struct fence *read, int64_t to, const char *rebuild,
	struct store_error *error);

/*
 * The batch in one trip: the selected rows, and the fence from -> to, all or nothing. MOVED: not at
 * from, no fence, or newer rows are there already. In two halves, so that the caller may work while
 * Redis does: after a send that was DONE comes its answer, before any other call of the store, with
 * the batch as it was.
 */
enum verdict redis_store_send(
	struct redis_store *store, const struct batch *batch, struct store_error *error);
enum verdict redis_store_answer(
	struct redis_store *store, const struct batch *batch, struct store_error *error);
/* Writes down what the send of this batch will be, where that may be done before: while its rows
 * are in the processor's cache, and while another batch's answer is awaited. Never needed. */
void redis_store_prepare(struct redis_store *store, const struct batch *batch);

/*
 * The only other way into the cache (protocol: refresh): rows as one MySQL snapshot at ledger
 * position `snapshot` had them, all of one partition; a tombstone means the row is not there.
 * Written only where the fence exists and is not newer than the snapshot: MOVED otherwise. With
 * advance_from >= 0 the fence must stand there and moves to advance_to (at most `snapshot`).
 */
struct refresh {
	const struct route *route;
	int32_t partition;
	int64_t snapshot, generation; /* of the ledger, in the same snapshot */
	int64_t advance_from, advance_to; /* -1 when the fence stays */
	struct row *const *rows;
	size_t count;
};
enum verdict redis_store_refresh(
	struct redis_store *store, const struct refresh *refresh, struct store_error *error);
/* Removes the rebuild mark if it is still this one; MOVED when it is not. */
enum verdict redis_store_rebuilt(struct redis_store *store, const struct route *route,
	int32_t partition, const char *rebuild, struct store_error *error);

#endif
