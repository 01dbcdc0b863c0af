#include "loadgen/live_screen.h"

#include "common/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_COLUMNS  10
#define SPARK_MAX      60
#define PARTITIONS_MAX 12 /* with a line of their own */

struct screen {
	FILE *out;
	const struct screen_style *style;
	int column, lines;
};

static const char dim[] = "\033[2m", bold[] = "\033[1m", red[] = "\033[31m", off[] = "\033[0m";

/* Text, cut at the right edge; a byte that continues a UTF-8 character takes no column. */
static void put(struct screen *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct screen *s, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (const char *c = text; *c; c++) {
		bool continues = ((unsigned char)*c & 0xc0) == 0x80;

		if (!continues && s->column >= s->style->columns)
			return;
		fputc(*c, s->out);
		s->column += !continues;
	}
}

static void ink(struct screen *s, const char *code)
{
	if (s->style->color)
		fputs(code, s->out);
}

static void label(struct screen *s, const char *text)
{
	ink(s, dim);
	put(s, " %-*s", LABEL_COLUMNS - 1, text);
	ink(s, off);
}

static void end_line(struct screen *s)
{
	fputc('\n', s->out);
	s->column = 0;
	s->lines++;
}

/* The last `room` values as little columns, scaled to the highest; NAN is a gap. */
static void spark(struct screen *s, const double *values, size_t count)
{
	static const char *const fine[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char plain[] = "_.-:=+*#";
	int room = s->style->columns - s->column - 1;
	double highest = 0;
	size_t first;

	if (room < 4)
		return;
	if (room > SPARK_MAX)
		room = SPARK_MAX;
	first = count > (size_t)room ? count - (size_t)room : 0;
	for (size_t i = first; i < count; i++)
		highest = values[i] > highest ? values[i] : highest;
	for (size_t i = first; i < count; i++) {
		int level = highest > 0 ? (int)(values[i] / highest * 7.999) : 0;

		if (isnan(values[i]))
			put(s, " ");
		else if (s->style->utf8)
			put(s, "%s", fine[level]);
		else
			put(s, "%c", plain[level]);
	}
}

enum history { RATE, P99, LAG, PARTITION };

static double history_value(const struct stats_row *row, enum history what, size_t partition)
{
	switch (what) {
	case RATE:
		return row->seconds > 0 ? (double)(row->ok + row->errors) / row->seconds : NAN;
	case P99:
		return row->p99_us < 0 ? NAN : (double)row->p99_us;
	case LAG:
		return row->lag < 0 ? NAN : (double)row->lag;
	case PARTITION:
		return partition >= row->lag_count || row->lags[partition] < 0
			       ? NAN
			       : (double)row->lags[partition];
	}
	return NAN;
}

static void put_history(
	struct screen *s, const struct stats *stats, enum history what, size_t partition)
{
	double values[SPARK_MAX];
	size_t count = stats->rows_count < SPARK_MAX ? stats->rows_count : SPARK_MAX;

	for (size_t i = 0; i < count; i++)
		values[i] = history_value(
			&stats->rows[stats->rows_count - count + i], what, partition);
	put(s, "  ");
	spark(s, values, count);
}

static const char *clock_text(double seconds, char *buf, size_t bytes)
{
	int whole = (int)seconds;

	if (whole >= 3600)
		snprintf(buf, bytes, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
	else
		snprintf(buf, bytes, "%d:%02d", whole / 60, whole % 60);
	return buf;
}

static size_t stage_at(const struct schedule *schedule, double seconds)
{
	size_t i = 0;

	while (i + 1 < schedule->stages.count && seconds >= schedule->starts[i + 1])
		i++;
	return i;
}

static void put_progress(struct screen *s, const struct live_state *st)
{
	const struct schedule *schedule = &st->summary->schedule;
	double total = schedule_seconds(schedule);
	size_t at = stage_at(schedule, st->seconds);
	const struct stage *stage = &schedule->stages.list[at];
	int width = 24, done = total > 0 ? (int)(width * fmin(st->seconds / total, 1)) : width;
	char a[24], b[24];

	ink(s, bold);
	put(s, " %-9s", st->phase);
	ink(s, off);
	put(s, "%s of %s  ", clock_text(st->seconds, a, sizeof(a)),
		clock_text(total, b, sizeof(b)));
	for (int i = 0; i < width; i++) {
		if (s->style->utf8)
			put(s, "%s", i < done ? "█" : "░");
		else
			put(s, "%c", i < done ? '#' : '.');
	}
	put(s, "  stage %zu of %zu: %.6gs", at + 1, schedule->stages.count, stage->seconds);
	if (stage->from != stage->to)
		put(s, " of %.6g to %.6g/s", stage->from, stage->to);
	else
		put(s, " of %.6g/s", stage->from);
	end_line(s);
}

static void put_rate(struct screen *s, const struct live_state *st, const struct stats_row *row)
{
	label(s, "rate");
	put(s, "%8.1f/s of %.1f/s   in flight %d", history_value(row, RATE, 0), st->target_rate,
		st->in_flight);
	if (st->backlog)
		put(s, "   waiting %zu", st->backlog);
	put_history(s, &st->summary->stats, RATE, 0);
	end_line(s);
}

static void put_times(
	struct screen *s, const struct live_state *st, const struct stats_row *row)
{
	char p50[24], p90[24], p99[24], max[24];

	label(s, "response");
	put(s, "p50 %s   p90 %s   p99 %s   max %s", live_time(row->p50_us, p50, sizeof(p50)),
		live_time(row->p90_us, p90, sizeof(p90)),
		live_time(row->p99_us, p99, sizeof(p99)),
		live_time(row->max_us, max, sizeof(max)));
	put_history(s, &st->summary->stats, P99, 0);
	end_line(s);
}

static void put_errors(struct screen *s, const struct summary *sum)
{
	const struct stats *stats = &sum->stats;

	label(s, "errors");
	if (summary_errors(sum))
		ink(s, red);
	put(s, "%8llu", (unsigned long long)summary_errors(sum));
	for (int i = HTTP_REFUSED; i < HTTP_OUTCOMES; i++) {
		if (stats->outcomes[i])
			put(s, "   %s %llu", stats_outcome_name((enum http_outcome)i),
				(unsigned long long)stats->outcomes[i]);
	}
	for (int i = 100; i < 600; i++) {
		if (stats->statuses[i] && (i < 200 || i >= 300))
			put(s, "   HTTP %d: %llu", i, (unsigned long long)stats->statuses[i]);
	}
	if (sum->counts.dropped)
		put(s, "   dropped %llu", (unsigned long long)sum->counts.dropped);
	ink(s, off);
	put(s, "   acknowledged %llu", (unsigned long long)stats->acknowledged);
	end_line(s);
}

static void put_partition(struct screen *s, const struct stats *stats, size_t i)
{
	const struct look_partition *p = &stats->lag.partitions[i];

	label(s, "");
	put(s, "%3d ", p->id);
	if (p->lag < 0)
		put(s, "%8s", "n/a");
	else
		put(s, "%8lld", (long long)p->lag);
	if (isnan(p->seconds))
		put(s, "  %9s", "");
	else
		put(s, "  %7.1f s", p->seconds);
	put(s, "  %-6s", p->state);
	put_history(s, stats, PARTITION, i);
	end_line(s);
}

static void put_lag(struct screen *s, const struct stats *stats)
{
	const struct lag_look *lag = &stats->lag;

	if (!stats->lag_seen)
		return;
	label(s, "lag");
	if (lag->known)
		put(s, "%8lld", (long long)lag->total);
	else
		put(s, "     n/a (%s)", lag->why);
	if (!isnan(lag->seconds))
		put(s, "   %.1f s behind", lag->seconds);
	if (lag->known && lag->total > 0 && !isnan(lag->eta_seconds))
		put(s, "   drained in %.1f s", lag->eta_seconds);
	if (lag->workers >= 0)
		put(s, "   workers %d", lag->workers);
	put_history(s, stats, LAG, 0);
	end_line(s);
	for (size_t i = 0; i < lag->count && i < PARTITIONS_MAX; i++)
		put_partition(s, stats, i);
	if (lag->count > PARTITIONS_MAX) {
		label(s, "");
		put(s, "and %zu more partitions", lag->count - PARTITIONS_MAX);
		end_line(s);
	}
}

char *live_screen(const struct live_state *state, const struct stats_row *row,
	const struct screen_style *style, int *lines)
{
	char *text = NULL;
	size_t bytes;
	struct screen s = {.out = open_memstream(&text, &bytes), .style = style};

	put_progress(&s, state);
	put_rate(&s, state, row);
	put_times(&s, state, row);
	put_errors(&s, state->summary);
	put_lag(&s, &state->summary->stats);
	fclose(s.out);
	*lines = s.lines;
	return text;
}
