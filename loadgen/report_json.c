/* The JSON report; every field is described in docs/loadgen.md. Unknown is null, never 0. */
#include "loadgen/report.h"

#include "common/mem.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *count_or_null(int64_t value)
{
	return value < 0 ? json_null() : json_integer(value);
}

static json_t *us_as_ms(int64_t us)
{
	return us < 0 ? json_null() : json_real((double)us / 1000);
}

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* A command line may hold any bytes, JSON may not: what is no UTF-8 has its bytes replaced. */
static json_t *text_json(const char *text)
{
	json_t *made = json_string(text);
	char *plain;

	if (made)
		return made;
	plain = mem_strdup(text);
	for (char *c = plain; *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	made = json_string(plain);
	free(plain);
	return made;
}

static json_t *about_json(const struct summary *s, const struct report_about *about)
{
	char *stages = stages_text(&s->schedule.stages);
	char host[256] = "", started[40] = "";
	time_t at = (time_t)(s->started_ms / 1000);
	struct tm tm;
	json_t *made;

	gethostname(host, sizeof(host) - 1);
	if (gmtime_r(&at, &tm))
		strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", &tm);
	made = json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:i, s:o, s:o, s:o, s:s, s:I}",
		"program", "wt-loadgen", "version", WT_VERSION, "command",
		text_json(about->command), "scenario", text_json(about->scenario), "url",
		text_json(about->url), "stages", stages, "arrivals", about->arrivals,
		"connections", about->connections, "keys", integer(about->keys), "seed",
		integer(about->seed), "key_prefix", text_json(about->key_prefix), "started",
		started, "cores", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN));
	json_object_set_new(made, "host", text_json(host));
	json_object_set_new(
		made, "load_average", json_pack("[f, f]", s->load_before, s->load_after));
	json_object_set_new(made, "workers",
		about->workers < 0 ? json_null() : json_integer(about->workers));
	free(stages);
	return made;
}

static void add_point(void *ctx, int64_t value_us, double percentile, uint64_t count)
{
	json_t *points = ctx;

	(void)count;
	json_array_append_new(points, json_pack("[f, f]", percentile, (double)value_us / 1000));
}

static json_t *times_json(const struct histogram *h)
{
	static const struct {
		const char *name;
		double at;
	} points[] = {{"p50", 50}, {"p75", 75}, {"p90", 90}, {"p95", 95}, {"p99", 99},
		{"p999", 99.9}, {"p9999", 99.99}, {"max", 100}};
	json_t *made = json_object(), *curve = json_array();
	bool any = histogram_count(h) > 0;

	json_object_set_new(made, "count", integer(histogram_count(h)));
	json_object_set_new(made, "mean", number(any ? histogram_mean_us(h) / 1000 : NAN));
	json_object_set_new(made, "min", us_as_ms(any ? histogram_min_us(h) : -1));
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		json_object_set_new(made, points[i].name,
			us_as_ms(any ? histogram_percentile_us(h, points[i].at) : -1));
	histogram_walk(h, add_point, curve);
	json_object_set_new(made, "curve", curve);
	return made;
}

static json_t *errors_json(const struct summary *s)
{
	json_t *made = json_object(), *statuses = json_object();
	char code[16];

	json_object_set_new(made, "total", integer(summary_errors(s)));
	json_object_set_new(made, "rate", number(summary_error_rate(s)));
	for (int i = HTTP_REFUSED; i < HTTP_OUTCOMES; i++)
		json_object_set_new(made, stats_outcome_name((enum http_outcome)i),
			integer(s->stats.outcomes[i]));
	for (int i = 100; i < 600; i++) {
		snprintf(code, sizeof(code), "%d", i);
		if (s->stats.statuses[i] && (i < 200 || i >= 300))
			json_object_set_new(statuses, code, integer(s->stats.statuses[i]));
	}
	json_object_set_new(made, "http", statuses);
	return made;
}

static json_t *requests_json(const struct summary *s)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "due",
		integer(s->counts.due), "sent", integer(s->counts.sent), "answered",
		integer(s->stats.outcomes[HTTP_ANSWERED]), "acknowledged",
		integer(s->stats.acknowledged), "distinct_keys", integer(s->distinct),
		"without_position", integer(s->stats.without_position), "answered_twice",
		integer(s->stats.answered_twice), "late", integer(s->stats.late), "waited",
		integer(s->counts.waited), "dropped", integer(s->counts.dropped), "cut_off",
		integer(s->abandoned + s->counts.cancelled), "connects", integer(s->connects));
}

static json_t *partitions_json(const struct summary *s)
{
	json_t *made = json_array();

	for (const struct acks_partition *p = NULL; (p = acks_next(s->acks, p));)
		json_array_append_new(
			made, json_pack("{s:s, s:i, s:o, s:I, s:I}", "topic", acks_topic(p),
				      "partition", acks_partition_id(p), "acknowledged",
				      integer(acks_count(p)), "first_offset",
				      (json_int_t)acks_first(p), "last_offset",
				      (json_int_t)acks_last(p)));
	return made;
}

static json_t *lag_json(const struct summary *s)
{
	json_t *ids = json_array(), *ends = json_array();
	const struct lag_look *lag = &s->stats.lag;

	if (!s->stats.lag_seen) {
		json_decref(ids);
		json_decref(ends);
		return json_null();
	}
	for (size_t i = 0; i < lag->count; i++) {
		json_array_append_new(ids, json_integer(lag->partitions[i].id));
		json_array_append_new(
			ends, json_pack("{s:i, s:s, s:o, s:o, s:o}", "partition",
				      lag->partitions[i].id, "topic", lag->partitions[i].topic,
				      "end", count_or_null(lag->partitions[i].end), "committed",
				      count_or_null(lag->partitions[i].committed), "lag",
				      count_or_null(lag->partitions[i].lag)));
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "max",
		count_or_null(s->stats.lag_max), "seconds_max",
		number(s->stats.lag_seconds_max), "end", count_or_null(lag->total), "looks",
		integer(s->stats.lag_looks), "unknown", integer(s->stats.lag_unknown),
		"drained", s->drain_asked ? json_boolean(s->drained) : json_null(),
		"drain_seconds", number(s->drain_seconds), "partitions", ids, "at_end", ends);
}

static json_t *checked_json(const struct check_result *c)
{
	json_t *list = json_array(), *made;

	if (!c->done) {
		json_decref(list);
		return json_null();
	}
	for (size_t i = 0; i < c->listed; i++)
		json_array_append_new(list,
			json_pack("{s:o, s:o, s:i, s:I, s:b, s:b}", "id",
				text_json(c->list[i].id), "topic", text_json(c->list[i].topic),
				"partition", c->list[i].partition, "offset",
				(json_int_t)c->list[i].offset, "in_mysql", c->list[i].in_mysql,
				"in_redis", c->list[i].in_redis));
	made = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "ids",
		integer(c->ids), "applied", integer(c->applied), "deadlettered",
		integer(c->deadlettered), "pending", integer(c->pending), "lost",
		integer(c->lost), "unchecked", integer(c->unchecked), "missing_mysql",
		integer(c->missing_mysql), "missing_redis", integer(c->missing_redis),
		"lost_ids", list);
	json_object_set_new(made, "letters_unknown",
		c->letters_unknown[0] ? json_string(c->letters_unknown) : json_null());
	return made;
}

static json_t *account_json(const struct summary *s)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "deadlettered",
		count_or_null(summary_deadlettered(s)), "lost",
		summary_lost_known(s) ? integer(summary_lost(s)) : json_null(), "pending",
		s->account_known ? integer(s->pending) : json_null(), "checked",
		checked_json(&s->check));
}

static json_t *visible_json(const struct summary *s)
{
	const char *mysql, *redis, *why = NULL;

	if (!s->visible)
		return json_null();
	visible_missing(s->visible, VISIBLE_MYSQL, &mysql);
	visible_missing(s->visible, VISIBLE_REDIS, &redis);
	for (int i = 0; i < VISIBLE_STORES && !why; i++)
		why = visible_unknown(s->visible, (enum visible_store)i);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "unknown",
		why ? text_json(why) : json_null(), "sampled",
		integer(visible_sampled(s->visible)), "missing",
		count_or_null(summary_invisible(s)), "first_missing_mysql", text_json(mysql),
		"first_missing_redis", text_json(redis), "mysql",
		times_json(visible_times(s->visible, VISIBLE_MYSQL)), "redis",
		times_json(visible_times(s->visible, VISIBLE_REDIS)));
}

static json_t *thresholds_json(const struct thresholds *t)
{
	json_t *made = json_array();

	for (size_t i = 0; i < t->count; i++)
		json_array_append_new(made,
			json_pack("{s:s, s:s, s:f, s:o, s:b}", "threshold", t->list[i].text,
				"name", t->list[i].name, "limit", t->list[i].limit, "value",
				number(t->list[i].value), "holds", t->list[i].holds));
	return made;
}

static json_t *row_json(const struct stats_row *row)
{
	json_t *lags = json_array();
	json_t *made = json_pack("{s:f, s:f, s:f, s:o, s:o, s:o, s:o, s:o, s:i, s:o}", "t",
		row->at_seconds, "seconds", row->seconds, "target_rate", row->target_rate,
		"due", integer(row->due), "sent", integer(row->sent), "ok", integer(row->ok),
		"errors", integer(row->errors), "dropped", integer(row->dropped), "in_flight",
		row->in_flight, "backlog", integer(row->backlog));

	json_object_set_new(made, "p50", us_as_ms(row->p50_us));
	json_object_set_new(made, "p90", us_as_ms(row->p90_us));
	json_object_set_new(made, "p99", us_as_ms(row->p99_us));
	json_object_set_new(made, "max", us_as_ms(row->max_us));
	json_object_set_new(made, "service_p99", us_as_ms(row->service_p99_us));
	json_object_set_new(made, "send_delay_p99", us_as_ms(row->send_delay_p99_us));
	json_object_set_new(made, "lag", count_or_null(row->lag));
	json_object_set_new(made, "lag_seconds", number(row->lag_seconds));
	json_object_set_new(made, "workers", count_or_null(row->workers));
	for (size_t i = 0; i < row->lag_count; i++)
		json_array_append_new(lags, count_or_null(row->lags[i]));
	json_object_set_new(made, "lags", lags);
	return made;
}

static json_t *series_json(const struct stats *stats)
{
	json_t *made = json_array();

	for (size_t i = 0; i < stats->rows_count; i++)
		json_array_append_new(made, row_json(&stats->rows[i]));
	return made;
}

static json_t *marks_json(const struct stats *stats)
{
	json_t *made = json_array();

	for (size_t i = 0; i < stats->marks_count; i++)
		json_array_append_new(
			made, json_pack("{s:f, s:s}", "t", stats->marks[i].at_seconds, "text",
				      stats->marks[i].text));
	return made;
}

static json_t *result_json(const struct summary *s, const struct report_about *about)
{
	const char *ended = s->stopped ? "stopped" : s->aborted ? "aborted" : "complete";

	return json_pack("{s:s, s:o, s:i, s:f, s:f, s:f}", "ended", ended, "signal",
		s->stopped ? json_integer(s->stopped) : json_null(), "exit_code",
		about->exit_code, "seconds", s->seconds, "offered_rate",
		summary_offered_rate(s), "achieved_rate", summary_achieved_rate(s));
}

json_t *report_make_json(
	const struct summary *s, const struct thresholds *t, const struct report_about *about)
{
	json_t *root = json_object(), *times = json_object();

	json_object_set_new(root, "schema", json_string("wt-loadgen/1"));
	json_object_set_new(root, "run", about_json(s, about));
	json_object_set_new(root, "result", result_json(s, about));
	json_object_set_new(root, "requests", requests_json(s));
	json_object_set_new(root, "errors", errors_json(s));
	json_object_set_new(times, "response", times_json(s->stats.response));
	json_object_set_new(times, "service", times_json(s->stats.service));
	json_object_set_new(times, "send_delay", times_json(s->stats.send_delay));
	json_object_set_new(root, "times_ms", times);
	json_object_set_new(root, "lag", lag_json(s));
	json_object_set_new(root, "account", account_json(s));
	json_object_set_new(root, "visible", visible_json(s));
	json_object_set_new(root, "partitions", partitions_json(s));
	json_object_set_new(root, "thresholds", thresholds_json(t));
	json_object_set_new(root, "marks", marks_json(&s->stats));
	json_object_set_new(root, "series", series_json(&s->stats));
	return root;
}

int report_json(const char *path, const json_t *document, struct errmsg *msg)
{
	if (json_dump_file(document, path, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) != 0)
		return errmsg_set(msg, ERR_IO, "option report.json: cannot write %s: %s", path,
			strerror(errno));
	return 0;
}
