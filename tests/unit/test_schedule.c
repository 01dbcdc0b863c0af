/* loadgen/stages and loadgen/schedule: against exact arithmetic. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loadgen/schedule.h"

static void make(struct schedule *s, const char *text)
{
	struct stages stages;
	struct errmsg msg;

	assert_int_equal(stages_parse(&stages, text, &msg), 0);
	schedule_init(s, &stages, ARRIVALS_CONSTANT, 1);
}

static void assert_refused(const char *text)
{
	struct stages stages;
	struct errmsg msg = {""};

	if (stages_parse(&stages, text, &msg) != ERR_CONFIG)
		fail_msg("'%s' was taken", text);
	assert_true(strlen(msg.text) > 10);
}

static void stages_are_read_as_written(void **state)
{
	struct stages stages;
	struct errmsg msg;
	char *text;

	(void)state;
	assert_int_equal(stages_parse(&stages, "30s:10,60s:10-1000,4m:1000,0s", &msg), 0);
	assert_int_equal(stages.count, 3);
	assert_true(stages.wait_for_drain);
	assert_true(stages.list[2].seconds == 240 && stages.list[1].to == 1000);
	assert_true(stages_seconds(&stages) == 330 && stages_highest_rate(&stages) == 1000);
	text = stages_text(&stages);
	assert_string_equal(text, "30s:10,60s:10-1000,240s:1000,0s");
	free(text);
	assert_int_equal(stages_parse(&stages, "500ms:0.5,2s,1h:3-1", &msg), 0);
	assert_false(stages.wait_for_drain);
	assert_true(stages.list[0].seconds == 0.5 && stages.list[1].from == 0);
	stages_speed_up(&stages, 10);
	assert_true(fabs(stages.list[2].seconds - 360) < 1e-9 && stages.list[2].from == 3);
}

static void nonsense_is_refused_with_words(void **state)
{
	static const char *const bad[] = {"", "0s", "10", "10s:", "10s:-5", "10s:5-", "10s:5x",
		"-1s:5", "s:5", "10s:5,,10s:5", "0s:10", "0s,10s:5", "10d:5", "10s:nan",
		"10s:inf", "10s:1e9", "10s:5-10-20", "9999999h:1", " 10s:5"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(bad[i]);
}

static void a_hold_is_evenly_spaced(void **state)
{
	struct schedule s;

	(void)state;
	make(&s, "10s:100");
	assert_int_equal(schedule_total(&s), 1000);
	for (int64_t n = 0; n < 1000; n++)
		assert_int_equal(schedule_next_ns(&s), n * 10000000);
	assert_int_equal(schedule_next_ns(&s), -1);
	assert_int_equal(schedule_next_ns(&s), -1);
}

/* 0 to 100 over 10 s makes 5 t^2 requests by t: number n is due at sqrt(n / 5). */
static void a_ramp_follows_the_square_root(void **state)
{
	struct schedule s;

	(void)state;
	make(&s, "10s:0-100");
	assert_int_equal(schedule_total(&s), 500);
	for (int n = 0; n < 500; n++)
		assert_int_equal(schedule_next_ns(&s), llround(sqrt(n / 5.0) * 1e9));
	assert_int_equal(schedule_next_ns(&s), -1);
}

/* t(n) = (sqrt(r0^2 + 2 n (r1 - r0) / D) - r0) * D / (r1 - r0), in long double */
static long double textbook(long double r0, long double r1, long double d, long double n)
{
	return (sqrtl(r0 * r0 + 2 * n * (r1 - r0) / d) - r0) * d / (r1 - r0);
}

static void every_request_of_the_demo_ramp_is_where_the_formula_says(void **state)
{
	struct schedule s;
	int64_t last = -1, wrong = 0, n = 0;

	(void)state;
	make(&s, "30s:10,60s:10-1000,60s:1000-10,5s:10");
	for (int64_t due; (due = schedule_next_ns(&s)) >= 0; n++) {
		long double exact = n < 300	? n / 10.0L
				    : n < 30600 ? 30 + textbook(10, 1000, 60, n - 300)
				    : n < 60900 ? 90 + textbook(1000, 10, 60, n - 30600)
						: 150 + (n - 60900) / 10.0L;

		assert_true(due >= last);
		last = due;
		wrong += llabs(due - llroundl(exact * 1e9L)) > 20;
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(n, 60950);
	assert_int_equal(n, schedule_total(&s));
}

static void fractions_of_a_request_carry_over_to_the_next_stage(void **state)
{
	struct schedule s;

	(void)state;
	make(&s, "1s:0.5,1s:0.5,1s:1.5"); /* c = 0.5, 1, 2.5: due at 0, 2, 2.667 */
	assert_int_equal(schedule_next_ns(&s), 0);
	assert_int_equal(schedule_next_ns(&s), 2000000000);
	assert_int_equal(schedule_next_ns(&s), llround((2 + 2 / 3.0) * 1e9));
	assert_int_equal(schedule_next_ns(&s), -1);
}

static void a_pause_makes_none(void **state)
{
	struct schedule s;

	(void)state;
	make(&s, "1s:2,10s,1s:2");
	assert_int_equal(schedule_next_ns(&s), 0);
	assert_int_equal(schedule_next_ns(&s), 500000000);
	assert_int_equal(schedule_next_ns(&s), 11000000000);
	assert_int_equal(schedule_next_ns(&s), 11500000000);
	assert_int_equal(schedule_next_ns(&s), -1);
	assert_true(fabs(schedule_rate_at(&s, 5)) == 0);
}

static void a_long_run_does_not_drift(void **state)
{
	struct schedule s;

	(void)state;
	make(&s, "24h:3000,1s:1000");
	assert_true(schedule_total(&s) == UINT64_C(259201000));
	/* its last requests, without making the 259 million before them */
	assert_true(fabs(schedule_due_seconds(&s, 259200000.0 - 3000) - 86399) < 1e-9);
	assert_true(fabs(schedule_due_seconds(&s, 259200500.0) - 86400.5) < 1e-9);
}

static void count_and_due_are_inverse(void **state)
{
	struct schedule s;

	(void)state;
	make(&s, "5s:7,5s:7-90,3s:90-0,4s:20");
	for (double t = 0.01; t < 17; t += 0.37) {
		double count = schedule_count_at(&s, t);

		assert_true(fabs(schedule_due_seconds(&s, count) - t) < 1e-6);
		assert_true(fabs((schedule_count_at(&s, t + 1e-6) - count) / 1e-6 -
				    schedule_rate_at(&s, t)) < 1e-2);
	}
	assert_true(fabs(schedule_rate_at(&s, 17.5)) == 0);
}

static void poisson_has_the_rate_and_the_spread(void **state)
{
	struct schedule s;
	struct stages stages;
	struct errmsg msg;
	double sum = 0, squares = 0, gap;
	int64_t last = 0, due;
	int n = 0;

	(void)state;
	assert_int_equal(stages_parse(&stages, "1000s:100", &msg), 0);
	schedule_init(&s, &stages, ARRIVALS_POISSON, 5);
	while ((due = schedule_next_ns(&s)) >= 0) {
		assert_true(due >= last);
		gap = (double)(due - last) / 1e9;
		sum += gap;
		squares += gap * gap;
		last = due;
		n++;
	}
	/* 100,000 expected, standard deviation 316; an exponential's deviation is its mean */
	assert_in_range(n, 98500, 101500);
	assert_true(fabs(sqrt(squares / n - sum / n * sum / n) / (sum / n) - 1) < 0.03);
}

static void the_same_seed_is_the_same_run(void **state)
{
	struct schedule a, b, c;
	struct stages stages;
	struct errmsg msg;
	int differ = 0;

	(void)state;
	assert_int_equal(stages_parse(&stages, "10s:10-100", &msg), 0);
	schedule_init(&a, &stages, ARRIVALS_POISSON, 5);
	schedule_init(&b, &stages, ARRIVALS_POISSON, 5);
	schedule_init(&c, &stages, ARRIVALS_POISSON, 6);
	for (int i = 0; i < 300; i++) {
		int64_t due = schedule_next_ns(&a);

		assert_int_equal(due, schedule_next_ns(&b));
		differ += due != schedule_next_ns(&c);
	}
	assert_true(differ > 290);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages_are_read_as_written),
		cmocka_unit_test(nonsense_is_refused_with_words),
		cmocka_unit_test(a_hold_is_evenly_spaced),
		cmocka_unit_test(a_ramp_follows_the_square_root),
		cmocka_unit_test(every_request_of_the_demo_ramp_is_where_the_formula_says),
		cmocka_unit_test(fractions_of_a_request_carry_over_to_the_next_stage),
		cmocka_unit_test(a_pause_makes_none),
		cmocka_unit_test(a_long_run_does_not_drift),
		cmocka_unit_test(count_and_due_are_inverse),
		cmocka_unit_test(poisson_has_the_rate_and_the_spread),
		cmocka_unit_test(the_same_seed_is_the_same_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
