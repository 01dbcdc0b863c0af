#include "loadgen/report.h"

#include "loadgen/live.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Thousands apart: 30 412. Returns one of four buffers. */
static const char *grouped(uint64_t value)
{
	static char buffers[4][32];
	static int turn;
	char digits[24], *out = buffers[turn++ % 4], *to = out;
	int count = snprintf(digits, sizeof(digits), "%" PRIu64, value);

	for (int i = 0; i < count; i++) {
		if (i && (count - i) % 3 == 0)
			*to++ = ' ';
		*to++ = digits[i];
	}
	*to = 0;
	return out;
}

static void put_times(FILE *out, const char *name, const struct histogram *h)
{
	static const double at[] = {50, 90, 99, 99.9, 100};
	char text[24];

	fprintf(out, "  %-14s", name);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		fprintf(out, "%11s",
			live_time(histogram_count(h) ? histogram_percentile_us(h, at[i]) : -1,
				text, sizeof(text)));
	fprintf(out, "%11s\n",
		live_time(histogram_count(h) ? (int64_t)histogram_mean_us(h) : -1, text,
			sizeof(text)));
}

static void put_visible(FILE *out, const struct summary *s)
{
	static const char *const names[] = {"MySQL", "Redis"};

	if (!s->visible)
		return;
	put_times(out, "until in MySQL", visible_times(s->visible, VISIBLE_MYSQL));
	put_times(out, "until in Redis", visible_times(s->visible, VISIBLE_REDIS));
	fprintf(out, "visible          %s sampled", grouped(visible_sampled(s->visible)));
	for (int i = 0; i < VISIBLE_STORES; i++) {
		const char *first;
		uint64_t missing = visible_missing(s->visible, (enum visible_store)i, &first);
		const char *why = visible_unknown(s->visible, (enum visible_store)i);

		if (why)
			fprintf(out, "; of %s it is not known whether they are in %s (%s)",
				grouped(missing), names[i], why);
		else if (missing)
			fprintf(out, "; %s not found in %s (%s)", grouped(missing), names[i],
				first);
	}
	fputc('\n', out);
}

static void put_errors(FILE *out, const struct summary *s)
{
	fprintf(out, "errors           %s (%.4f %% of all)", grouped(summary_errors(s)),
		100 * summary_error_rate(s));
	for (int i = HTTP_REFUSED; i < HTTP_OUTCOMES; i++) {
		if (s->stats.outcomes[i])
			fprintf(out, "  %s %s", stats_outcome_name((enum http_outcome)i),
				grouped(s->stats.outcomes[i]));
	}
	for (int i = 100; i < 600; i++) {
		if (s->stats.statuses[i] && (i < 200 || i >= 300))
			fprintf(out, "  HTTP %d: %s", i, grouped(s->stats.statuses[i]));
	}
	if (s->counts.dropped)
		fprintf(out, "  dropped %s", grouped(s->counts.dropped));
	fputc('\n', out);
}

static void put_lag(FILE *out, const struct summary *s)
{
	if (!s->stats.lag_seen)
		return;
	fprintf(out, "lag              ");
	if (s->stats.lag_max < 0)
		fprintf(out, "n/a");
	else
		fprintf(out, "highest %s records", grouped((uint64_t)s->stats.lag_max));
	if (!isnan(s->stats.lag_seconds_max))
		fprintf(out, ", %.2f s", s->stats.lag_seconds_max);
	if (s->stats.lag_unknown)
		fprintf(out, "; unknown in %s of %s looks", grouped(s->stats.lag_unknown),
			grouped(s->stats.lag_looks));
	if (!s->stats.lag.known)
		fprintf(out, "; at the end n/a (%s)", s->stats.lag.why);
	else
		fprintf(out, "; at the end %s", grouped((uint64_t)s->stats.lag.total));
	fputc('\n', out);
	if (s->drained)
		fprintf(out, "drained          %.2f s after the last request\n",
			s->drain_seconds);
	else if (s->drain_asked)
		fprintf(out, "drained          no\n");
}

#define LOST_SHOWN 20

/* Every acknowledged id: applied, dead-lettered, pending or lost; the lost by name. */
static void put_checked(FILE *out, const struct check_result *c)
{
	if (!c->done)
		return;
	fprintf(out, "checked          %s ids: %s applied", grouped(c->ids),
		grouped(c->applied));
	fprintf(out, ", %s dead-lettered, %s pending, %s lost\n", grouped(c->deadlettered),
		grouped(c->pending), grouped(c->lost));
	if (c->unchecked)
		fprintf(out, "                 %s came after the cap and were not checked\n",
			grouped(c->unchecked));
	if (c->letters_unknown[0])
		fprintf(out, "                 dead letters n/a (%s)\n", c->letters_unknown);
	for (size_t i = 0; i < c->listed && i < LOST_SHOWN; i++) {
		const struct check_lost *lost = &c->list[i];

		fprintf(out, "lost             %s  %s %d @ %" PRId64 "  not in %s\n", lost->id,
			lost->topic, lost->partition, lost->offset,
			lost->in_mysql	 ? "Redis"
			: lost->in_redis ? "MySQL"
					 : "MySQL, Redis");
	}
	if (c->lost > LOST_SHOWN)
		fprintf(out, "                 and %s more\n", grouped(c->lost - LOST_SHOWN));
}

/* Acknowledged records that the consumer has not passed, by name. */
static void put_missing(FILE *out, const struct summary *s)
{
	if (!s->account_known) {
		if (s->stats.lag_seen)
			fprintf(out, "account          n/a (%s)\n",
				s->stats.without_position ? "answers name no offset"
							  : "committed offsets unknown");
		return;
	}
	fprintf(out, "account          lost %s  pending %s", grouped(s->lost),
		grouped(s->pending));
	if (summary_deadlettered(s) >= 0)
		fprintf(out, "  dead-lettered %s", grouped((uint64_t)summary_deadlettered(s)));
	fputc('\n', out);
	for (const struct acks_partition *p = NULL; (p = acks_next(s->acks, p));) {
		const struct look_partition *v =
			lag_look_find(&s->stats.lag, acks_topic(p), acks_partition_id(p));
		int64_t lowest;
		uint64_t behind =
			v && v->committed >= 0 ? acks_beyond(p, v->committed, &lowest) : 0;

		if (behind)
			fprintf(out,
				"                 %s partition %d: %s acknowledged records not "
				"passed, from offset %" PRId64 " on\n",
				acks_topic(p), acks_partition_id(p), grouped(behind), lowest);
	}
}

static void put_thresholds(FILE *out, const struct thresholds *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct threshold *one = &t->list[i];

		fprintf(out, "threshold        %-28s %s", one->text,
			one->holds ? "ok" : "FAILED");
		if (isnan(one->value))
			fprintf(out, one->holds ? "  (not judged: answers name no offset)\n"
						: "  (unknown in this run)\n");
		else
			fprintf(out, "  (%.6g)\n", one->value);
	}
}

static void put_rates(FILE *out, const struct summary *s)
{
	double offered = summary_offered_rate(s), achieved = summary_achieved_rate(s);

	fprintf(out, "rate             offered %.1f/s, achieved %.1f/s over %.1f s\n", offered,
		achieved, s->seconds);
	if (offered > 0 && achieved < 0.99 * offered)
		fprintf(out,
			"                 the answers fell short of the offered rate by %.1f "
			"%%\n",
			100 * (1 - achieved / offered));
	fprintf(out,
		"late             %s sent more than 1 ms after they were due, %s waited for a "
		"connection, %s dropped\n",
		grouped(s->stats.late), grouped(s->counts.waited), grouped(s->counts.dropped));
}

void report_text(const struct summary *s, const struct thresholds *t, FILE *out)
{
	char *stages = stages_text(&s->schedule.stages);

	fprintf(out, "\nstages           %s\n", stages);
	free(stages);
	fprintf(out, "requests         due %s  sent %s  acknowledged %s",
		grouped(s->counts.due), grouped(s->counts.sent),
		grouped(s->stats.acknowledged));
	fprintf(out, "  distinct keys %s\n", grouped(s->distinct));
	put_rates(out, s);
	put_errors(out, s);
	if (s->abandoned || s->counts.cancelled)
		fprintf(out, "cut off          %s in flight, %s waiting\n",
			grouped(s->abandoned), grouped(s->counts.cancelled));
	if (s->stats.answered_twice || s->stats.odd_positions)
		fprintf(out, "odd answers      %s name an offset twice, %s one far off\n",
			grouped(s->stats.answered_twice), grouped(s->stats.odd_positions));
	fprintf(out, "  %-14s%11s%11s%11s%11s%11s%11s\n", "time", "p50", "p90", "p99", "p99.9",
		"max", "mean");
	put_times(out, "response", s->stats.response);
	put_times(out, "service", s->stats.service);
	put_times(out, "send delay", s->stats.send_delay);
	put_visible(out, s);
	put_lag(out, s);
	put_missing(out, s);
	put_checked(out, &s->check);
	put_thresholds(out, t);
	if (s->stopped)
		fprintf(out, "stopped          by %s\n", strsignal(s->stopped));
	if (s->aborted)
		fprintf(out, "aborted          a threshold could no longer hold\n");
}
