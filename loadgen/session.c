#include "loadgen/session.h"

#include "common/mem.h"
#include "loadgen/consumer_api.h"
#include "loadgen/stop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int verdict(struct session *s, const struct summary *summary)
{
	size_t failed = thresholds_check(s->thresholds, summary);

	if (summary->stopped)
		return EXIT_SIGNAL;
	if (failed)
		return EXIT_THRESHOLD;
	if (summary->drain_asked && !summary->drained)
		return err_exit_code(ERR_UNFINISHED);
	return 0;
}

static int write_files(struct session *s, const struct summary *summary, struct errmsg *msg)
{
	int err = 0;

	if (s->csv)
		err = report_csv(s->csv, summary, (int)json_array_size(s->runs), msg);
	if (err == 0 && s->hdr)
		err = report_hdr(s->hdr, summary, msg);
	return err;
}

/*
 * A run, its words and its document. `summary` is the caller's to release. What fails after the load
 * is returned, but costs nobody the report.
 */
static int run_one(struct session *s, const struct thresholds *shown, struct summary *summary,
	struct errmsg *msg)
{
	struct errmsg ignored;
	int err, failed;

	summary_init(summary);
	s->run->later = json_array_size(s->runs) > 0;
	err = run_load(s->run, summary, msg);
	request_next_run(s->run->request, summary->counts.due);
	if (!summary->ran)
		return err;
	s->about.exit_code = verdict(s, summary);
	if (err != 0)
		s->about.exit_code = err_exit_code(err);
	report_text(summary, shown, stdout);
	fflush(stdout);
	failed = write_files(s, summary, err ? &ignored : msg);
	json_array_append_new(s->runs, report_make_json(summary, shown, &s->about));
	return err ? err : failed;
}

/* Asks for `count` workers; what stands in the way is said and, for a single run, no reason to stop. */
static int set_workers(struct session *s, int count, struct errmsg *msg)
{
	int err;

	if (!s->run->lag_url.host)
		return errmsg_set(msg, ERR_CONFIG,
			"setting the number of workers needs lag.url, the consumer's address");
	err = consumer_set_workers(&s->run->lag_url, s->token, count, msg);
	s->about.workers = err ? -1 : count;
	return err;
}

/* As many workers as were asked for, if that can be had. */
static void try_workers(struct session *s)
{
	struct errmsg why;

	if (s->workers > 0 && set_workers(s, s->workers, &why) != 0)
		fprintf(stderr, "wt-loadgen: the workers stay as they are: %s\n", why.text);
}

static int run_single(struct session *s, struct errmsg *msg)
{
	struct summary summary;
	int err;

	try_workers(s);
	if (stop_signal()) {
		s->code = EXIT_SIGNAL;
		return 0;
	}
	err = run_one(s, s->thresholds, &summary, msg);
	s->code = s->about.exit_code;
	summary_release(&summary);
	return err;
}

/* --- rounds --- */

static const json_t *in(const json_t *run, const char *part, const char *field)
{
	return json_object_get(json_object_get(run, part), field);
}

static const char *figure(const json_t *value, int digits, char *buf, size_t bytes)
{
	if (json_is_number(value))
		snprintf(buf, bytes, "%.*f", digits, json_number_value(value));
	else
		snprintf(buf, bytes, "n/a");
	return buf;
}

static void put_rounds(const struct session *s)
{
	const json_t *run;
	size_t i;

	printf("\n%8s %10s %12s %10s %10s %10s %10s %8s\n", "workers", "rate/s", "lag max",
		"lag s max", "drain s", "p50 ms", "p99 ms", "lost");
	json_array_foreach(s->runs, i, run)
	{
		const json_t *response =
			json_object_get(json_object_get(run, "times_ms"), "response");
		char a[7][32];

		printf("%8d %10s %12s %10s %10s %10s %10s %8s\n", s->scenario->rounds[i],
			figure(in(run, "result", "achieved_rate"), 1, a[0], 32),
			figure(in(run, "lag", "max"), 0, a[1], 32),
			figure(in(run, "lag", "seconds_max"), 2, a[2], 32),
			figure(in(run, "lag", "drain_seconds"), 2, a[3], 32),
			figure(json_object_get(response, "p50"), 2, a[4], 32),
			figure(json_object_get(response, "p99"), 2, a[5], 32),
			figure(in(run, "account", "lost"), 0, a[6], 32));
	}
}

static int run_rounds(struct session *s, struct errmsg *msg)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < s->scenario->rounds_count; i++) {
		struct summary summary;
		bool stopped;

		printf("\nround %zu of %zu: %d worker%s\n", i + 1, s->scenario->rounds_count,
			s->scenario->rounds[i], s->scenario->rounds[i] == 1 ? "" : "s");
		fflush(stdout);
		err = set_workers(s, s->scenario->rounds[i], msg);
		if (stop_signal()) {
			s->code = EXIT_SIGNAL;
			err = 0; /* it may be what was not waited for */
			break;
		}
		if (err != 0)
			return err; /* rounds that are all alike would compare nothing */
		err = run_one(s, s->thresholds, &summary, msg);
		stopped = summary.stopped;
		summary_release(&summary);
		if (s->about.exit_code > s->code)
			s->code = s->about.exit_code;
		if (stopped)
			break;
	}
	put_rounds(s);
	return err;
}

/* --- the search --- */

struct probe {
	bool good, stopped;
	char why[160];
};

/* Does this run show a rate that holds? */
static void judge(const struct session *s, const struct summary *summary, struct probe *probe)
{
	double limit = s->scenario->search.lag_seconds;
	double offered = summary_offered_rate(summary), got = summary_achieved_rate(summary);
	double behind = summary->stats.lag_seconds_max;

	probe->stopped = summary->stopped;
	probe->good = false;
	if (summary->stopped)
		snprintf(probe->why, sizeof(probe->why), "stopped");
	else if (summary_errors(summary))
		snprintf(probe->why, sizeof(probe->why), "%.2f %% errors",
			100 * summary_error_rate(summary));
	else if (got < 0.97 * offered)
		snprintf(probe->why, sizeof(probe->why), "answered only %.0f/s", got);
	else if (isnan(behind))
		snprintf(probe->why, sizeof(probe->why), "lag in seconds unknown");
	else if (behind >= limit)
		snprintf(probe->why, sizeof(probe->why), "lag %.2f s", behind);
	else if (summary->drain_asked && !summary->drained)
		snprintf(probe->why, sizeof(probe->why), "did not drain");
	else {
		probe->good = true;
		snprintf(probe->why, sizeof(probe->why), "lag %.2f s", behind);
	}
}

static int probe_rate(
	struct session *s, double rate, json_t *steps, struct probe *probe, struct errmsg *msg)
{
	static const struct thresholds none;
	struct summary summary;
	char *stages = mem_printf("%s:%.0f,0s", s->scenario->search.hold, rate);
	int err = stages_parse(&s->run->stages, stages, msg);

	free(stages);
	if (err != 0)
		return err;
	stages_speed_up(&s->run->stages, s->speedup);
	err = run_one(s, &none, &summary, msg);
	if (err == 0)
		judge(s, &summary, probe);
	summary_release(&summary);
	if (err != 0)
		return err;
	printf("%.0f/s  %s: %s\n", rate, probe->good ? "holds" : "too much", probe->why);
	fflush(stdout);
	json_array_append_new(steps, json_pack("{s:f, s:b, s:s}", "rate", rate, "holds",
					     probe->good, "why", probe->why));
	return err;
}

/* Rates that hold and that do not; 0: none was found yet. */
struct bounds {
	double low, high;
};

static int search(struct session *s, struct bounds *b, json_t *steps, struct errmsg *msg)
{
	const struct scenario_search *k = &s->scenario->search;
	double rate = k->from;

	for (;;) {
		struct probe probe;
		int err = probe_rate(s, rate, steps, &probe, msg);

		if (err != 0)
			return err;
		if (probe.stopped || stop_signal()) {
			s->code = EXIT_SIGNAL;
			return 0;
		}
		*(probe.good ? &b->low : &b->high) = rate;
		if (b->high == 0 && rate >= k->to)
			return 0; /* nothing in the range is too much */
		if (b->low == 0)
			return 0; /* not even the first */
		if (b->high == 0) {
			rate = fmin(rate * k->factor, k->to);
			continue;
		}
		rate = floor((b->low + b->high) / 2);
		if (rate <= b->low || b->high - b->low <= k->precision * b->low)
			return 0; /* near enough, or neighbours: nothing lies between */
	}
}

static int run_search(struct session *s, struct errmsg *msg)
{
	struct bounds b = {0, 0};
	json_t *steps = json_array();
	int err = 0;

	if (!s->run->lag_url.host && !s->run->observer)
		err = errmsg_set(
			msg, ERR_CONFIG, "the search needs the lag: give lag.url or lag.group");
	else {
		try_workers(s);
		if (stop_signal())
			s->code = EXIT_SIGNAL;
		else
			err = search(s, &b, steps, msg);
	}
	s->search = json_pack("{s:o, s:o, s:f, s:o}", "holds",
		b.low > 0 ? json_real(b.low) : json_null(), "too_much",
		b.high > 0 ? json_real(b.high) : json_null(), "lag_seconds",
		s->scenario->search.lag_seconds, "steps", steps);
	if (err != 0)
		return err;
	if (b.low > 0 && b.high > 0)
		printf("\nknee             %.0f/s holds, %.0f/s is too much (lag below %.2f "
		       "s)\n",
			b.low, b.high, s->scenario->search.lag_seconds);
	else if (b.low > 0)
		printf("\nknee             above %.0f/s, the end of the range\n", b.low);
	else
		printf("\nknee             below %.0f/s, the start of the range\n",
			s->scenario->search.from);
	if (b.low == 0 && s->code == 0)
		s->code = EXIT_THRESHOLD;
	return 0;
}

int session_run(struct session *s, struct errmsg *msg)
{
	s->runs = json_array();
	s->about.workers = -1;
	if (s->scenario && s->scenario->searches)
		return run_search(s, msg);
	if (s->scenario && s->scenario->rounds_count)
		return run_rounds(s, msg);
	return run_single(s, msg);
}

json_t *session_document(const struct session *s)
{
	if (!s->search && json_array_size(s->runs) == 1)
		return json_incref(json_array_get(s->runs, 0));
	return json_pack("{s:s, s:O*, s:O}", "schema", "wt-loadgen/1-set", "search", s->search,
		"runs", s->runs);
}

void session_release(struct session *s)
{
	json_decref(s->runs);
	json_decref(s->search);
	s->runs = s->search = NULL;
}
