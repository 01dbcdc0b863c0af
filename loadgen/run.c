/*
 * A run, in order:
 *  1 warm up   every connection is opened before the clock starts
 *  2 load      the driver makes requests due; each answer is counted and its record accounted for
 *  3 finish    the schedule is over; what is in flight is answered or times out
 *  4 drain     with a lag source: until its lag is 0 and it has passed every acknowledged record
 *  5 close     handles end, the loop runs dry, the account is made up
 * A signal, or a threshold that can no longer hold, goes from 2 to 3 at once, and past 4.
 */
#include "loadgen/run.h"

#include "common/clock.h"
#include "loadgen/account.h"
#include "loadgen/lag_group.h"
#include "loadgen/lag_http.h"
#include "loadgen/live.h"
#include "loadgen/stop.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_MS	1000
#define START_DELAY_NS	INT64_C(20000000)
#define STOP_GRACE_MS	2000
#define DRAIN_LOOKS_MS	100
#define VISIBLE_WAIT_MS 5000 /* after the drain: what is not there then is missing */
#define ABORT_AFTER_ROW 3 /* no verdict on the first seconds */

enum phase { WARMING, LOADING, FINISHING, DRAINING, CLOSED };

struct run {
	const struct run_settings *set;
	struct summary *sum;
	uv_loop_t loop;
	uv_timer_t interval, deadline;
	uv_signal_t interrupt, terminate;
	struct http_pool *pool;
	struct driver *driver;
	struct lag_http *lag_http; /* one of the two, or none */
	struct lag_group *lag_group;
	struct live *live;
	struct account *account;
	struct driver_counts last; /* at the end of the interval before */
	enum phase phase;
	bool loop_open;
};

static void enter_drain(struct run *r);
static void end_interval(struct run *r);

static void on_handle_closed(uv_handle_t *handle)
{
	(void)handle;
}

/* Up to the last answer; of what comes later nothing counts. */
static void end_load(struct run *r)
{
	const struct stats *stats = &r->sum->stats;

	r->sum->seconds = (double)(stats->last_done_ns - stats->start_ns) / 1e9;
}

static void enter_closed(struct run *r)
{
	if (r->phase == CLOSED)
		return;
	if (r->phase == LOADING || r->phase == FINISHING) { /* no drain: the load ends here */
		end_load(r);
		end_interval(r);
	}
	r->phase = CLOSED;
	r->sum->abandoned = (uint64_t)http_pool_in_flight(r->pool);
	r->sum->connects = http_pool_connects(r->pool);
	http_pool_close(r->pool);
	driver_close(r->driver);
	if (r->lag_http)
		lag_http_close(r->lag_http);
	if (r->lag_group)
		lag_group_close(r->lag_group);
	uv_close((uv_handle_t *)&r->interval, on_handle_closed);
	uv_close((uv_handle_t *)&r->deadline, on_handle_closed);
	uv_close((uv_handle_t *)&r->interrupt, on_handle_closed);
	uv_close((uv_handle_t *)&r->terminate, on_handle_closed);
}

/* --- the load --- */

static void maybe_finished(struct run *r)
{
	if (r->phase == FINISHING && http_pool_in_flight(r->pool) == 0)
		enter_drain(r);
}

static bool send_request(void *ctx, uint64_t sequence, int64_t due_ns)
{
	struct run *r = ctx;
	struct http_call call = {.sequence = sequence, .due_ns = due_ns};

	if (!http_pool_idle(r->pool))
		return false;
	call.key = request_key(r->set->request, sequence);
	return http_pool_call(r->pool, &call);
}

static void schedule_over(void *ctx)
{
	struct run *r = ctx;

	if (r->phase == LOADING)
		r->phase = FINISHING;
	maybe_finished(r);
}

static void render(void *ctx, const struct http_call *call, struct http_text *text)
{
	struct run *r = ctx;

	request_render(r->set->request, call, text);
}

static void acknowledged(
	struct run *r, const struct http_call *call, const struct http_reply *reply)
{
	account_take(r->account, call, reply, &r->sum->stats, r->sum->acks);
	if (r->sum->visible) {
		char key[REQUEST_KEY_BYTES];
		size_t length = request_key_text(r->set->request, call->key, key);

		visible_offer(r->sum->visible, key, length, call->due_ns);
	}
}

static void answered(void *ctx, const struct http_call *call, enum http_outcome outcome,
	const struct http_reply *reply, int64_t now_ns)
{
	struct run *r = ctx;

	if (stats_done(&r->sum->stats, call, outcome, reply->status, now_ns))
		acknowledged(r, call, reply);
	driver_pump(r->driver, now_ns);
	maybe_finished(r);
}

static void has_room(void *ctx)
{
	struct run *r = ctx;

	if (r->phase == LOADING || r->phase == FINISHING)
		driver_pump(r->driver, clock_mono_ns());
}

/* --- intervals --- */

static void abort_if_failed(struct run *r)
{
	const struct threshold *failed;

	if (!r->set->abort_on || r->phase != LOADING ||
		r->sum->stats.rows_count < ABORT_AFTER_ROW)
		return;
	r->sum->counts = *driver_counts(r->driver);
	failed = thresholds_failed_early(r->set->abort_on, r->sum);
	if (!failed)
		return;
	live_say(r->live, "threshold %s can no longer hold: stopping", failed->text);
	r->sum->aborted = true;
	driver_stop(r->driver);
}

static void end_interval(struct run *r)
{
	static const char *const names[] = {"warm", "load", "finish", "drain", "end"};
	const struct driver_counts *counts = driver_counts(r->driver);
	int64_t now = clock_mono_ns();
	struct stats_row *row = stats_row_end(&r->sum->stats, now);
	struct live_state state = {.phase = names[r->phase],
		.seconds = row->at_seconds,
		.in_flight = http_pool_in_flight(r->pool),
		.backlog = driver_backlog(r->driver),
		.summary = r->sum};

	row->due = counts->due - r->last.due;
	row->sent = counts->sent - r->last.sent;
	row->dropped = counts->dropped - r->last.dropped;
	row->in_flight = state.in_flight;
	row->backlog = state.backlog;
	row->target_rate =
		(schedule_count_at(&r->sum->schedule, row->at_seconds) -
			schedule_count_at(&r->sum->schedule, row->at_seconds - row->seconds)) /
		fmax(row->seconds, 1e-9);
	if (r->sum->stopped || r->sum->aborted)
		row->target_rate = 0;
	state.target_rate = row->target_rate;
	r->last = *counts;
	r->sum->counts = *counts;
	live_show(r->live, &state, row);
}

static void on_interval(uv_timer_t *timer)
{
	struct run *r = timer->data;

	driver_pump(r->driver, clock_mono_ns()); /* with a backlog nobody else may */
	if (r->phase == CLOSED)
		return;
	end_interval(r);
	abort_if_failed(r);
}

/* --- the drain --- */

static void on_lag(void *ctx, const struct lag_look *look)
{
	struct run *r = ctx;
	struct stats *stats = &r->sum->stats;

	stats_lag(stats, look, clock_mono_ns());
	if (r->phase != DRAINING || !look->known || look->total != 0)
		return;
	if (look->asked_ns < stats->last_done_ns || !summary_all_passed(r->sum, look))
		return; /* older than the last answer: its 0 says nothing about it */
	r->sum->drained = true;
	r->sum->drain_seconds = (double)(clock_mono_ns() - stats->last_sent_ns) / 1e9;
	end_interval(r);
	enter_closed(r);
}

static void on_deadline(uv_timer_t *timer)
{
	struct run *r = timer->data;

	if (r->phase == DRAINING)
		live_say(r->live, "lag is not 0 after %d ms: giving up",
			r->set->drain_timeout_ms);
	enter_closed(r);
}

static void enter_drain(struct run *r)
{
	if ((!r->lag_http && !r->lag_group) || r->sum->stopped || r->sum->aborted) {
		enter_closed(r);
		return;
	}
	end_load(r);
	r->phase = DRAINING;
	r->sum->drain_asked = true;
	uv_timer_start(&r->deadline, on_deadline, (uint64_t)r->set->drain_timeout_ms, 0);
	if (r->lag_http)
		lag_http_interval(r->lag_http, DRAIN_LOOKS_MS);
	else
		lag_group_interval(r->lag_group, DRAIN_LOOKS_MS);
}

/* --- start and end --- */

static void on_signal(uv_signal_t *handle, int signum)
{
	struct run *r = handle->data;

	if (r->sum->stopped || r->phase == WARMING) {
		r->sum->stopped = signum; /* the second: at once */
		enter_closed(r);
		return;
	}
	r->sum->stopped = signum;
	live_say(r->live, "%s: stopping; once more stops at once", strsignal(signum));
	if (r->phase == DRAINING) {
		enter_closed(r);
		return;
	}
	uv_timer_start(&r->deadline, on_deadline, STOP_GRACE_MS, 0);
	driver_stop(r->driver);
	maybe_finished(r);
}

static void warm(void *ctx)
{
	struct run *r = ctx;

	if (r->phase != WARMING)
		return;
	r->phase = LOADING;
	r->sum->started_ms = clock_wall_ms();
	getloadavg(&r->sum->load_before, 1);
	r->sum->stats.start_ns = clock_mono_ns() + START_DELAY_NS;
	r->sum->stats.last_done_ns = r->sum->stats.start_ns;
	r->sum->stats.last_sent_ns = r->sum->stats.start_ns; /* the drain of no request */
	uv_timer_start(
		&r->interval, on_interval, INTERVAL_MS + START_DELAY_NS / 1000000, INTERVAL_MS);
	driver_start(r->driver, r->sum->stats.start_ns);
}

static void start_handles(struct run *r)
{
	uv_timer_init(&r->loop, &r->interval);
	uv_timer_init(&r->loop, &r->deadline);
	uv_signal_init(&r->loop, &r->interrupt);
	uv_signal_init(&r->loop, &r->terminate);
	r->interval.data = r->deadline.data = r->interrupt.data = r->terminate.data = r;
	uv_signal_start(&r->interrupt, on_signal, SIGINT);
	uv_signal_start(&r->terminate, on_signal, SIGTERM);
	if (r->set->observer)
		r->lag_group = lag_group_new(
			&r->loop, r->set->observer, r->set->lag_interval_ms, on_lag, r);
	else if (r->set->lag_url.host)
		r->lag_http = lag_http_new(
			&r->loop, &r->set->lag_url, r->set->lag_interval_ms, on_lag, r);
	http_pool_warm_up(r->pool, warm, r);
}

/* What can fail before the loop runs. */
static int prepare(struct run *r, struct errmsg *msg)
{
	const struct run_settings *set = r->set;
	struct account_plan plan = {.request = set->request,
		.keys = set->keys,
		.ids_file = set->ids_file,
		.append = set->later,
		.remember_max = set->check ? set->check->ids_max : 0};
	int err = account_open(&r->account, &plan, msg);

	if (err == 0 && set->visible)
		err = visible_open(&r->sum->visible, set->visible, msg);
	return err;
}

/* The loop has run dry: what remains is to look whether the stores have it. */
static int conclude(struct run *r, struct errmsg *msg)
{
	struct summary *sum = r->sum;
	struct check_moment moment;
	int err = 0;

	getloadavg(&sum->load_after, 1);
	sum->counts = *driver_counts(r->driver);
	sum->distinct = account_distinct(r->account);
	summary_account(sum);
	stop_heeded(sum->stopped ? 1 : 0);
	if (sum->visible)
		visible_finish(sum->visible, VISIBLE_WAIT_MS);
	moment.started_ms = sum->started_ms;
	moment.append = r->set->later;
	moment.last_answer_ns = sum->stats.last_done_ns;
	moment.lag = sum->stats.lag_seen ? &sum->stats.lag : NULL;
	if (r->set->check)
		err = check_ids(
			r->set->check, r->account, r->set->request, &moment, &sum->check, msg);
	if (!sum->stopped)
		sum->stopped = stop_signal();
	return err;
}

int run_load(const struct run_settings *settings, struct summary *summary, struct errmsg *msg)
{
	struct run r = {.set = settings, .sum = summary};
	struct http_pool_limits limits = {.connections = settings->connections,
		.timeout_ms = settings->timeout_ms,
		.body_max = 4096,
		.no_body = settings->no_body};
	struct http_handlers http = {
		.ctx = &r, .render = render, .done = answered, .room = has_room};
	struct driver_handlers driving = {
		.ctx = &r, .send = send_request, .finished = schedule_over};
	struct errmsg ignored;
	int err = prepare(&r, msg), failed;

	if (err != 0) {
		account_close(r.account, &ignored);
		return err;
	}
	schedule_init(
		&summary->schedule, &settings->stages, settings->arrivals, settings->seed);
	uv_loop_init(&r.loop);
	r.live = live_new(settings->quiet);
	r.driver = driver_new(&r.loop, &summary->schedule, settings->backlog, &driving, msg);
	if (r.driver) {
		r.pool = http_pool_new(&r.loop, &settings->url, &limits, &http);
		start_handles(&r);
		uv_run(&r.loop, UV_RUN_DEFAULT);
		summary->ran = true;
		err = conclude(&r, msg);
	} else {
		err = ERR_IO;
	}
	uv_loop_close(&r.loop);
	http_pool_free(r.pool);
	driver_free(r.driver);
	lag_http_free(r.lag_http);
	lag_group_free(r.lag_group);
	live_free(r.live);
	failed = account_close(r.account, err ? &ignored : msg);
	return err ? err : failed;
}
