#include "loadgen/live_screen.h"

#include "common/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct live {
	bool quiet, terminal;
	bool color, utf8;
	int drawn; /* lines of the picture that stands above the cursor */
};

static bool is_dumb(const char *term)
{
	return !term || !*term || strcmp(term, "dumb") == 0;
}

static bool locale_is_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

struct live *live_new(bool quiet)
{
	struct live *l = mem_zero(1, sizeof(*l));

	l->quiet = quiet;
	l->terminal = isatty(STDERR_FILENO) && !is_dumb(getenv("TERM"));
	l->color = !(getenv("NO_COLOR") && *getenv("NO_COLOR"));
	l->utf8 = locale_is_utf8();
	return l;
}

const char *live_time(int64_t us, char *buf, size_t bytes)
{
	if (us < 0)
		snprintf(buf, bytes, "n/a");
	else if (us < 1000)
		snprintf(buf, bytes, "%d us", (int)us);
	else if (us < 1000000)
		snprintf(buf, bytes, us < 10000 ? "%.2f ms" : "%.1f ms", (double)us / 1000);
	else
		snprintf(buf, bytes, "%.2f s", (double)us / 1e6);
	return buf;
}

static void put_lag(FILE *out, const struct summary *s)
{
	const struct lag_look *lag = &s->stats.lag;

	if (!s->stats.lag_seen)
		return;
	if (!lag->known)
		fprintf(out, "  lag n/a (%s)", lag->why);
	else
		fprintf(out, "  lag %lld", (long long)lag->total);
	if (lag->count > 1) {
		fputs(" (", out);
		for (size_t i = 0; i < lag->count && i < 24; i++) {
			const struct look_partition *p = &lag->partitions[i];

			if (p->lag < 0)
				fprintf(out, "%s%d:n/a", i ? " " : "", p->id);
			else
				fprintf(out, "%s%d:%lld", i ? " " : "", p->id,
					(long long)p->lag);
		}
		fputs(lag->count > 24 ? " ...)" : ")", out);
	}
	if (!isnan(lag->seconds))
		fprintf(out, "  behind %.1f s", lag->seconds);
	if (lag->known && lag->total > 0 && !isnan(lag->eta_seconds))
		fprintf(out, "  drained in %.1f s", lag->eta_seconds);
}

static void put_line(FILE *out, const struct live_state *st, const struct stats_row *row)
{
	char p50[24], p99[24];

	fprintf(out, "%7.1fs  %-6s", st->seconds, st->phase);
	fprintf(out, "  target %7.1f/s  got %7.1f/s", st->target_rate,
		row->seconds > 0 ? (double)(row->ok + row->errors) / row->seconds : 0);
	fprintf(out, "  in flight %3d", st->in_flight);
	if (st->backlog)
		fprintf(out, "  waiting %zu", st->backlog);
	fprintf(out, "  p50 %8s  p99 %8s", live_time(row->p50_us, p50, sizeof(p50)),
		live_time(row->p99_us, p99, sizeof(p99)));
	fprintf(out, "  errors %llu", (unsigned long long)summary_errors(st->summary));
	put_lag(out, st->summary);
}

static struct screen_style style_now(const struct live *l)
{
	struct winsize size;
	int columns = 80;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
		columns = size.ws_col;
	return (struct screen_style){columns, l->color, l->utf8};
}

/* Takes the picture off the terminal; the cursor stands where it began. */
static void wipe(struct live *l, FILE *out)
{
	if (l->drawn)
		fprintf(out, "\r\033[%dA\033[J", l->drawn);
	l->drawn = 0;
}

static void draw(struct live *l, const struct live_state *state, const struct stats_row *row)
{
	struct screen_style style = style_now(l);
	char *text, *all = NULL;
	size_t bytes;
	FILE *out = open_memstream(&all, &bytes);
	int lines;

	text = live_screen(state, row, &style, &lines);
	wipe(l, out);
	fputs(text, out);
	fclose(out);
	fwrite(all, 1, bytes, stderr); /* in one piece: no flicker */
	l->drawn = lines;
	free(text);
	free(all);
}

void live_show(struct live *l, const struct live_state *state, const struct stats_row *row)
{
	char *text = NULL;
	size_t bytes;
	FILE *out;

	if (l->quiet)
		return;
	if (l->terminal) {
		draw(l, state, row);
		return;
	}
	out = open_memstream(&text, &bytes);
	put_line(out, state, row);
	fclose(out);
	fprintf(stderr, "%s\n", text);
	free(text);
}

void live_say(struct live *l, const char *format, ...)
{
	va_list args;

	if (l->quiet)
		return;
	wipe(l, stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void live_free(struct live *l)
{
	free(l); /* the last picture stays */
}
