/*
 * metrics: the exposition, from a table. One line of a program's metrics.def declares a family:
 *
 *	METRIC(COUNTER, records_applied, "writethrough_records_applied_total", "topic,partition",
 *		"records whose effect stands in both stores")
 *
 * A program keeps its figures where it likes (atomics in its own structs) and writes them when
 * asked:
 *
 *	metrics_family(w, &metric_rows[METRIC_records_applied]);
 *	metrics_sample(w, applied, "topic=\"%s\",partition=\"%d\"", topic, p);
 *
 * The writer is one thread's; struct metric_histogram may be fed by any thread.
 */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_row {
	enum metric_kind kind;
	const char *name;
	const char *labels; /* their names, "" for none: documentation */
	const char *help;
};

#define METRIC_ROW(kind, field, name, labels, help) {METRIC_##kind, name, labels, help},
#define METRIC_ID(kind, field, name, labels, help)  METRIC_##field,

/* A growing text. `openmetrics` adds what OpenMetrics wants beyond the Prometheus format. */
struct metrics_writer {
	char *text; /* caller frees with metrics_writer_release */
	size_t used, room;
	bool openmetrics;
	const struct metric_row *row;
};

void metrics_family(struct metrics_writer *w, const struct metric_row *row);
/* One sample of the family; `labels` is a printf format, "" for none. NAN is written as NaN. */
void metrics_sample(struct metrics_writer *w, double value, const char *labels, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends the exposition; text is NUL-terminated afterwards. */
void metrics_end(struct metrics_writer *w);
void metrics_writer_release(struct metrics_writer *w);
/* The Content-Type that belongs to the format. */
const char *metrics_content_type(const struct metrics_writer *w);
/* Writes `text` with \, " and newline escaped, as a label value. Returns buf. */
const char *metrics_escape(const char *text, char *buf, size_t bytes);

#define METRIC_BUCKETS_MAX 28

/* Cumulative buckets at fixed upper bounds. Set bounds and count before the first observation. */
struct metric_histogram {
	double bounds[METRIC_BUCKETS_MAX];
	int count;
	_Atomic uint64_t buckets[METRIC_BUCKETS_MAX + 1];
	_Atomic uint64_t sum_whole, sum_micro; /* of the values: whole units, and millionths */
};

/* Bounds 1-2.5-5 per decade, from `first` up to and including `last`. */
void metric_histogram_init_decades(struct metric_histogram *h, double first, double last);
void metric_histogram_observe(struct metric_histogram *h, double value);
/* The same value so many times. */
void metric_histogram_observe_many(struct metric_histogram *h, double value, uint64_t times);
void metrics_histogram(struct metrics_writer *w, const struct metric_histogram *h,
	const char *labels, ...) __attribute__((format(printf, 3, 4)));

#endif
