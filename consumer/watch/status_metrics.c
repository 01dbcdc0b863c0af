#include "consumer/watch/status_metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct metric_row rows[] = {
#define METRIC METRIC_ROW
#include "consumer/watch/metrics.def"
#undef METRIC
};

#define NO_LABELS "%s", ""

enum {
#define METRIC METRIC_ID
#include "consumer/watch/metrics.def"
#undef METRIC
};

#define FAMILY(w, name) metrics_family(w, &rows[METRIC_##name])

/* One gauge per partition of the group; which figure of it is the caller's. */
static void each(struct metrics_writer *w, const struct picture *p, int id, bool with_group,
	double (*figure)(const struct lag_view *view))
{
	char topic[LAG_TOPIC_BYTES], group[512];
	metrics_escape(p->pool.group, group, sizeof(group));
	metrics_family(w, &rows[id]);
	for (size_t i = 0; i < p->lag.count; i++) {
		const struct lag_partition *part = &p->lag.partitions[i];
		double value = figure(&part->view);
		if (isnan(value))
			continue;
		metrics_escape(part->topic, topic, sizeof(topic));
		if (with_group)
			metrics_sample(w, value,
				"consumergroup=\"%s\",topic=\"%s\",partition=\"%d\"", group,
				topic, (int)part->partition);
		else
			metrics_sample(w, value, "topic=\"%s\",partition=\"%d\"", topic,
				(int)part->partition);
	}
}

static double known(int64_t offset)
{
	return offset < 0 ? NAN : (double)offset;
}

static double get_lag(const struct lag_view *v)
{
	return known(v->lag);
}
static double get_committed(const struct lag_view *v)
{
	return known(v->committed);
}
static double get_end(const struct lag_view *v)
{
	return known(v->end);
}
static double get_low(const struct lag_view *v)
{
	return known(v->low);
}
static double get_seconds(const struct lag_view *v)
{
	return v->lag_seconds;
}
static double get_eta(const struct lag_view *v)
{
	return v->eta_seconds;
}
static double get_in(const struct lag_view *v)
{
	return v->rate_in;
}
static double get_out(const struct lag_view *v)
{
	return v->rate_out;
}

/* Partitions stand by topic: a sum for each run of the same one, if all of it is known. */
static void write_sums(struct metrics_writer *w, const struct picture *p)
{
	char topic[LAG_TOPIC_BYTES], group[512];
	metrics_escape(p->pool.group, group, sizeof(group));
	FAMILY(w, group_lag_sum);
	for (size_t i = 0, next; i < p->lag.count; i = next) {
		const char *name = p->lag.partitions[i].topic;
		double sum = 0;
		for (next = i;
			next < p->lag.count && !strcmp(p->lag.partitions[next].topic, name);
			next++) {
			const struct lag_view *v = &p->lag.partitions[next].view;
			sum += v->lag < 0 && v->low == v->end && v->end >= 0 ? 0 : get_lag(v);
		}
		metrics_escape(name, topic, sizeof(topic));
		if (!isnan(sum))
			metrics_sample(
				w, sum, "consumergroup=\"%s\",topic=\"%s\"", group, topic);
	}
}

static void write_states(struct metrics_writer *w, const struct picture *p)
{
	char topic[LAG_TOPIC_BYTES];
	FAMILY(w, lag_state);
	for (size_t i = 0; i < p->lag.count; i++) {
		const struct lag_partition *part = &p->lag.partitions[i];
		metrics_escape(part->topic, topic, sizeof(topic));
		for (enum lag_state s = LAG_OK; s <= LAG_STATE_UNKNOWN; s++)
			metrics_sample(w, part->view.state == s,
				"topic=\"%s\",partition=\"%d\",state=\"%s\"", topic,
				(int)part->partition, lag_state_name(s));
	}
}

static void write_lag(struct metrics_writer *w, const struct picture *p)
{
	char group[512];
	each(w, p, METRIC_group_lag, true, get_lag);
	write_sums(w, p);
	each(w, p, METRIC_group_offset, true, get_committed);
	FAMILY(w, group_members);
	if (p->lag.members >= 0)
		metrics_sample(w, p->lag.members, "consumergroup=\"%s\"",
			metrics_escape(p->pool.group, group, sizeof(group)));
	each(w, p, METRIC_topic_end, false, get_end);
	each(w, p, METRIC_topic_oldest, false, get_low);
	each(w, p, METRIC_lag_seconds, false, get_seconds);
	each(w, p, METRIC_drain_eta, false, get_eta);
	each(w, p, METRIC_rate_in, false, get_in);
	each(w, p, METRIC_rate_out, false, get_out);
	write_states(w, p);
	FAMILY(w, lag_known);
	if (p->lag.age_ms >= 0)
		metrics_sample(w, (double)(p->wall_ms - p->lag.age_ms) / 1000, NO_LABELS);
}

static void write_named(struct metrics_writer *w, int id, const struct named_counter *counters,
	int count, const char *label, const char *detail)
{
	char a[128], b[128];
	metrics_family(w, &rows[id]);
	for (int i = 0; i < count; i++) {
		metrics_escape(counters[i].label, a, sizeof(a));
		metrics_escape(counters[i].detail ? counters[i].detail : "", b, sizeof(b));
		if (detail)
			metrics_sample(w, (double)counters[i].value, "%s=\"%s\",%s=\"%s\"",
				label, a, detail, b);
		else
			metrics_sample(w, (double)counters[i].value, "%s=\"%s\"", label, a);
	}
}

static void write_partitions(struct metrics_writer *w, const struct snapshot *s)
{
	static const char *const modes[] = {
		"running", "claiming", "checking", "catching up", "healing", "stopped"};
	char topic[LAG_TOPIC_BYTES];
	FAMILY(w, applied);
	for (int i = 0; i < s->partition_count; i++)
		metrics_sample(w, (double)s->partitions[i].applied,
			"topic=\"%s\",partition=\"%d\"",
			metrics_escape(s->partitions[i].topic, topic, sizeof(topic)),
			(int)s->partitions[i].partition);
	FAMILY(w, cache_ratio);
	for (int i = 0; i < s->partition_count; i++)
		if (s->partitions[i].cache_ratio >= 0) /* unknown has no sample */
			metrics_sample(w, s->partitions[i].cache_ratio,
				"topic=\"%s\",partition=\"%d\"",
				metrics_escape(s->partitions[i].topic, topic, sizeof(topic)),
				(int)s->partitions[i].partition);
	FAMILY(w, partitions);
	for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
		int count = 0;
		for (int i = 0; i < s->partition_count; i++)
			count += strcmp(s->partitions[i].mode, modes[m]) == 0;
		metrics_sample(w, count, "mode=\"%s\"", modes[m]);
	}
}

static void write_meters(
	struct metrics_writer *w, const struct picture *p, struct meters *meters)
{
	struct named_counter moved[METERS_NAMED_MAX];
	int moved_count = meters_read(&meters->moved, moved);
	write_named(w, METRIC_deadlettered, p->letter_reasons, p->reason_count, "reason", NULL);
	FAMILY(w, batch_records);
	metrics_histogram(w, &meters->batch_records, NO_LABELS);
	FAMILY(w, stage_seconds);
	for (int i = 0; i < STAGE_COUNT; i++)
		metrics_histogram(w, &meters->stage_seconds[i], "stage=\"%s\"", stage_names[i]);
	FAMILY(w, end_to_end);
	metrics_histogram(w, &meters->end_to_end_seconds, NO_LABELS);
	write_named(w, METRIC_store_errors, p->store_errors, p->store_error_count, "store",
		"class");
	write_named(w, METRIC_moved, moved, moved_count, "store", NULL);
	FAMILY(w, key_mismatches);
	metrics_sample(w, (double)atomic_load(&meters->key_mismatches), NO_LABELS);
}

static void write_http(struct metrics_writer *w, const struct http_server_stats *http)
{
	FAMILY(w, http_requests);
	for (int code = 0; code < 600; code++)
		if (http->codes[code])
			metrics_sample(w, (double)http->codes[code], "code=\"%d\"", code);
	FAMILY(w, http_seconds);
	metrics_histogram(w, &http->seconds, NO_LABELS);
}

void status_metrics_write(struct metrics_writer *w, const struct picture *p,
	struct meters *meters, const struct http_server_stats *http)
{
	write_lag(w, p);
	write_partitions(w, &p->pool);
	write_meters(w, p, meters);
	FAMILY(w, rebalances);
	metrics_sample(w, (double)p->pool.rebalances, NO_LABELS);
	FAMILY(w, workers);
	metrics_sample(w, p->pool.workers, NO_LABELS);
	FAMILY(w, draining);
	metrics_sample(w, p->pool.draining, NO_LABELS);
	write_http(w, http);
	FAMILY(w, start_time);
	metrics_sample(w, (double)p->pool.started_wall_ms / 1000, NO_LABELS);
	FAMILY(w, build_info);
	metrics_sample(w, 1, "version=\"%s\"", WT_VERSION);
	metrics_end(w);
}
