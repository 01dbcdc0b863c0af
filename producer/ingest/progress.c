#include "producer/ingest/progress.h"

#include "common/clock.h"
#include "common/log.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define BAR 24

struct figures {
	struct engine_progress now;
	double seconds, rate, overall;
	double share; /* 0..1, NAN: not known */
	double eta; /* seconds, NAN: not known */
};

void progress_start(
	struct progress *p, const struct ingest_options *options, uint64_t total_rows)
{
	*p = (struct progress){.options = options,
		.total_rows = total_rows,
		.terminal = isatty(STDERR_FILENO),
		.started_ns = clock_mono_ns(),
		.first_share = NAN,
		.shown_ms = clock_mono_ms()};
	p->last_ns = p->started_ns;
}

static void take_figures(struct progress *p, struct engine *engine, struct figures *f)
{
	int64_t now_ns = clock_mono_ns();
	double step = (double)(now_ns - p->last_ns) / 1e9;

	engine_progress(engine, &f->now);
	f->seconds = (double)(now_ns - p->started_ns) / 1e9;
	f->rate = step > 0 ? (double)(f->now.safe - p->last_safe) / step : 0;
	f->overall = f->seconds > 0 ? (double)f->now.safe / f->seconds : 0;
	f->share = f->eta = NAN;
	if (p->total_rows > 0)
		f->share = (double)(f->now.resumed + f->now.safe) / (double)p->total_rows;
	else if (f->now.input_total > 0 && !p->options->follow)
		f->share = (double)f->now.input_bytes / (double)f->now.input_total;
	if (isnan(p->first_share))
		p->first_share = f->now.resumed > 0 ? f->share : 0;
	if (f->share > p->first_share) /* what an earlier run did took none of our time */
		f->eta = f->share >= 1
				 ? 0
				 : f->seconds / (f->share - p->first_share) * (1 - f->share);
	p->last_ns = now_ns;
	p->last_safe = f->now.safe;
}

static void show_bar(const struct figures *f)
{
	char bar[BAR + 1];
	char tail[96] = "";
	int full = isnan(f->share) ? 0 : (int)(f->share * BAR);

	for (int i = 0; i < BAR; i++)
		bar[i] = i < full ? '#' : '.';
	bar[BAR] = 0;
	if (!isnan(f->share))
		snprintf(tail, sizeof(tail), "  %5.1f%%  ETA %.0f s", f->share * 100, f->eta);
	fprintf(stderr, "\r[%s] %llu read, %llu safe, %.0f/s (overall %.0f/s), %.1f MB%s\033[K",
		bar, (unsigned long long)(f->now.records - f->now.resumed),
		(unsigned long long)f->now.safe, f->rate, f->overall,
		(double)f->now.input_bytes / 1e6, tail);
	fflush(stderr);
}

void progress_show(struct progress *p, struct engine *engine)
{
	int64_t every = p->options->progress_ms ? p->options->progress_ms
			: p->terminal		? 200
						: 5000;
	int64_t now = clock_mono_ms();
	struct figures f;

	if (p->options->quiet || now - p->shown_ms < every)
		return;
	p->shown_ms = now;
	take_figures(p, engine, &f);
	if (p->terminal)
		show_bar(&f);
	else
		log_event(LOG_INFO, "progress",
			LOG_F("records", LOG_INT(f.now.records - f.now.resumed)),
			LOG_F("safe", LOG_INT(f.now.safe)),
			LOG_F("rejected", LOG_INT(f.now.rejected)),
			LOG_F("input_bytes", LOG_INT(f.now.input_bytes)),
			LOG_F("percent", LOG_NUM(f.share * 100)),
			LOG_F("rate_now", LOG_NUM(f.rate)),
			LOG_F("rate_overall", LOG_NUM(f.overall)),
			LOG_F("eta_seconds", LOG_NUM(f.eta)));
}

static void show_sinks(struct sink **sinks, int count, bool terminal)
{
	char text[512];

	for (int i = 0; i < count; i++) {
		sinks[i]->ops->describe(sinks[i], text, sizeof(text));
		if (terminal)
			fprintf(stderr, "  %s: %s\n", sinks[i]->name, text);
		else
			log_event(LOG_INFO, "sink", LOG_F("to", LOG_STR(sinks[i]->name)),
				LOG_F("holds", LOG_STR(text)));
	}
}

/* How much of a core each stage took. One that was near a whole core a thread was the limit; when
   none was, the run waited for a broker, a disk, or its turn. */
static void show_stages(struct engine *engine, double seconds, bool terminal)
{
	double rest = (double)clock_process_cpu_ns() / 1e9;
	struct engine_stage s;
	char text[1024] = "";
	size_t used = 0;

	for (int i = 0; engine_stage(engine, i, &s) && used < sizeof(text) - 64; i++) {
		double cpu = (double)s.cpu_ns / 1e9;

		rest -= cpu;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%.40s %.2f%s, ",
			s.name, cpu / seconds, s.threads > 1 ? " (all threads)" : "");
	}
	snprintf(text + used, sizeof(text) - used, "libraries %.2f", rest / seconds);
	if (terminal)
		fprintf(stderr, "  of a core: %s\n", text);
	else
		log_event(LOG_INFO, "stages", LOG_F("of_a_core", LOG_STR(text)));
}

void progress_end(struct progress *p, struct engine *engine, struct sink **sinks, int count,
	const char *outcome)
{
	struct figures f;

	take_figures(p, engine, &f);
	if (p->options->quiet)
		return;
	if (p->terminal)
		fprintf(stderr,
			"\r\033[K%s: %llu records in %.2f s, %.0f records/s, %llu left out, "
			"%llu resumed\n",
			outcome, (unsigned long long)f.now.safe, f.seconds, f.overall,
			(unsigned long long)f.now.rejected, (unsigned long long)f.now.resumed);
	else
		log_event(LOG_INFO, outcome, LOG_F("records", LOG_INT(f.now.safe)),
			LOG_F("seconds", LOG_NUM(f.seconds)),
			LOG_F("records_per_second", LOG_NUM(f.overall)),
			LOG_F("rejected", LOG_INT(f.now.rejected)),
			LOG_F("resumed", LOG_INT(f.now.resumed)));
	show_sinks(sinks, count, p->terminal);
	if (f.seconds > 0)
		show_stages(engine, f.seconds, p->terminal);
}
