/*
 * stats: everything a run counts, in total and per interval. One thread's.
 * init -> sent / done / lag... and row once an interval -> release.
 */
#ifndef LOADGEN_STATS_H
#define LOADGEN_STATS_H

#include "common/histogram.h"
#include "loadgen/http_out.h"
#include "loadgen/lag_look.h"

#define STATS_LATE_NS INT64_C(1000000) /* sent more than this after it was due: late */

/* One line of the time series. Percentiles in us; -1 and NAN where nothing is known. */
struct stats_row {
	double at_seconds, seconds; /* its end from the start; its length */
	double target_rate;
	uint64_t due, sent, ok, errors, dropped;
	int in_flight;
	uint64_t backlog;
	int64_t p50_us, p90_us, p99_us, max_us, service_p99_us, send_delay_p99_us;
	int64_t lag;
	double lag_seconds;
	int workers;
	size_t lag_count; /* partitions */
	int64_t *lags; /* per partition, in the order of the look */
};

struct stats_mark {
	double at_seconds;
	char *text;
};

struct stats {
	struct histogram *response, *service, *send_delay;
	struct histogram *now_response, *now_service, *now_send_delay; /* of this interval */
	uint64_t sent, done, ok, errors, late;
	uint64_t outcomes[HTTP_OUTCOMES];
	uint64_t statuses[600];
	uint64_t acknowledged, without_position, answered_twice, odd_positions;
	uint64_t now_sent, now_ok, now_errors;
	int64_t start_ns, last_sent_ns, last_done_ns;
	/* lag */
	struct lag_look lag; /* the latest look */
	bool lag_seen;
	struct lag_look now_worst; /* with the most lag in this interval; total -1: none yet */
	double now_lag_seconds;
	int64_t lag_max;
	double lag_seconds_max;
	uint64_t lag_looks, lag_unknown;
	int64_t deadletters_before; /* of the first look; -1 unknown */
	/* series */
	struct stats_row *rows;
	size_t rows_count, rows_room;
	struct stats_mark *marks;
	size_t marks_count;
};

void stats_init(struct stats *s);
void stats_release(struct stats *s);

/* Is it a 2xx? */
bool stats_done(struct stats *s, const struct http_call *call, enum http_outcome outcome,
	int status, int64_t now_ns);
void stats_lag(struct stats *s, const struct lag_look *look, int64_t now_ns);
/* Ends the interval; the caller fills in what stats does not know. Valid until the next. */
struct stats_row *stats_row_end(struct stats *s, int64_t now_ns);
/* Something to mark on the charts. */
void stats_mark(struct stats *s, int64_t now_ns, const char *text);

const char *stats_outcome_name(enum http_outcome outcome);

#endif
