#include "consumer/watch/top_view.h"

#include "common/lag_text.h"
#include "common/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A growing text whose lines are cut at the width; colour marks take no room. */
struct page {
	const struct top_view *view;
	char *text;
	size_t used, room;
	int column, lines;
};

static void put_bytes(struct page *p, const char *text, size_t length)
{
	if (p->used + length + 1 > p->room) {
		p->room = (p->used + length + 1) * 2;
		p->text = mem_resize(p->text, p->room, 1);
	}
	memcpy(p->text + p->used, text, length);
	p->used += length;
	p->text[p->used] = 0;
}

static void put_text(struct page *p, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool begins = (c & 0xc0) != 0x80; /* of a character, in UTF-8 */
		if (begins && ++p->column > p->view->width)
			return;
		char shown = c < 0x20 || c == 0x7f ? ' ' : *text;
		if (p->column <= p->view->width)
			put_bytes(p, &shown, 1);
	}
}

static void __attribute__((format(printf, 2, 3))) put(struct page *p, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_text(p, text);
}

static void tone(struct page *p, const char *code)
{
	if (p->view->color)
		put_bytes(p, code, strlen(code));
}

#define PLAIN "\033[0m"
#define BOLD  "\033[1m"
#define FAINT "\033[2m"

static void end_line(struct page *p)
{
	tone(p, PLAIN);
	put_bytes(p, "\n", 1);
	p->column = 0;
	p->lines++;
}

static const char *level_tone(const char *level)
{
	if (strcmp(level, "ok") == 0 || strcmp(level, "OK") == 0)
		return "\033[1;32m";
	if (strcmp(level, "bad") == 0 || strcmp(level, "STALL") == 0 ||
		strcmp(level, "STOP") == 0)
		return "\033[1;31m";
	if (strcmp(level, "unknown") == 0 || strcmp(level, "UNKNOWN") == 0)
		return BOLD;
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

static const char *seconds_of(char *buf, const json_t *o, const char *name)
{
	return lag_text_seconds(buf, number_of(o, name),
		strcmp(name, "lag_seconds") == 0 &&
			json_is_true(json_object_get(o, "lag_seconds_at_least")));
}

static void head(struct page *p, const json_t *s)
{
	char clock[16];
	time_t now = (time_t)(json_integer_value(json_object_get(s, "time_ms")) / 1000);
	struct tm local;
	localtime_r(&now, &local);
	strftime(clock, sizeof(clock), "%H:%M:%S", &local);
	tone(p, BOLD);
	put(p, "Writethrough");
	tone(p, PLAIN);
	put(p, "  group %s  %s  ", text_of(s, "group"), clock);
	if (p->view->gone) {
		tone(p, level_tone("bad"));
		put(p, "%s", p->view->gone);
	}
	end_line(p);
	const json_t *health = json_object_get(s, "health");
	tone(p, level_tone(text_of(health, "level")));
	put(p, "%s", text_of(health, "title"));
	tone(p, PLAIN);
	put(p, "  %s", text_of(health, "text"));
	end_line(p);
	end_line(p);
}

static void figures(struct page *p, const json_t *s)
{
	char a[LAG_TEXT_BYTES], b[LAG_TEXT_BYTES], c[LAG_TEXT_BYTES], d[LAG_TEXT_BYTES];
	const json_t *t = json_object_get(s, "total"), *latency = json_object_get(s, "latency");
	const json_t *workers = json_object_get(s, "workers");
	put(p, "Behind    ");
	tone(p, BOLD);
	put(p, "%s records   %s   ", lag_text_count(a, count_of(t, "lag")),
		seconds_of(b, t, "lag_seconds"));
	tone(p, PLAIN);
	put(p, "drained in %s", seconds_of(c, t, "eta_seconds"));
	end_line(p);
	put(p, "Arriving  %s/s   applied %s/s   end to end p50 %s  p99 %s",
		lag_text_rate(a, number_of(t, "rate_in")),
		lag_text_rate(b, number_of(t, "rate_out")),
		seconds_of(c, latency, "p50_seconds"), seconds_of(d, latency, "p99_seconds"));
	end_line(p);
	put(p, "Workers   %s%s   dead letters %s   rebalances %s   %s",
		lag_text_count(a, count_of(workers, "count")),
		json_is_true(json_object_get(workers, "auto")) ? " (auto)" : "",
		lag_text_count(b, count_of(json_object_get(s, "deadletters"), "total")),
		lag_text_count(c, count_of(s, "rebalances")), text_of(workers, "reason"));
	end_line(p);
}

/* The lag of the last minutes as a row of bars, the highest of them full. */
static void trend(struct page *p)
{
	static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static const char *const ascii[] = {"_", ".", ".", "-", "-", "=", "#", "#"};
	const struct top_view *v = p->view;
	int room = v->width - 10 < v->trend_count ? v->width - 10 : v->trend_count;
	double most = 1;
	for (int i = v->trend_count - room; i < v->trend_count; i++)
		most = v->trend[i] > most ? v->trend[i] : most;
	put(p, "Lag       ");
	for (int i = v->trend_count - room; i < v->trend_count; i++) {
		int step = isnan(v->trend[i]) ? -1 : (int)(v->trend[i] / most * 7.0 + 0.5);
		put_text(p, step < 0 ? "?" : v->utf8 ? blocks[step] : ascii[step]);
	}
	end_line(p);
	end_line(p);
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

static void partition(struct page *p, const json_t *o)
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
	put(p, "%3d  %-9s ", (int)json_integer_value(json_object_get(o, "partition")), owner);
	tone(p, level_tone(text_of(o, "state")));
	put(p, "%-7s", text_of(o, "state"));
	tone(p, PLAIN);
	put(p, " %10s %8s %7s %7s %8s", lag_text_count(lag, count_of(o, "lag")),
		seconds_of(behind, o, "lag_seconds"),
		lag_text_rate(in, number_of(o, "rate_in")),
		lag_text_rate(out, number_of(o, "rate_out")),
		seconds_of(eta, o, "eta_seconds"));
	put(p, " %5s %6s  %s", lag_text_count(batch, count_of(o, "batch")),
		lag_text_seconds(time_text, took(o), false), text_of(o, "cache"));
	end_line(p);
	bool sick = text_of(o, "error")[0] != 0;
	if (!sick && strcmp(text_of(o, "state"), "OK") == 0)
		return;
	tone(p, sick ? "\033[31m" : FAINT);
	put(p, "     %s", sick ? text_of(o, "error") : text_of(o, "reason"));
	end_line(p);
}

static void letters(struct page *p, const json_t *s)
{
	size_t i;
	json_t *o;
	json_t *recent = json_object_get(json_object_get(s, "deadletters"), "recent");
	if (!json_array_size(recent) || p->lines + 3 > p->view->height)
		return;
	end_line(p);
	tone(p, BOLD);
	put(p, "Last dead letters");
	end_line(p);
	json_array_foreach(recent, i, o)
	{
		if (p->lines + 1 >= p->view->height)
			break;
		put(p, "%s/%d at %lld  %s: %s", text_of(o, "topic"),
			(int)json_integer_value(json_object_get(o, "partition")),
			(long long)json_integer_value(json_object_get(o, "offset")),
			text_of(o, "reason"), text_of(o, "text"));
		end_line(p);
	}
}

char *top_view_text(const struct top_view *view, const json_t *s)
{
	struct page page = {.view = view}, *p = &page;
	if (!s) {
		put(p, "%s", view->gone ? view->gone : "connecting");
		end_line(p);
		return p->text;
	}
	head(p, s);
	figures(p, s);
	trend(p);
	tone(p, FAINT);
	put(p, "  P  OWNER     STATE          LAG   BEHIND    IN/s   OUT/s  DRAINED BATCH   "
	       "TOOK  CACHE");
	end_line(p);
	size_t i;
	json_t *o;
	json_array_foreach(json_object_get(s, "partitions"), i, o)
	{
		if (p->lines + 2 < view->height)
			partition(p, o);
	}
	letters(p, s);
	return p->text;
}

void top_view_remember(struct top_view *view, const json_t *status)
{
	if (view->trend_count == TOP_TREND)
		memmove(view->trend, view->trend + 1, (TOP_TREND - 1) * sizeof(view->trend[0]));
	else
		view->trend_count++;
	view->trend[view->trend_count - 1] = number_of(json_object_get(status, "total"), "lag");
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
		clock, text_of(json_object_get(s, "health"), "title"),
		lag_text_count(lag, count_of(t, "lag")), seconds_of(behind, t, "lag_seconds"),
		lag_text_rate(in, number_of(t, "rate_in")),
		lag_text_rate(out, number_of(t, "rate_out")), seconds_of(eta, t, "eta_seconds"),
		seconds_of(p99, json_object_get(s, "latency"), "p99_seconds"),
		(long long)count_of(json_object_get(s, "deadletters"), "total"));
}
