#include "loadgen/stats.h"

#include "common/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX  40000 /* 11 hours of seconds; then two neighbours become one */
#define MARKS_MAX 1000

void stats_init(struct stats *s)
{
	memset(s, 0, sizeof(*s));
	s->response = histogram_new();
	s->service = histogram_new();
	s->send_delay = histogram_new();
	s->now_response = histogram_new();
	s->now_service = histogram_new();
	s->now_send_delay = histogram_new();
	s->lag_max = -1;
	s->lag_seconds_max = NAN;
	s->now_lag_seconds = NAN;
	lag_look_init(&s->lag);
	lag_look_init(&s->now_worst);
}

void stats_release(struct stats *s)
{
	histogram_free(s->response);
	histogram_free(s->service);
	histogram_free(s->send_delay);
	histogram_free(s->now_response);
	histogram_free(s->now_service);
	histogram_free(s->now_send_delay);
	lag_look_release(&s->lag);
	lag_look_release(&s->now_worst);
	for (size_t i = 0; i < s->rows_count; i++)
		free(s->rows[i].lags);
	for (size_t i = 0; i < s->marks_count; i++)
		free(s->marks[i].text);
	free(s->rows);
	free(s->marks);
}

const char *stats_outcome_name(enum http_outcome outcome)
{
	static const char *const names[HTTP_OUTCOMES] = {
		"answered", "refused", "reset", "timeout", "malformed", "tls"};

	return names[outcome];
}

static void record_send(struct stats *s, const struct http_call *call)
{
	int64_t delay = call->sent_ns - call->due_ns;

	s->sent++;
	s->now_sent++;
	s->late += delay > STATS_LATE_NS;
	histogram_record_ns(s->send_delay, delay);
	histogram_record_ns(s->now_send_delay, delay);
	if (call->sent_ns > s->last_sent_ns)
		s->last_sent_ns = call->sent_ns;
}

bool stats_done(struct stats *s, const struct http_call *call, enum http_outcome outcome,
	int status, int64_t now_ns)
{
	bool answered = outcome == HTTP_ANSWERED;
	bool ok = answered && status >= 200 && status < 300;

	s->outcomes[outcome]++;
	s->done++;
	s->last_done_ns = now_ns;
	if (call->sent_ns)
		record_send(s, call);
	if (answered) {
		s->statuses[status]++;
		histogram_record_ns(s->service, now_ns - call->sent_ns);
		histogram_record_ns(s->now_service, now_ns - call->sent_ns);
	}
	/* what failed without an answer still made somebody wait that long */
	if (answered || outcome == HTTP_TIMEOUT) {
		histogram_record_ns(s->response, now_ns - call->due_ns);
		histogram_record_ns(s->now_response, now_ns - call->due_ns);
	}
	s->ok += ok;
	s->now_ok += ok;
	s->errors += !ok;
	s->now_errors += !ok;
	return ok;
}

static void mark_changes(struct stats *s, const struct lag_look *look, int64_t now_ns)
{
	char text[64];

	if (!s->lag_seen)
		return;
	if (look->known != s->lag.known)
		stats_mark(s, now_ns, look->known ? "lag known again" : "lag unknown");
	if (look->workers >= 0 && s->lag.workers >= 0 && look->workers != s->lag.workers) {
		snprintf(text, sizeof(text), "workers %d -> %d", s->lag.workers, look->workers);
		stats_mark(s, now_ns, text);
	}
	if (s->lag.rebalances >= 0 && look->rebalances > s->lag.rebalances)
		stats_mark(s, now_ns, "rebalance");
}

static void copy_look(struct lag_look *to, const struct lag_look *look)
{
	lag_look_release(to);
	*to = *look;
	to->partitions = mem_alloc(look->count * sizeof(*look->partitions));
	if (look->count)
		memcpy(to->partitions, look->partitions,
			look->count * sizeof(*look->partitions));
}

static void take_highest(double *to, double value)
{
	if (!isnan(value) && !(value <= *to))
		*to = value;
}

void stats_lag(struct stats *s, const struct lag_look *look, int64_t now_ns)
{
	mark_changes(s, look, now_ns);
	if (!s->lag_seen)
		s->deadletters_before = look->deadletters;
	copy_look(&s->lag, look);
	s->lag_seen = true;
	s->lag_looks++;
	s->lag_unknown += !look->known;
	if (look->known && look->total > s->lag_max)
		s->lag_max = look->total;
	if (look->known && look->total > s->now_worst.total)
		copy_look(&s->now_worst, look);
	take_highest(&s->lag_seconds_max, look->seconds);
	take_highest(&s->now_lag_seconds, look->seconds);
}

void stats_mark(struct stats *s, int64_t now_ns, const char *text)
{
	if (s->marks_count == MARKS_MAX)
		return;
	s->marks = mem_resize(s->marks, s->marks_count + 1, sizeof(*s->marks));
	s->marks[s->marks_count++] =
		(struct stats_mark){(double)(now_ns - s->start_ns) / 1e9, mem_strdup(text)};
}

/* A very long run keeps its shape at half the resolution. The worse value stands for both. */
static void halve_rows(struct stats *s)
{
	for (size_t i = 0; i + 1 < s->rows_count; i += 2) {
		struct stats_row *a = &s->rows[i], *b = &s->rows[i + 1], sum = *b;

		sum.seconds += a->seconds;
		sum.due += a->due;
		sum.sent += a->sent;
		sum.ok += a->ok;
		sum.errors += a->errors;
		sum.dropped += a->dropped;
		sum.p50_us = a->p50_us > b->p50_us ? a->p50_us : b->p50_us;
		sum.p90_us = a->p90_us > b->p90_us ? a->p90_us : b->p90_us;
		sum.p99_us = a->p99_us > b->p99_us ? a->p99_us : b->p99_us;
		sum.max_us = a->max_us > b->max_us ? a->max_us : b->max_us;
		take_highest(&sum.lag_seconds, a->lag_seconds);
		if (a->lag > b->lag) {
			sum.lag = a->lag;
			sum.lag_count = a->lag_count;
			sum.lags = a->lags;
			free(b->lags);
		} else {
			free(a->lags);
		}
		s->rows[i / 2] = sum;
	}
	if (s->rows_count % 2)
		free(s->rows[s->rows_count - 1].lags);
	s->rows_count /= 2;
}

static int64_t percentile(const struct histogram *h, double at)
{
	return histogram_count(h) ? histogram_percentile_us(h, at) : -1;
}

static void row_lag(struct stats_row *row, const struct lag_look *lag)
{
	row->lag = lag->total;
	row->lag_seconds = lag->seconds;
	row->workers = lag->workers;
	row->lag_count = lag->count;
	row->lags = mem_alloc(lag->count * sizeof(*row->lags));
	for (size_t i = 0; i < lag->count; i++)
		row->lags[i] = lag->partitions[i].lag;
}

struct stats_row *stats_row_end(struct stats *s, int64_t now_ns)
{
	struct stats_row *row;
	double before;

	if (s->rows_count == ROWS_MAX)
		halve_rows(s);
	if (s->rows_count == s->rows_room) {
		s->rows_room = s->rows_room ? s->rows_room * 2 : 64;
		s->rows = mem_resize(s->rows, s->rows_room, sizeof(*s->rows));
	}
	before = s->rows_count ? s->rows[s->rows_count - 1].at_seconds : 0;
	row = &s->rows[s->rows_count++];
	*row = (struct stats_row){.at_seconds = (double)(now_ns - s->start_ns) / 1e9,
		.sent = s->now_sent,
		.ok = s->now_ok,
		.errors = s->now_errors,
		.p50_us = percentile(s->now_response, 50),
		.p90_us = percentile(s->now_response, 90),
		.p99_us = percentile(s->now_response, 99),
		.max_us = percentile(s->now_response, 100),
		.service_p99_us = percentile(s->now_service, 99),
		.send_delay_p99_us = percentile(s->now_send_delay, 99)};
	row->seconds = row->at_seconds - before;
	/* the worst of the interval, not just its last look; without a new one, what was last known */
	row_lag(row, s->now_worst.total >= 0 ? &s->now_worst : &s->lag);
	if (s->now_worst.total >= 0)
		row->lag_seconds = s->now_lag_seconds;
	row->workers = s->lag.workers;
	s->now_worst.total = -1;
	s->now_lag_seconds = NAN;
	s->now_sent = s->now_ok = s->now_errors = 0;
	histogram_reset(s->now_response);
	histogram_reset(s->now_service);
	histogram_reset(s->now_send_delay);
	return row;
}
