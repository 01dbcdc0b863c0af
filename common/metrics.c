#include "common/metrics.h"

#include "common/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct metrics_writer *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct metrics_writer *w, const char *format, ...)
{
	va_list args;
	int length;

	for (;;) {
		size_t left = w->room - w->used;

		va_start(args, format);
		length = vsnprintf(w->text ? w->text + w->used : NULL, left, format, args);
		va_end(args);
		if (length < 0)
			return;
		if ((size_t)length < left)
			break;
		w->room = (w->room + (size_t)length + 1) * 2;
		w->text = mem_resize(w->text, w->room, 1);
	}
	w->used += (size_t)length;
}

static const char *const kind_names[] = {"counter", "gauge", "histogram"};

/* OpenMetrics names a counter's family without the _total of its sample. */
static int family_length(const struct metrics_writer *w)
{
	size_t length = strlen(w->row->name);

	if (w->openmetrics && w->row->kind == METRIC_COUNTER && length > 6 &&
		strcmp(w->row->name + length - 6, "_total") == 0)
		length -= 6;
	return (int)length;
}

void metrics_family(struct metrics_writer *w, const struct metric_row *row)
{
	w->row = row;
	put(w, "# HELP %.*s %s\n", family_length(w), row->name, row->help);
	put(w, "# TYPE %.*s %s\n", family_length(w), row->name, kind_names[row->kind]);
}

static void put_number(struct metrics_writer *w, double value)
{
	if (isnan(value))
		put(w, " NaN\n");
	else if (isinf(value))
		put(w, value > 0 ? " +Inf\n" : " -Inf\n");
	else
		put(w, " %.15g\n", value);
}

static void put_sample(struct metrics_writer *w, const char *suffix, const char *labels,
	const char *le, double value)
{
	put(w, "%s%s", w->row->name, suffix);
	if (*labels || *le)
		put(w, "{%s%s%s}", labels, *labels && *le ? "," : "", le);
	put_number(w, value);
}

void metrics_sample(struct metrics_writer *w, double value, const char *labels, ...)
{
	char text[1024];
	va_list args;

	va_start(args, labels);
	vsnprintf(text, sizeof(text), labels, args);
	va_end(args);
	put_sample(w, "", text, "", value);
}

void metrics_end(struct metrics_writer *w)
{
	put(w, "%s", w->openmetrics ? "# EOF\n" : "");
}

void metrics_writer_release(struct metrics_writer *w)
{
	free(w->text);
	*w = (struct metrics_writer){0};
}

const char *metrics_content_type(const struct metrics_writer *w)
{
	return w->openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
			      : "text/plain; version=0.0.4; charset=utf-8";
}

const char *metrics_escape(const char *text, char *buf, size_t bytes)
{
	size_t used = 0;

	for (; *text && used + 3 < bytes; text++) {
		if (*text == '\\' || *text == '"' || *text == '\n')
			buf[used++] = '\\';
		buf[used++] = *text == '\n' ? 'n' : *text;
	}
	buf[used] = 0;
	return buf;
}

void metric_histogram_init_decades(struct metric_histogram *h, double first, double last)
{
	static const double steps[] = {1, 2.5, 5};

	memset(h, 0, sizeof(*h));
	for (int i = 0; h->count < METRIC_BUCKETS_MAX; i++) {
		double bound = first * steps[i % 3] * pow(10, i / 3);

		if (bound > last * 1.0000001)
			break;
		h->bounds[h->count++] = bound;
	}
}

void metric_histogram_observe(struct metric_histogram *h, double value)
{
	metric_histogram_observe_many(h, value, 1);
}

void metric_histogram_observe_many(struct metric_histogram *h, double value, uint64_t times)
{
	int i = 0;
	uint64_t whole;

	while (i < h->count && value > h->bounds[i])
		i++;
	atomic_fetch_add_explicit(&h->buckets[i], times, memory_order_relaxed);
	if (value <= 0)
		return;
	/* Apart: the ages of a year's backlog in millionths would not fit. */
	whole = (uint64_t)value;
	atomic_fetch_add_explicit(&h->sum_whole, times * whole, memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum_micro,
		times * (uint64_t)((value - (double)whole) * 1e6), memory_order_relaxed);
}

void metrics_histogram(
	struct metrics_writer *w, const struct metric_histogram *h, const char *labels, ...)
{
	char text[1024], le[64];
	uint64_t total = 0;
	va_list args;

	va_start(args, labels);
	vsnprintf(text, sizeof(text), labels, args);
	va_end(args);
	for (int i = 0; i < h->count; i++) {
		total += atomic_load_explicit(&h->buckets[i], memory_order_relaxed);
		snprintf(le, sizeof(le), "le=\"%.15g\"", h->bounds[i]);
		put_sample(w, "_bucket", text, le, (double)total);
	}
	total += atomic_load_explicit(&h->buckets[h->count], memory_order_relaxed);
	put_sample(w, "_bucket", text, "le=\"+Inf\"", (double)total);
	put_sample(w, "_sum", text, "",
		(double)atomic_load_explicit(&h->sum_whole, memory_order_relaxed) +
			(double)atomic_load_explicit(&h->sum_micro, memory_order_relaxed) /
				1e6);
	put_sample(w, "_count", text, "", (double)total);
}
