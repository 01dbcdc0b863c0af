#include "loadgen/live.h"

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
	bool line_open; /* a rewritten line stands without its end */
};

struct live *live_new(bool quiet)
{
	struct live *l = mem_zero(1, sizeof(*l));

	l->quiet = quiet;
	l->terminal = isatty(STDERR_FILENO) && !getenv("WT_PLAIN");
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
	fprintf(out, "  errors %llu",
		(unsigned long long)(st->summary->stats.errors + st->summary->counts.dropped));
	put_lag(out, st->summary);
}

static size_t terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
		return 80;
	return size.ws_col;
}

void live_show(struct live *l, const struct live_state *state, const struct stats_row *row)
{
	char *text = NULL;
	size_t bytes;
	FILE *out;

	if (l->quiet)
		return;
	out = open_memstream(&text, &bytes);
	put_line(out, state, row);
	fclose(out);
	if (l->terminal) {
		size_t width = terminal_width() - 1;

		fprintf(stderr, "\r\033[K%.*s", (int)(bytes < width ? bytes : width), text);
		l->line_open = true;
	} else {
		fprintf(stderr, "%s\n", text);
	}
	fflush(stderr);
	free(text);
}

void live_say(struct live *l, const char *format, ...)
{
	va_list args;

	if (l->quiet)
		return;
	if (l->line_open)
		fputc('\n', stderr);
	l->line_open = false;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void live_free(struct live *l)
{
	if (!l)
		return;
	if (l->line_open)
		fputc('\n', stderr);
	free(l);
}
