/*
 * verify: what its files share. One thread.
 *
 * A look is one MySQL snapshot (rows and ledger positions) and then one Redis moment (values and
 * fences). A difference counts only where the snapshot's position is the fence's: then Redis holds
 * exactly the records below it. Elsewhere records are on their way: the key is looked at again.
 */
#ifndef CONSUMER_VERBS_VERIFY_H
#define CONSUMER_VERBS_VERIFY_H

#include "consumer/pipeline/mysql_store.h"
#include "consumer/pipeline/redis_read.h"
#include "consumer/verbs/options.h"

#include <stdbool.h>
#include <stdint.h>

enum difference {
	DIFFER_NOT,
	DIFFER_MISSING, /* a row without its key */
	DIFFER_STALE, /* another value */
	DIFFER_EXTRA, /* a key without a row */
	DIFFER_UNREADABLE, /* a value that no row could have: wrong type, no JSON object */
	DIFFER_UNSETTLED, /* records were on their way each time it was looked at */
	DIFFER_COUNT,
};

#define VERIFY_ASIDE_MAX 10000 /* keys put aside before they are dealt with */

struct verify_totals {
	int64_t rows, keys; /* compared, looked through */
	int64_t differ[DIFFER_COUNT];
	int64_t repaired, not_repaired;
};

/* One key that differs, for people. */
struct verify_finding {
	enum difference kind;
	char *key; /* printable */
};

struct verify {
	const struct consumer_options *options;
	struct mysql_store *mysql;
	struct redis_store *redis;
	struct store_error error;
	int tries; /* failed ones in a row */
	/* the route at hand */
	const struct route *route;
	int32_t partitions;
	int64_t *positions, *generations;
	struct row_list rows; /* of the last look */
	struct row **pointers;
	size_t pointer_room;
	struct cache_read cache;
	struct text_buffer image;
	struct row_list again, mend; /* key cells, copied */
	struct verify_totals totals;
	struct verify_finding *findings;
	size_t finding_count;
	bool no_fence, rebuilding; /* seen on some partition */
	const char *why_not; /* a repair was refused */
	/* progress */
	bool tty;
	int64_t started_ms, shown_ms, phase_ms;
};

/* ---- verify_look.c */
enum verdict verify_connect(struct verify *v);
/* Rows with these keys; then judge each of v->rows. */
enum verdict verify_look_keys(struct verify *v, struct row *const *wanted, size_t count);
/* The rows behind `after`. */
enum verdict verify_look_scan(struct verify *v, const struct row *after, size_t limit);
enum difference verify_judge(struct verify *v, size_t row);
bool verify_settled(const struct verify *v, const struct row *row);
/* The connection failed: mend it and say whether to do it again. */
bool verify_again(struct verify *v, enum verdict verdict);

/* ---- verify_settle.c */
/* A copy of the row's key cells. */
void verify_keep(struct row_list *list, const struct route *route, const struct row *row);
/* Counts what is sure, keeps the rest to be looked at again. */
void verify_note(struct verify *v, size_t row, enum difference kind);
/* Looks again until all is sure or the patience is over; then repairs what is to be repaired. */
enum verdict verify_settle(struct verify *v);
/* A key that belongs to no row at all. */
void verify_stray(struct verify *v, const char *key, size_t length);

/* ---- verify_walk.c: the passes over one route */
enum verdict verify_rows(struct verify *v, int64_t estimate);
enum verdict verify_keys(struct verify *v);
enum verdict verify_sample(struct verify *v);

/* ---- verify_report.c */
void verify_progress(
	struct verify *v, const char *what, int64_t done, int64_t total, bool last);
void verify_print(struct verify *v, bool json);
/* What is wrong and was not repaired. */
int64_t verify_open(const struct verify *v);

#endif
