/*
 * mysql_verdict: what an error of MySQL, MariaDB or their client library means for a record. A
 * table; pure; any thread. An unknown error is RETRY: it costs time, never a record.
 */
#ifndef CONSUMER_FAILURE_MYSQL_VERDICT_H
#define CONSUMER_FAILURE_MYSQL_VERDICT_H

#include "consumer/pipeline/verdict.h"

#include <stdbool.h>
#include <stddef.h>

struct mysql_verdict {
	unsigned code;
	enum verdict verdict;
	const char *class; /* a constant, a bounded metric label */
};

/* Never NULL; an unknown number gives RETRY, "unknown". */
const struct mysql_verdict *mysql_verdict(unsigned code);
/* The same of an error with its SQLSTATE: 45000 is SIGNAL's, whose author may give it any number. */
const struct mysql_verdict *mysql_verdict_of(unsigned code, const char *state);

/* The whole table, for tests and for the manual. */
const struct mysql_verdict *mysql_verdict_table(size_t *count);

/*
 * The N of a message that ends in "... at row N" (1-based within the statement), or 0. A hint: a
 * trigger's own statement counts its own rows.
 */
unsigned long mysql_verdict_row(const char *message);

#endif
