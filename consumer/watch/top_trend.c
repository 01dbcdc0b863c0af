#include "consumer/watch/top_trend.h"

#include "common/lag_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MARGIN	    12 /* the scale's room */
#define COLUMNS_MAX 240
#define STEPS	    8 /* of a character's height */

/* The chart's columns, the newest last; a column is the highest of its time. */
struct columns {
	int count;
	int64_t first_ms, each_ms;
	double lag[COLUMNS_MAX], rate_out[COLUMNS_MAX];
};

static double number_of(const json_t *value)
{
	return json_is_number(value) ? json_number_value(value) : NAN;
}

static void add(struct top_trend *trend, int64_t ms, double lag, double rate_out)
{
	if (trend->count && ms <= trend->points[trend->count - 1].ms)
		return;
	if (trend->count == TOP_TREND_POINTS)
		memmove(trend->points, trend->points + 1,
			(size_t)--trend->count * sizeof(trend->points[0]));
	trend->points[trend->count].ms = ms;
	trend->points[trend->count].lag = lag;
	trend->points[trend->count++].rate_out = rate_out;
}

void top_trend_load(struct top_trend *trend, const json_t *history)
{
	const json_t *t = json_object_get(history, "t"), *lag = json_object_get(history, "lag");
	const json_t *rate_out = json_object_get(history, "rate_out");
	for (size_t i = 0; i < json_array_size(t); i++)
		add(trend, json_integer_value(json_array_get(t, i)),
			number_of(json_array_get(lag, i)),
			number_of(json_array_get(rate_out, i)));
}

void top_trend_add(struct top_trend *trend, const json_t *status)
{
	const json_t *total = json_object_get(status, "total");
	add(trend, json_integer_value(json_object_get(status, "time_ms")),
		number_of(json_object_get(total, "lag")),
		number_of(json_object_get(total, "rate_out")));
}

/* Columns begin at multiples of their width: as time goes by they move, and do not change. */
static void make_columns(const struct top_trend *trend, int width, struct columns *c)
{
	c->count = width - MARGIN < COLUMNS_MAX ? width - MARGIN : COLUMNS_MAX;
	if (c->count < 1)
		c->count = 1;
	c->each_ms = TOP_TREND_SPAN_MS / c->count;
	int64_t now_ms = trend->count ? trend->points[trend->count - 1].ms : 0;
	c->first_ms = (now_ms / c->each_ms - c->count + 1) * c->each_ms;
	for (int i = 0; i < c->count; i++)
		c->lag[i] = c->rate_out[i] = NAN;
	for (int i = 0; i < trend->count; i++) {
		if (trend->points[i].ms < c->first_ms)
			continue;
		int at = (int)((trend->points[i].ms - c->first_ms) / c->each_ms);
		c->lag[at] = fmax(c->lag[at], trend->points[i].lag);
		c->rate_out[at] = fmax(c->rate_out[at], trend->points[i].rate_out);
	}
}

static double highest(const double *values, int count)
{
	double most = 0;
	for (int i = 0; i < count; i++)
		most = fmax(most, values[i]); /* NAN is passed over */
	return most;
}

/* How high a value stands in the row that begins `below` steps above the ground. */
static void bar(struct term *term, double value, double most, int rows, int below)
{
	static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {" ", ".", ".", "-", "-", "=", "=", "#", "#"};
	if (isnan(value)) {
		term_put_text(term, " ");
		return;
	}
	int high = most > 0 ? (int)(value / most * rows * STEPS + 0.5) : 0;
	if (high == 0) /* the ground line: known, and nothing or nearly so */
		high = 1;
	int step = high - below < 0 ? 0 : high - below > STEPS ? STEPS : high - below;
	term_put_text(term, term->utf8 ? blocks[step] : ascii[step]);
}

static void draw_rows(struct term *term, const char *name, const char *scale,
	const double *values, int count, int rows)
{
	double most = highest(values, count);
	for (int row = rows - 1; row >= 0; row--) {
		const char *label = row == rows - 1 ? scale : row == 0 ? "0" : "";
		term_put(term, "%-4s%7s ", row == rows - 1 ? name : "", label);
		term_tone(term, "\033[36m");
		for (int i = 0; i < count; i++)
			bar(term, values[i], most, rows, row * STEPS);
		term_end_line(term);
	}
}

static char letter(const char *kind)
{
	return strcmp(kind, "rebalance") == 0 ? 'R' : strcmp(kind, "workers") == 0 ? 'W' : '!';
}

/* When the pool changed, by a letter below its column. */
static void draw_marks(struct term *term, const struct columns *c, const json_t *marks)
{
	static const char legend[] = "R rebalance, W workers";
	char line[COLUMNS_MAX + 1];
	size_t i, legend_bytes = strlen(legend);
	json_t *mark;
	int first = c->count;
	memset(line, ' ', (size_t)c->count);
	line[c->count] = 0;
	json_array_foreach((json_t *)marks, i, mark)
	{
		int64_t ms = json_integer_value(json_object_get(mark, "time_ms"));
		const char *kind = json_string_value(json_object_get(mark, "kind"));
		if (!kind || ms < c->first_ms || (ms - c->first_ms) / c->each_ms >= c->count)
			continue;
		int at = (int)((ms - c->first_ms) / c->each_ms);
		if (line[at] != 'R')
			line[at] = letter(kind);
		first = at < first ? at : first;
	}
	if (first < c->count && first > (int)legend_bytes)
		memcpy(line, legend, legend_bytes);
	term_tone(term, TERM_FAINT);
	term_put(term, "%*s %s", MARGIN - 1, "-5 min", line);
	term_end_line(term);
}

static const char *short_count(char *buf, double value)
{
	static const char *const units[] = {"", "k", "M", "G", "T"};
	int unit = 0;
	for (; value >= 9999.5 && unit < 4; unit++)
		value /= 1000;
	snprintf(buf, LAG_TEXT_BYTES, "%.0f%s", value, units[unit]);
	return buf;
}

void top_trend_draw(
	const struct top_trend *trend, struct term *term, int rows, const json_t *marks)
{
	struct columns c;
	char scale[LAG_TEXT_BYTES], rate[LAG_TEXT_BYTES + 8];
	make_columns(trend, term->width, &c);
	draw_rows(
		term, "Lag", short_count(scale, highest(c.lag, c.count)), c.lag, c.count, rows);
	snprintf(rate, sizeof(rate), "%s/s", short_count(scale, highest(c.rate_out, c.count)));
	draw_rows(term, "Out", rate, c.rate_out, c.count, 1);
	draw_marks(term, &c, marks);
	term_end_line(term);
}
