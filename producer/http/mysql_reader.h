/*
 * mysql_reader: rows by id from MySQL for a libuv loop that must not block: a few threads, one
 * connection each, a bounded queue. Functions are the loop's thread's.
 *
 *	open -> ask ... on_row (in the loop) -> close: every job still gets its on_row; run the loop
 *	until it is empty
 *
 * A database that is away costs one connection attempt each half second; in between jobs fail at
 * once.
 */
#ifndef PRODUCER_MYSQL_READER_H
#define PRODUCER_MYSQL_READER_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct mysql_reader;

enum mysql_reader_tls {
	READER_TLS_OFF,
	READER_TLS_PREFERRED,
	READER_TLS_REQUIRED,
	READER_TLS_VERIFY
};

/* All *borrowed* until the loop is empty after close. */
struct mysql_reader_config {
	const char *host, *user, *password, *database, *table, *tls_ca;
	int port;
	enum mysql_reader_tls tls;
	int connect_timeout_ms, io_timeout_ms;
	int connections;
	size_t queue; /* jobs that may wait */
	/*
	 * err 0: `row` is the row as JSON, malloc'ed and owned by the callee, or NULL when there is
	 * none. Else ERR_UNAVAILABLE, and `why` in words.
	 */
	void (*on_row)(void *user, int err, char *row, size_t length, const char *why);
};

/* ERR_CONFIG for a table name that cannot be one. */
int mysql_reader_open(struct mysql_reader **reader, uv_loop_t *loop,
	const struct mysql_reader_config *config, struct errmsg *msg);
/* `id` is copied, at most MYSQL_READER_ID_BYTES. ERR_FULL, ERR_CLOSED: no on_row follows. */
#define MYSQL_READER_ID_BYTES 256
int mysql_reader_ask(struct mysql_reader *reader, const char *id, size_t length, void *user);
/* NULL is harmless. */
void mysql_reader_close(struct mysql_reader *reader);

#endif
