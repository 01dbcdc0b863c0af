#include "consumer/watch/top_view.h"

#include "common/lag_text.h"
#include "common/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *level_tone(const char *level)
{
	if (strcmp(level, "ok") == 0 || strcmp(level, "OK") == 0)
		return "\033[1;32m";
	if (strcmp(level, "bad") == 0 || strcmp(level, "STALL") == 0 ||
		strcmp(level, "STOP") == 0)
		return "\033[1;31m";
	if (strcmp(level, "unknown") == 0 || strcmp(level, "UNKNOWN") == 0)
		return TERM_BOLD;
	return "\033[1;33m";
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));
	return text ? text : "";
}

static double number_of(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);
	return json_is_number(v) ? json_number_value(v) : NAN;
}

static int64_t count_of(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);
	return json_is_integer(v) ? json_integer_value(v) : LAG_UNKNOWN;
}

/* Of a sum: ">= 12 345" where parts of it are unknown. */
static const char *lag_of(char *buf, const json_t *o)
{
	struct lag_view v = {.lag = count_of(o, "lag"), .lag_known = count_of(o, "lag_known")};
	return lag_text_lag(buf, &v);
}

static const char *seconds_of(char *buf, const json_t *o, const char *name)
{
	char at_least[40];
	snprintf(at_least, sizeof(at_least), "%s_at_least", name);
	return lag_text_seconds(
		buf, number_of(o, name), json_is_true(json_object_get(o, at_least)));
}

static void head(struct term *p, const struct top_view *view, const json_t *s)
{
	char clock[16];
	time_t now = (time_t)(json_integer_value(json_object_get(s, "time_ms")) / 1000);
	struct tm local;
	localtime_r(&now, &local);
	strftime(clock, sizeof(clock), "%H:%M:%S", &local);
	term_tone(p, TERM_BOLD);
	term_put(p, "Writethrough");
	term_tone(p, TERM_PLAIN);
	term_put(p, "  group %s  %s  ", text_of(s, "group"), clock);
	if (view->gone) {
		term_tone(p, level_tone("bad"));
		term_put(p, "%s", view->gone);
	}
	term_end_line(p);
	const json_t *health = json_object_get(s, "health");
	term_tone(p, level_tone(text_of(health, "level")));
	term_put(p, "%s", text_of(health, "title"));
	term_tone(p, TERM_PLAIN);
	term_put(p, "  %s", text_of(health, "text"));
	term_end_line(p);
	term_end_line(p);
}

static void figures(struct term *p, const json_t *s)
{
	char a[LAG_TEXT_BYTES], b[LAG_TEXT_BYTES], c[LAG_TEXT_BYTES], d[LAG_TEXT_BYTES];
	const json_t *t = json_object_get(s, "total"), *latency = json_object_get(s, "latency");
	const json_t *workers = json_object_get(s, "workers");
	term_put(p, "Behind    ");
	term_tone(p, TERM_BOLD);
	term_put(p, "%s records   %s   ", lag_of(a, t), seconds_of(b, t, "lag_seconds"));
	term_tone(p, TERM_PLAIN);
	term_put(p, "drained in %s", seconds_of(c, t, "eta_seconds"));
	term_end_line(p);
	term_put(p, "Arriving  %s/s   applied %s/s   end to end p50 %s  p99 %s",
		lag_text_rate(a, number_of(t, "rate_in")),
		lag_text_rate(b, number_of(t, "rate_out")),
		seconds_of(c, latency, "p50_seconds"), seconds_of(d, latency, "p99_seconds"));
	term_end_line(p);
	term_put(p, "Workers   %s%s   dead letters %s   rebalances %s   %s",
		lag_text_count(a, count_of(workers, "count")),
		json_is_true(json_object_get(workers, "auto")) ? " (auto)" : "",
		lag_text_count(b, count_of(json_object_get(s, "deadletters"), "total")),
		lag_text_count(c, count_of(s, "rebalances")), text_of(workers, "reason"));
	term_end_line(p);
}

/* Partitions stand by topic: of several each has a line of its own, of one it needs none. */
static int topic_lines(const json_t *list)
{
	const char *last = "";
	int topics = 0;
	size_t i;
	json_t *o;
	json_array_foreach((json_t *)list, i, o)
	{
		topics += strcmp(text_of(o, "topic"), last) != 0;
		last = text_of(o, "topic");
	}
	return topics > 1 ? topics : 0;
}

/* As high as the rest leaves room for. */
static int chart_rows(const struct top_view *view, const json_t *s)
{
	const json_t *list = json_object_get(s, "partitions");
	int rest = 12 + (int)json_array_size(list) + topic_lines(list);
	int rows = view->height - rest;
	return rows < 1 ? 1 : rows > 8 ? 8 : rows;
}

static double took(const json_t *partition)
{
	double sum = 0;
	const char *name;
	json_t *value;
	json_object_foreach(json_object_get((json_t *)partition, "stages"), name, value) sum +=
		json_number_value(value);
	return json_object_get(partition, "stages") ? sum : NAN;
}

static void partition(struct term *p, const json_t *o)
{
	char lag[LAG_TEXT_BYTES], behind[LAG_TEXT_BYTES], in[LAG_TEXT_BYTES],
		out[LAG_TEXT_BYTES];
	char eta[LAG_TEXT_BYTES], batch[LAG_TEXT_BYTES], time_text[LAG_TEXT_BYTES], owner[64];
	const json_t *worker = json_object_get(o, "worker");
	if (json_is_integer(worker))
		snprintf(owner, sizeof(owner), "worker %d", (int)json_integer_value(worker));
	else
		snprintf(owner, sizeof(owner), "%.9s",
			text_of(o, "owner")[0] ? text_of(o, "owner") : "-");
	term_put(p, "%3d  %-9s ", (int)json_integer_value(json_object_get(o, "partition")),
		owner);
	term_tone(p, level_tone(text_of(o, "state")));
	term_put(p, "%-7s", text_of(o, "state"));
	term_tone(p, TERM_PLAIN);
	term_put(p, " %10s %8s %7s %7s %8s", lag_text_count(lag, count_of(o, "lag")),
		seconds_of(behind, o, "lag_seconds"),
		lag_text_rate(in, number_of(o, "rate_in")),
		lag_text_rate(out, number_of(o, "rate_out")),
		seconds_of(eta, o, "eta_seconds"));
	term_put(p, " %5s %6s  %s", lag_text_count(batch, count_of(o, "batch")),
		lag_text_seconds(time_text, took(o), false), text_of(o, "cache"));
	term_end_line(p);
	bool sick = text_of(o, "error")[0] != 0;
	if (!sick && strcmp(text_of(o, "state"), "OK") == 0)
		return;
	term_tone(p, sick ? "\033[31m" : TERM_FAINT);
	term_put(p, "     %s", sick ? text_of(o, "error") : text_of(o, "reason"));
	term_end_line(p);
}

static void partitions(struct term *p, const struct top_view *view, const json_t *list)
{
	bool many = topic_lines(list) > 0;
	const char *last = "";
	size_t i;
	json_t *o;
	json_array_foreach((json_t *)list, i, o)
	{
		if (p->lines + 3 < view->height && many && strcmp(text_of(o, "topic"), last)) {
			last = text_of(o, "topic");
			term_put(p, "%s", last);
			term_end_line(p);
		}
		if (p->lines + 2 < view->height)
			partition(p, o);
	}
}

static void letters(struct term *p, const struct top_view *view, const json_t *s)
{
	size_t i;
	json_t *o;
	json_t *recent = json_object_get(json_object_get(s, "deadletters"), "recent");
	if (!json_array_size(recent) || p->lines + 3 > view->height)
		return;
	term_end_line(p);
	term_tone(p, TERM_BOLD);
	term_put(p, "Last dead letters");
	term_end_line(p);
	json_array_foreach(recent, i, o)
	{
		if (p->lines + 1 >= view->height)
			break;
		term_put(p, "%s/%d at %lld  %s: %s", text_of(o, "topic"),
			(int)json_integer_value(json_object_get(o, "partition")),
			(long long)json_integer_value(json_object_get(o, "offset")),
			text_of(o, "reason"), text_of(o, "text"));
		term_end_line(p);
	}
}

char *top_view_text(const struct top_view *view, const json_t *s)
{
	struct term term = {.width = view->width,
		.height = view->height,
		.color = view->color,
		.utf8 = view->utf8};
	struct term *p = &term;
	if (!s) {
		term_put(p, "%s", view->gone ? view->gone : "connecting");
		term_end_line(p);
		return p->text;
	}
	head(p, view, s);
	figures(p, s);
	top_trend_draw(view->trend, p, chart_rows(view, s), json_object_get(s, "marks"));
	term_tone(p, TERM_FAINT);
	term_put(p,
		"  P  OWNER     STATE          LAG   BEHIND    IN/s   OUT/s  DRAINED BATCH   "
		"TOOK  CACHE");
	term_end_line(p);
	partitions(p, view, json_object_get(s, "partitions"));
	letters(p, view, s);
	return p->text;
}

char *top_view_line(const json_t *s)
{
	char lag[LAG_TEXT_BYTES], behind[LAG_TEXT_BYTES], in[LAG_TEXT_BYTES],
		out[LAG_TEXT_BYTES];
	char eta[LAG_TEXT_BYTES], p99[LAG_TEXT_BYTES], clock[16];
	const json_t *t = json_object_get(s, "total");
	time_t now = (time_t)(json_integer_value(json_object_get(s, "time_ms")) / 1000);
	struct tm local;
	localtime_r(&now, &local);
	strftime(clock, sizeof(clock), "%H:%M:%S", &local);
	return mem_printf(
		"%s  %-14s behind %s records, %s  in %s/s  out %s/s  drained in %s  p99 %s  "
		"dead letters %lld\n",
		clock, text_of(json_object_get(s, "health"), "title"), lag_of(lag, t),
		seconds_of(behind, t, "lag_seconds"),
		lag_text_rate(in, number_of(t, "rate_in")),
		lag_text_rate(out, number_of(t, "rate_out")), seconds_of(eta, t, "eta_seconds"),
		seconds_of(p99, json_object_get(s, "latency"), "p99_seconds"),
		(long long)count_of(json_object_get(s, "deadletters"), "total"));
}
