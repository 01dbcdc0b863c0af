/* A whole run against scripted servers: every kind of trouble ends in its own class, none hangs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "loadgen/run.h"
#include "tests/lib/script_server.h"

struct load {
	struct run_settings settings;
	struct summary summary;
	struct errmsg msg;
	int result;
};

static void load_init(
	struct load *l, const struct script_server *s, const char *stages, bool lag)
{
	static struct conf_list none;
	struct request_plan plan = {
		.method = "POST", .headers = &none, .key_prefix = "k", .seed = 1};
	char *url = mem_printf("http://127.0.0.1:%d/write-through", s->port);
	char *status = mem_printf("http://127.0.0.1:%d/status", s->port);

	memset(l, 0, sizeof(*l));
	l->settings.connections = 4;
	l->settings.timeout_ms = 5000;
	l->settings.lag_interval_ms = 100;
	l->settings.drain_timeout_ms = 10000;
	l->settings.backlog = 1000;
	l->settings.quiet = true;
	assert_int_equal(stages_parse(&l->settings.stages, stages, &l->msg), 0);
	assert_int_equal(http_url_parse(&l->settings.url, url, &l->msg), 0);
	assert_int_equal(http_url_probe(&l->settings.url, 2000, &l->msg), 0);
	if (lag) {
		assert_int_equal(http_url_parse(&l->settings.lag_url, status, &l->msg), 0);
		assert_int_equal(http_url_probe(&l->settings.lag_url, 2000, &l->msg), 0);
	}
	assert_int_equal(
		request_open(&l->settings.request, &plan, &l->settings.url, &l->msg), 0);
	summary_init(&l->summary);
	free(url);
	free(status);
}

static void load_run(struct load *l)
{
	l->result = run_load(&l->settings, &l->summary, &l->msg);
	assert_int_equal(l->result, 0);
}

static void load_release(struct load *l)
{
	summary_release(&l->summary);
	request_close(l->settings.request);
	http_url_release(&l->settings.url);
	http_url_release(&l->settings.lag_url);
}

/* Runs 100 requests in half a second; all must end in the one class. */
static void assert_all_end_as(enum manner manner, enum http_outcome outcome)
{
	struct script_server *s = script_server_start(manner);
	struct load l;

	load_init(&l, s, "500ms:200", false);
	l.settings.timeout_ms = 300;
	load_run(&l);
	assert_int_equal(l.summary.counts.due, 100);
	assert_int_equal(l.summary.stats.done, 100);
	assert_int_equal(l.summary.stats.outcomes[outcome], 100);
	assert_int_equal(l.summary.stats.errors, 100);
	load_release(&l);
	script_server_stop(s);
}

static void every_request_is_acknowledged_and_accounted_for(void **state)
{
	struct script_server *s = script_server_start(ACKNOWLEDGE);
	struct load l;

	(void)state;
	load_init(&l, s, "500ms:100-400,500ms:400,0s", true);
	load_run(&l);
	assert_int_equal(l.summary.counts.due, 325);
	assert_int_equal(l.summary.stats.acknowledged, 325);
	assert_int_equal(l.summary.distinct, 325);
	assert_int_equal(s->requests, 325);
	assert_int_equal(acks_count(acks_next(l.summary.acks, NULL)), 325);
	assert_true(l.summary.drained);
	assert_true(l.summary.drain_seconds >= 0 && l.summary.drain_seconds < 3);
	assert_true(l.summary.account_known);
	assert_int_equal(l.summary.lost + l.summary.pending, 0);
	load_release(&l);
	script_server_stop(s);
}

static void the_drain_waits_for_lag_zero(void **state)
{
	struct script_server *s = script_server_start(ACKNOWLEDGE);
	struct load l;

	(void)state;
	atomic_store(&s->applied_behind, 5);
	load_init(&l, s, "200ms:100,0s", true);
	l.settings.drain_timeout_ms = 700;
	load_run(&l);
	assert_true(l.summary.drain_asked);
	assert_false(l.summary.drained);
	assert_int_equal(l.summary.pending, 5);
	assert_int_equal(l.summary.lost, 0);
	load_release(&l);
	script_server_stop(s);
}

static void an_unknown_lag_drains_nothing(void **state)
{
	struct script_server *s = script_server_start(ACKNOWLEDGE),
			     *broken = script_server_start(ACKNOWLEDGE);
	struct load l;

	(void)state;
	s->status_unknown = 1;
	load_init(&l, s, "200ms:100,0s", true);
	l.settings.drain_timeout_ms = 500;
	load_run(&l);
	assert_false(l.summary.drained);
	assert_false(l.summary.account_known);
	assert_int_equal(l.summary.stats.lag_max, -1);
	assert_true(l.summary.stats.lag_unknown > 0);
	load_release(&l);

	broken->status_broken = 1;
	load_init(&l, broken, "200ms:100,0s", true);
	l.settings.drain_timeout_ms = 500;
	load_run(&l);
	assert_false(l.summary.drained);
	assert_non_null(strstr(l.summary.stats.lag.why, "HTTP 500"));
	load_release(&l);
	script_server_stop(s);
	script_server_stop(broken);
}

static void a_reset_is_a_reset(void **state)
{
	(void)state;
	assert_all_end_as(RESET, HTTP_RESET);
	assert_all_end_as(HALF, HTTP_RESET);
}

static void garbage_is_malformed(void **state)
{
	(void)state;
	assert_all_end_as(GARBAGE, HTTP_MALFORMED);
}

static void silence_is_a_timeout(void **state)
{
	struct script_server *s = script_server_start(SILENT);
	struct load l;
	int64_t start = clock_mono_ms();

	(void)state;
	load_init(&l, s, "500ms:40", false);
	l.settings.timeout_ms = 300;
	load_run(&l);
	assert_int_equal(l.summary.stats.outcomes[HTTP_TIMEOUT], 20);
	/* 20 requests, 4 at a time: 5 rounds of 300 ms, whatever else happens */
	assert_in_range(clock_mono_ms() - start, 1200, 6000);
	assert_true(histogram_percentile_us(l.summary.stats.response, 99) > 900000);
	load_release(&l);
	script_server_stop(s);
}

static void a_503_is_counted_by_its_code(void **state)
{
	struct script_server *s = script_server_start(BUSY_503);
	struct load l;

	(void)state;
	load_init(&l, s, "200ms:100", false);
	load_run(&l);
	assert_int_equal(l.summary.stats.statuses[503], 20);
	assert_int_equal(l.summary.stats.errors, 20);
	assert_int_equal(l.summary.stats.acknowledged, 0);
	load_release(&l);
	script_server_stop(s);
}

static void a_server_that_goes_away_refuses(void **state)
{
	struct script_server *s = script_server_start(CLOSING);
	struct load l;

	(void)state;
	load_init(&l, s, "500ms:100", false);
	script_server_stop(s); /* after the probe, before the first request */
	load_run(&l);
	assert_int_equal(l.summary.stats.outcomes[HTTP_REFUSED], 50);
	load_release(&l);
}

static void closed_connections_are_opened_again(void **state)
{
	struct script_server *s = script_server_start(CLOSING);
	struct load l;

	(void)state;
	load_init(&l, s, "500ms:100", false);
	load_run(&l);
	assert_int_equal(l.summary.stats.acknowledged, 50);
	assert_int_equal(l.summary.stats.errors, 0);
	assert_true(l.summary.connects >= 50);
	load_release(&l);
	script_server_stop(s);
}

/* With one connection every request waits for the one before to be closed, not for a second. */
static void a_closed_connection_takes_the_next_request_at_once(void **state)
{
	struct script_server *s = script_server_start(CLOSING);
	struct load l;

	(void)state;
	load_init(&l, s, "500ms:100", false);
	l.settings.connections = 1;
	load_run(&l);
	assert_int_equal(l.summary.stats.acknowledged, 50);
	assert_true(l.summary.seconds < 5);
	load_release(&l);
	script_server_stop(s);
}

static void a_connection_the_server_has_done_with_is_not_used_again(void **state)
{
	struct script_server *s = script_server_start(SAYS_CLOSE);
	struct load l;

	(void)state;
	load_init(&l, s, "500ms:100", false);
	l.settings.timeout_ms = 500;
	load_run(&l);
	assert_int_equal(l.summary.stats.acknowledged, 50);
	load_release(&l);
	script_server_stop(s);
}

static void without_positions_the_drain_still_waits_for_lag_zero(void **state)
{
	struct script_server *s = script_server_start(DRIP);
	struct load l;

	(void)state;
	atomic_store(&s->next_offset, 100);
	atomic_store(&s->applied_behind, 5);
	load_init(&l, s, "200ms:50,0s", true);
	l.settings.drain_timeout_ms = 500;
	load_run(&l);
	assert_int_equal(l.summary.stats.without_position, 10);
	assert_true(l.summary.drain_asked);
	assert_false(l.summary.drained);
	load_release(&l);
	script_server_stop(s);
}

static void a_slow_answer_is_read_to_its_end(void **state)
{
	struct script_server *s = script_server_start(DRIP);
	struct load l;

	(void)state;
	load_init(&l, s, "500ms:40", false);
	load_run(&l);
	assert_int_equal(l.summary.stats.acknowledged, 20);
	assert_int_equal(l.summary.stats.without_position, 20);
	load_release(&l);
	script_server_stop(s);
}

/*
 * A server that stands still for a second: every request due in that second must show its wait. The
 * service time shows it for the few that were on their way, which is all a closed loop would see.
 */
static void a_stall_shows_in_every_request_that_was_due(void **state)
{
	struct script_server *s = script_server_start(STALL);
	struct load l;

	(void)state;
	load_init(&l, s, "2s:100", false);
	load_run(&l);
	assert_int_equal(l.summary.stats.acknowledged, 200);
	assert_true(histogram_percentile_us(l.summary.stats.response, 75) > 400000);
	assert_true(histogram_percentile_us(l.summary.stats.response, 99) > 900000);
	assert_true(histogram_percentile_us(l.summary.stats.service, 90) < 400000);
	assert_true(l.summary.stats.late >= 90);
	assert_true(l.summary.counts.waited >= 50);
	load_release(&l);
	script_server_stop(s);
}

static void a_full_backlog_drops_and_says_so(void **state)
{
	struct script_server *s = script_server_start(SILENT);
	struct load l;

	(void)state;
	load_init(&l, s, "500ms:200", false);
	l.settings.backlog = 10;
	l.settings.timeout_ms = 1000;
	load_run(&l);
	assert_int_equal(l.summary.counts.due, 100);
	assert_int_equal(l.summary.counts.dropped, 100 - 4 - 10);
	assert_int_equal(l.summary.stats.outcomes[HTTP_TIMEOUT], 14);
	assert_true(summary_error_rate(&l.summary) > 0.99);
	load_release(&l);
	script_server_stop(s);
}

static void one_offset_twice_is_noticed(void **state)
{
	struct script_server *s = script_server_start(SAME_OFFSET);
	struct load l;

	(void)state;
	load_init(&l, s, "200ms:100", false);
	load_run(&l);
	assert_int_equal(l.summary.stats.answered_twice, 19);
	load_release(&l);
	script_server_stop(s);
}

static void *interrupt_soon(void *arg)
{
	usleep(400000);
	kill(getpid(), *(int *)arg);
	return NULL;
}

static void a_signal_ends_the_run_with_its_figures(void **state)
{
	struct script_server *s = script_server_start(ACKNOWLEDGE);
	int64_t start = clock_mono_ms();
	pthread_t thread;
	struct load l;
	int signum = SIGINT;

	(void)state;
	load_init(&l, s, "60s:100,0s", true);
	pthread_create(&thread, NULL, interrupt_soon, &signum);
	load_run(&l);
	pthread_join(thread, NULL);
	assert_true(clock_mono_ms() - start < 5000);
	assert_int_equal(l.summary.stopped, SIGINT);
	assert_in_range(l.summary.stats.acknowledged, 5, 200);
	assert_int_equal(l.summary.lost, 0);
	assert_int_equal(l.summary.counts.sent, l.summary.stats.done);
	load_release(&l);
	script_server_stop(s);
}

static void a_signal_does_not_wait_for_a_silent_server(void **state)
{
	struct script_server *s = script_server_start(SILENT);
	int64_t start = clock_mono_ms();
	pthread_t thread;
	struct load l;
	int signum = SIGTERM;

	(void)state;
	load_init(&l, s, "60s:100", false);
	l.settings.timeout_ms = 60000;
	pthread_create(&thread, NULL, interrupt_soon, &signum);
	load_run(&l);
	pthread_join(thread, NULL);
	assert_true(clock_mono_ms() - start < 8000);
	assert_int_equal(l.summary.stopped, SIGTERM);
	assert_int_equal(l.summary.abandoned, 4);
	assert_true(l.summary.counts.cancelled > 0);
	load_release(&l);
	script_server_stop(s);
}

static void *interrupt_twice(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2; i++) {
		usleep(i ? 100000 : 800000); /* the server stands still by then */
		kill(getpid(), SIGINT);
	}
	return NULL;
}

/* What was answered until then was answered in that time, and has a last line in the series. */
static void a_run_that_is_cut_off_has_its_seconds(void **state)
{
	struct script_server *s = script_server_start(STALL);
	pthread_t thread;
	struct load l;
	uint64_t sent = 0;

	(void)state;
	load_init(&l, s, "60s:100", false);
	pthread_create(&thread, NULL, interrupt_twice, NULL);
	load_run(&l);
	pthread_join(thread, NULL);
	assert_int_equal(l.summary.stopped, SIGINT);
	assert_true(l.summary.abandoned > 0 && l.summary.stats.acknowledged > 0);
	assert_true(l.summary.seconds > 0.2 && l.summary.seconds < 0.8);
	assert_true(summary_achieved_rate(&l.summary) > 0);
	for (size_t i = 0; i < l.summary.stats.rows_count; i++)
		sent += l.summary.stats.rows[i].sent;
	assert_int_equal(sent, l.summary.counts.sent);
	load_release(&l);
	script_server_stop(s);
}

static void a_drain_of_nothing_takes_no_time(void **state)
{
	struct script_server *s = script_server_start(ACKNOWLEDGE);
	struct load l;

	(void)state;
	load_init(&l, s, "100ms:0,0s", true);
	load_run(&l);
	assert_int_equal(l.summary.counts.sent, 0);
	assert_true(l.summary.drained);
	assert_true(l.summary.drain_seconds >= 0 && l.summary.drain_seconds < 5);
	load_release(&l);
	script_server_stop(s);
}

static void a_threshold_beyond_repair_ends_the_run(void **state)
{
	struct script_server *s = script_server_start(BUSY_503);
	struct thresholds t = {0};
	struct load l;

	(void)state;
	load_init(&l, s, "60s:50", false);
	assert_int_equal(thresholds_add(&t, "error_rate<0.01", &l.msg), 0);
	l.settings.abort_on = &t;
	load_run(&l);
	assert_true(l.summary.aborted);
	assert_true(l.summary.counts.due < 1000);
	thresholds_release(&t);
	load_release(&l);
	script_server_stop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_is_acknowledged_and_accounted_for),
		cmocka_unit_test(the_drain_waits_for_lag_zero),
		cmocka_unit_test(an_unknown_lag_drains_nothing),
		cmocka_unit_test(a_reset_is_a_reset),
		cmocka_unit_test(garbage_is_malformed),
		cmocka_unit_test(silence_is_a_timeout),
		cmocka_unit_test(a_503_is_counted_by_its_code),
		cmocka_unit_test(a_server_that_goes_away_refuses),
		cmocka_unit_test(closed_connections_are_opened_again),
		cmocka_unit_test(a_closed_connection_takes_the_next_request_at_once),
		cmocka_unit_test(a_connection_the_server_has_done_with_is_not_used_again),
		cmocka_unit_test(without_positions_the_drain_still_waits_for_lag_zero),
		cmocka_unit_test(a_slow_answer_is_read_to_its_end),
		cmocka_unit_test(a_stall_shows_in_every_request_that_was_due),
		cmocka_unit_test(a_full_backlog_drops_and_says_so),
		cmocka_unit_test(one_offset_twice_is_noticed),
		cmocka_unit_test(a_signal_ends_the_run_with_its_figures),
		cmocka_unit_test(a_signal_does_not_wait_for_a_silent_server),
		cmocka_unit_test(a_run_that_is_cut_off_has_its_seconds),
		cmocka_unit_test(a_drain_of_nothing_takes_no_time),
		cmocka_unit_test(a_threshold_beyond_repair_ends_the_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
