/*
 * mysql_store: one worker's MySQL (or MariaDB) connection: the rows and the ledger, together.
 *
 * Life: new - connect - any of the calls - free. After RETRY, RECONNECT and FATAL the connection
 * may be gone: connect() again (it closes what is left and prepares the statements anew).
 * One thread; mysql_store_interrupt() alone may be called by another. Every call is bounded by
 * the timeouts of the configuration.
 */
#ifndef CONSUMER_PIPELINE_MYSQL_STORE_H
#define CONSUMER_PIPELINE_MYSQL_STORE_H

#include "consumer/mapping.h"
#include "consumer/pipeline/batch.h"
#include "consumer/pipeline/verdict.h"

#include <stdbool.h>
#include <stdint.h>

enum mysql_tls { MYSQL_TLS_OFF, MYSQL_TLS_PREFERRED, MYSQL_TLS_REQUIRED, MYSQL_TLS_VERIFY };

/* Borrowed for the life of every store made with it. */
struct mysql_config {
	const char *host;
	int port;
	const char *user, *password, *database; /* password may be NULL */
	enum mysql_tls tls;
	const char *tls_ca; /* or NULL */
	int connect_timeout_ms, io_timeout_ms; /* the library rounds up to seconds */
	bool shapes_only; /* never MariaDB's array binding */
	int idle_timeout_s; /* the server ends a transaction left idle for so long; 0 = its default */
	const char *group; /* the consumer group: the ledger's group_id */
	const char *updated_by; /* host:pid of this process, for people */
	const struct mapping *mapping;
};

struct ledger {
	bool exists;
	int64_t next;
	int64_t last_timestamp; /* ms, -1 when unknown */
	bool has_digest;
	uint32_t last_digest;
	int64_t generation; /* new at every reset */
};

struct mysql_store;
struct mysql_store *mysql_store_new(const struct mysql_config *config);
void mysql_store_free(struct mysql_store *store);
enum verdict mysql_store_connect(struct mysql_store *store, struct store_error *error);
/* Batches of small rows that the server executes best at once: as many as it has cores; 0: it does
 * not say, or is so far away that more have to be on their way. */
int mysql_store_at_once(const struct mysql_store *store);
/* Keeps an idle session alive where idle_timeout_s would end it; call it every third of that. */
enum verdict mysql_store_ping(struct mysql_store *store, struct store_error *error);
/* Another thread: makes a blocked call fail soon. */
void mysql_store_interrupt(struct mysql_store *store);

/* The ledger row FOR UPDATE, committed at once: waits for an own transaction whose reply was lost. */
enum verdict mysql_store_position(struct mysql_store *store, const struct route *route,
	int32_t partition, struct ledger *ledger, struct store_error *error);
/* The row at `next` if there is none yet; MOVED when there is one. */
enum verdict mysql_store_create_position(struct mysql_store *store, const struct route *route,
	int32_t partition, int64_t next, struct store_error *error);

/*
 * A batch in one transaction: ledger from -> to (MOVED when it is not at from), then the selected
 * rows. execute leaves the transaction open; commit makes it last. Any other verdict than DONE has
 * rolled back, or lost the connection. POISON's error->row is a hint: try that row alone.
 *
 * execute is start and finish, between which the caller may do other things: after a start that was
 * DONE comes its finish, before any other call of the store, with the batch as it was.
 */
enum verdict mysql_store_execute(
	struct mysql_store *store, const struct batch *batch, struct store_error *error);
enum verdict mysql_store_start(
	struct mysql_store *store, const struct batch *batch, struct store_error *error);
enum verdict mysql_store_finish(
	struct mysql_store *store, const struct batch *batch, struct store_error *error);
enum verdict mysql_store_commit(struct mysql_store *store, struct store_error *error);
enum verdict mysql_store_rollback(struct mysql_store *store, struct store_error *error);
/* Do these rows fit? Written and always rolled back; the ledger is not touched. */
enum verdict mysql_store_probe(struct mysql_store *store, const struct route *route,
	struct row *const *rows, size_t count, struct store_error *error);

/* Rows read from MySQL: cells in the route's column order, exactly as decode would make them from
 * a record with the same values. Zero-initialised is empty. */
struct row_list {
	struct row *rows;
	size_t count, room;
	struct arena arena;
};
void row_list_clear(struct row_list *list);
void row_list_release(struct row_list *list);

/* One consistent snapshot for refresh, verify and rebuild: begin, any of the reads, end (also
 * after an error). The reads append to `out`. */
enum verdict mysql_store_snapshot_begin(struct mysql_store *store, struct store_error *error);
/* Ledger positions and generations of partitions 0..count-1; -1 where there is no row.
 * `generation` may be NULL. */
enum verdict mysql_store_snapshot_positions(struct mysql_store *store,
	const struct route *route, int64_t *next, int64_t *generation, int32_t count,
	struct store_error *error);
/* One row for each of `wanted` (their key cells), in that order; a key without a row comes as a
 * tombstone. */
enum verdict mysql_store_snapshot_rows(struct mysql_store *store, const struct route *route,
	struct row *const *wanted, size_t count, struct row_list *out,
	struct store_error *error);
/* The next rows in primary key order behind `after`'s key (NULL: from the first): `limit` at most, and
 * about 8 MiB, so fewer are not the end; none are. */
enum verdict mysql_store_snapshot_scan(struct mysql_store *store, const struct route *route,
	const struct row *after, size_t limit, struct row_list *out, struct store_error *error);
enum verdict mysql_store_snapshot_end(struct mysql_store *store, struct store_error *error);

#endif
