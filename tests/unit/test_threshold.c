/* loadgen/threshold: what holds, what fails, and what can no longer hold. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>

#include "loadgen/threshold.h"

static bool verdict(struct summary *s, const char *text)
{
	struct thresholds t = {0};
	struct errmsg msg;
	size_t failed;

	assert_int_equal(thresholds_add(&t, text, &msg), 0);
	failed = thresholds_check(&t, s);
	thresholds_release(&t);
	return failed == 0;
}

static void thresholds_judge_what_was_measured(void **state)
{
	struct summary s;

	(void)state;
	summary_init(&s);
	for (int i = 1; i <= 1000; i++)
		histogram_record_us(s.stats.response, i * 100);
	s.stats.done = 1000;
	s.stats.errors = 1;
	assert_true(verdict(&s, "http_p99_ms<=99.1"));
	assert_false(verdict(&s, "http_p99_ms<99"));
	assert_true(verdict(&s, "http_p999_ms > 99.5"));
	assert_true(verdict(&s, "error_rate<0.0011"));
	assert_false(verdict(&s, "error_rate==0"));
	assert_true(verdict(&s, "errors==1"));
	assert_true(verdict(&s, "http_max_ms>=100"));
	assert_true(verdict(&s, "http_p100_ms>=100"));
	summary_release(&s);
}

static void the_unknown_fails(void **state)
{
	struct summary s;

	(void)state;
	summary_init(&s);
	assert_false(verdict(&s, "lag_max<1000"));
	assert_false(verdict(&s, "drain_seconds<5"));
	assert_false(verdict(&s, "lost==0"));
	assert_false(verdict(&s, "http_p99_ms<50"));
	summary_release(&s);
}

/* Only what needs a place is not judged where answers name none, and only if nobody typed it. */
static void without_positions_nothing_else_is_let_off(void **state)
{
	static const struct {
		const char *text;
		bool soft, holds;
	} cases[] = {{"lost==0", true, true}, {"pending==0", true, true},
		{"lost==0", false, false}, {"lag_max<5", true, false},
		{"drain_seconds<5", true, false}, {"http_p99_ms<5", true, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct thresholds t = {0};
		struct summary s;
		struct errmsg msg;

		summary_init(&s);
		s.stats.without_position = 7;
		assert_int_equal(thresholds_add(&t, cases[i].text, &msg), 0);
		t.list[0].soft = cases[i].soft;
		if ((thresholds_check(&t, &s) == 0) != cases[i].holds)
			fail_msg("%s", cases[i].text);
		thresholds_release(&t);
		summary_release(&s);
	}
}

/* After 100 of 1000 requests, with 5 errors and 20 times of 90 ms. */
static bool ends_early(const char *text)
{
	struct thresholds t = {0};
	struct stages stages;
	struct summary s;
	struct errmsg msg;
	bool ended;

	summary_init(&s);
	assert_int_equal(stages_parse(&stages, "10s:100", &msg), 0);
	schedule_init(&s.schedule, &stages, ARRIVALS_CONSTANT, 1);
	for (int i = 0; i < 100; i++)
		histogram_record_us(s.stats.response, i < 20 ? 90000 : 1000);
	s.stats.done = 100;
	s.stats.errors = 5;
	assert_int_equal(thresholds_add(&t, text, &msg), 0);
	ended = thresholds_failed_early(&t, &s) != NULL;
	thresholds_release(&t);
	summary_release(&s);
	return ended;
}

static void a_run_ends_early_only_for_what_can_no_longer_hold(void **state)
{
	static const char *const can[] = {"errors>5", "errors>=100", "errors==6", "errors!=5",
		"error_rate<0.006", "error_rate>0.5", "http_p97_ms<50", "http_p50_ms<0.5",
		"http_p99_ms>100", "http_mean_ms<5", "rate>5000", "lag_max<5", "lost==0"};
	static const char *const cannot[] = {"errors==4", "errors<5", "errors<=4",
		"error_rate<0.005", "error_rate==0", "http_p99_ms<50", "http_max_ms<90",
		"http_mean_ms<1"};

	(void)state;
	for (size_t i = 0; i < sizeof(can) / sizeof(can[0]); i++) {
		if (ends_early(can[i]))
			fail_msg("%s can still hold", can[i]);
	}
	for (size_t i = 0; i < sizeof(cannot) / sizeof(cannot[0]); i++) {
		if (!ends_early(cannot[i]))
			fail_msg("%s can no longer hold", cannot[i]);
	}
}

static void misspelt_thresholds_are_refused(void **state)
{
	static const char *const bad[] = {"", "lost", "lost=0", "lost==", "lost==x", "==0",
		"http_p_ms<5", "http_p9999999_ms<5", "p99<5", "lost=<0", "lost==0 s"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct thresholds t = {0};
		struct errmsg msg;

		if (thresholds_add(&t, bad[i], &msg) != ERR_CONFIG)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(t.count, 0);
	}
}

/* Every figure that a report names, and nothing else. */
static void a_threshold_may_ask_for_anything_reported(void **state)
{
	static const char *const names[] = {"http_p50_ms", "http_mean_ms", "http_max_ms",
		"service_p999_ms", "send_delay_p99_ms", "visible_mysql_p99_ms",
		"visible_redis_max_ms", "visible_missing", "error_rate", "errors", "dropped",
		"late", "acknowledged", "rate", "achieved_ratio", "lag_max", "lag_seconds_max",
		"lag_end", "lag_unknown", "drain_seconds", "lost", "pending", "unchecked",
		"deadlettered", "sent", "waited", "cut_off", "connects", "seconds",
		"offered_rate", "distinct_keys", "without_position", "answered_twice",
		"errors_refused", "errors_reset", "errors_timeout", "errors_malformed",
		"errors_tls", "errors_503"};
	static const char *const none[] = {
		"errors_", "errors_answered2", "errors_99", "errors_600", "errors_5033"};
	struct summary s;
	double value;

	(void)state;
	summary_init(&s);
	s.stats.outcomes[HTTP_TLS] = 4;
	s.stats.statuses[503] = 7;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!summary_metric(&s, names[i], &value))
			fail_msg("no figure %s", names[i]);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (summary_metric(&s, none[i], &value))
			fail_msg("a figure %s", none[i]);
	}
	assert_true(verdict(&s, "errors_tls==4"));
	assert_true(verdict(&s, "errors_503<8"));
	assert_false(verdict(&s, "errors_503<7"));
	summary_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thresholds_judge_what_was_measured),
		cmocka_unit_test(the_unknown_fails),
		cmocka_unit_test(without_positions_nothing_else_is_let_off),
		cmocka_unit_test(a_run_ends_early_only_for_what_can_no_longer_hold),
		cmocka_unit_test(misspelt_thresholds_are_refused),
		cmocka_unit_test(a_threshold_may_ask_for_anything_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
