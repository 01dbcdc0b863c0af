#include "loadgen/summary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void summary_init(struct summary *s)
{
	memset(s, 0, sizeof(*s));
	stats_init(&s->stats);
	s->acks = acks_new();
	s->drain_seconds = NAN;
}

void summary_release(struct summary *s)
{
	stats_release(&s->stats);
	acks_free(s->acks);
	visible_free(s->visible);
	check_release(&s->check);
	s->visible = NULL;
	s->acks = NULL;
}

static const struct look_partition *look_of(
	const struct lag_look *look, const struct acks_partition *p)
{
	return lag_look_find(look, acks_topic(p), acks_partition_id(p));
}

bool summary_all_passed(const struct summary *s, const struct lag_look *look)
{
	for (const struct acks_partition *p = NULL; (p = acks_next(s->acks, p));) {
		const struct look_partition *v = look_of(look, p);

		if (v && v->committed <= acks_last(p))
			return false;
	}
	return true;
}

void summary_account(struct summary *s)
{
	/* what names no offset cannot be followed */
	s->account_known = s->stats.lag.known && s->stats.without_position == 0;
	for (const struct acks_partition *p = NULL; (p = acks_next(s->acks, p));) {
		const struct look_partition *v = look_of(&s->stats.lag, p);
		uint64_t behind, beyond;
		int64_t lowest, from;

		if (!v || v->committed < 0) {
			s->account_known = false;
			continue;
		}
		behind = acks_beyond(p, v->committed, &lowest);
		/*
		 * What lies past the partition's end cannot be waited for, unless the group has
		 * passed it all the same (the topic was cut since); but an end that was seen
		 * before the last answer came says nothing (a run that was stopped).
		 */
		from = v->end > v->committed ? v->end : v->committed;
		beyond = v->end < 0 || s->stats.lag.asked_ns < s->stats.last_done_ns
				 ? 0
				 : acks_beyond(p, from, &lowest);
		s->lost += beyond;
		s->pending += behind - beyond;
	}
}

uint64_t summary_lost(const struct summary *s)
{
	return s->check.done && s->check.lost > s->lost ? s->check.lost : s->lost;
}

bool summary_lost_known(const struct summary *s)
{
	return s->account_known || s->check.done;
}

double summary_offered_rate(const struct summary *s)
{
	bool cut = s->stopped || s->aborted;
	double whole = schedule_seconds(&s->schedule);
	double seconds = cut ? fmin(whole, s->seconds) : whole;

	return seconds > 0 ? (double)s->counts.due / seconds : 0;
}

double summary_achieved_rate(const struct summary *s)
{
	double seconds = fmax(s->seconds, schedule_seconds(&s->schedule));

	if (s->stopped || s->aborted)
		seconds = s->seconds;
	return seconds > 0 ? (double)s->stats.outcomes[HTTP_ANSWERED] / seconds : 0;
}

uint64_t summary_errors(const struct summary *s)
{
	return s->stats.errors + s->counts.dropped;
}

static uint64_t tried(const struct summary *s)
{
	return s->stats.done + s->counts.dropped;
}

double summary_error_rate(const struct summary *s)
{
	return tried(s) ? (double)summary_errors(s) / (double)tried(s) : 0;
}

int64_t summary_deadlettered(const struct summary *s)
{
	int64_t before = s->stats.deadletters_before, now = s->stats.lag.deadletters;

	if (!s->stats.lag_seen || before < 0 || now < before)
		return -1;
	return now - before;
}

static double known_count(int64_t count)
{
	return count < 0 ? NAN : (double)count;
}

/* "p99_ms" = 99, "p999_ms" = 99.9, "max_ms" = 100; -1: none of these */
static double percentile_named(const char *name)
{
	size_t digits;
	double value;

	if (strcmp(name, "max_ms") == 0)
		return 100;
	if (*name++ != 'p')
		return -1;
	digits = strspn(name, "0123456789");
	if (digits < 1 || digits > 6 || strcmp(name + digits, "_ms") != 0)
		return -1;
	value = atof(name);
	if (value > 99 && value < 101 && digits == 3)
		return 100; /* the highest, not the tenth */
	return digits <= 2 ? value : value / pow(10, (double)digits - 2);
}

int64_t summary_invisible(const struct summary *s)
{
	const char *first;
	uint64_t mysql, redis;

	if (!s->visible || visible_unknown(s->visible, VISIBLE_MYSQL) ||
		visible_unknown(s->visible, VISIBLE_REDIS))
		return -1;
	mysql = visible_missing(s->visible, VISIBLE_MYSQL, &first);
	redis = visible_missing(s->visible, VISIBLE_REDIS, &first);
	return (int64_t)(mysql > redis ? mysql : redis);
}

static const struct histogram *times_in(const struct summary *s, enum visible_store store)
{
	return s->visible ? visible_times(s->visible, store) : NULL;
}

/* False: no such figure. A percentile of -1 is the mean; the histogram may be NULL. */
static bool time_named(const struct summary *s, const char *name, const struct histogram **h,
	double *percentile)
{
	const struct {
		const char *prefix;
		const struct histogram *h;
	} kinds[] = {{"http_", s->stats.response}, {"service_", s->stats.service},
		{"send_delay_", s->stats.send_delay},
		{"visible_mysql_", times_in(s, VISIBLE_MYSQL)},
		{"visible_redis_", times_in(s, VISIBLE_REDIS)}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t length = strlen(kinds[i].prefix);

		if (strncmp(name, kinds[i].prefix, length) != 0)
			continue;
		*h = kinds[i].h;
		*percentile = percentile_named(name + length);
		return *percentile >= 0 || strcmp(name + length, "mean_ms") == 0;
	}
	return false;
}

static bool time_metric(const struct summary *s, const char *name, double *value)
{
	const struct histogram *h;
	double percentile;

	if (!time_named(s, name, &h, &percentile))
		return false;
	*value = NAN;
	if (!h || histogram_count(h) == 0)
		return true;
	if (percentile < 0)
		*value = histogram_mean_us(h) / 1000;
	else
		*value = (double)histogram_percentile_us(h, percentile) / 1000;
	return true;
}

/* "errors_reset", "errors_503" */
static bool error_metric(const struct summary *s, const char *name, double *value)
{
	char *end;
	long code;

	if (strncmp(name, "errors_", 7) != 0)
		return false;
	for (int i = HTTP_REFUSED; i < HTTP_OUTCOMES; i++) {
		if (strcmp(name + 7, stats_outcome_name((enum http_outcome)i)) == 0) {
			*value = (double)s->stats.outcomes[i];
			return true;
		}
	}
	code = strtol(name + 7, &end, 10);
	if (end != name + 10 || *end || code < 100 || code > 599)
		return false;
	*value = (double)s->stats.statuses[code];
	return true;
}

bool summary_metric(const struct summary *s, const char *name, double *value)
{
	bool asked = s->drain_asked;
	const struct {
		const char *name;
		double value;
	} plain[] = {
		{"error_rate", summary_error_rate(s)},
		{"errors", (double)summary_errors(s)},
		{"dropped", (double)s->counts.dropped},
		{"late", (double)s->stats.late},
		{"sent", (double)s->counts.sent},
		{"waited", (double)s->counts.waited},
		{"cut_off", (double)(s->abandoned + s->counts.cancelled)},
		{"connects", (double)s->connects},
		{"seconds", s->seconds},
		{"offered_rate", summary_offered_rate(s)},
		{"distinct_keys", (double)s->distinct},
		{"without_position", (double)s->stats.without_position},
		{"answered_twice", (double)s->stats.answered_twice},
		{"lag_unknown", s->stats.lag_seen ? (double)s->stats.lag_unknown : NAN},
		{"acknowledged", (double)s->stats.acknowledged},
		{"rate", summary_achieved_rate(s)},
		{"achieved_ratio", summary_offered_rate(s) > 0
					   ? summary_achieved_rate(s) / summary_offered_rate(s)
					   : NAN},
		{"lag_max", known_count(s->stats.lag_max)},
		{"lag_seconds_max", s->stats.lag_seconds_max},
		{"lag_end", s->stats.lag.known ? (double)s->stats.lag.total : NAN},
		{"drain_seconds", asked && s->drained ? s->drain_seconds : NAN},
		{"lost", summary_lost_known(s) ? (double)summary_lost(s) : NAN},
		{"unchecked", s->check.done ? (double)s->check.unchecked : NAN},
		{"deadlettered", known_count(summary_deadlettered(s))},
		{"visible_missing", known_count(summary_invisible(s))},
		{"pending", s->account_known ? (double)s->pending : NAN},
	};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (strcmp(name, plain[i].name) == 0) {
			*value = plain[i].value;
			return true;
		}
	}
	return error_metric(s, name, value) || time_metric(s, name, value);
}

const char *summary_metric_names(void)
{
	return "http_pN_ms, http_mean_ms, http_max_ms (also service_, send_delay_, "
	       "visible_mysql_, visible_redis_; N = 50, 99, 999 ...), error_rate, errors, "
	       "dropped, late, acknowledged, rate, achieved_ratio, lag_max, lag_seconds_max, "
	       "lag_end, lag_unknown, drain_seconds, lost, pending, unchecked, deadlettered, "
	       "visible_missing, sent, waited, cut_off, connects, seconds, offered_rate, "
	       "distinct_keys, without_position, answered_twice, errors_refused, "
	       "errors_reset, errors_timeout, errors_malformed, errors_tls, errors_503 "
	       "(or another code)";
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

/* How many more there can be. Of random arrivals only the mean is known: five deviations more. */
static double still_to_come(const struct summary *s)
{
	double all = (double)schedule_total(&s->schedule);

	if (s->schedule.arrivals == ARRIVALS_POISSON)
		all += 5 * sqrt(all);
	return fmax(all - (double)tried(s), 0);
}

/* As if all that is still to come took no time at all. */
static double time_at_least(const struct summary *s, const char *name)
{
	const struct histogram *h;
	double percentile, count, rest = still_to_come(s), rank;

	/* what is looked for in the stores belongs to other threads until the end */
	if (strncmp(name, "visible_", 8) == 0 || !time_named(s, name, &h, &percentile))
		return NAN;
	count = (double)histogram_count(h);
	if (count <= 0)
		return NAN;
	if (percentile < 0)
		return histogram_mean_us(h) / 1000 * count / (count + rest);
	rank = ceil(percentile / 100 * (count + rest)) - rest;
	return rank < 1 ? NAN : (double)histogram_percentile_us(h, 100 * rank / count) / 1000;
}

double summary_at_least(const struct summary *s, const char *name)
{
	static const char *const only_grow[] = {"errors", "dropped", "late", "waited",
		"without_position", "answered_twice", "lag_unknown", "lag_max",
		"lag_seconds_max", NULL};
	double all = (double)tried(s) + still_to_come(s), value;

	if (strcmp(name, "error_rate") == 0)
		return all > 0 ? (double)summary_errors(s) / all : 0;
	if (is_one_of(name, only_grow) || strncmp(name, "errors_", 7) == 0)
		return summary_metric(s, name, &value) ? value : NAN;
	return time_at_least(s, name);
}

bool summary_metric_needs_lag(const char *name)
{
	static const char *const of_lag[] = {"lag_max", "lag_seconds_max", "lag_end",
		"lag_unknown", "drain_seconds", "lost", "pending", "deadlettered", NULL};

	return is_one_of(name, of_lag);
}

bool summary_metric_needs_positions(const char *name)
{
	static const char *const of_places[] = {"lost", "pending", NULL};

	return is_one_of(name, of_places);
}
