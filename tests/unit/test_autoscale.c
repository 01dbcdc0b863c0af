/* autoscale: up when behind, down when calm, never because of trouble, and without flapping. */
#include "consumer/pool/autoscale.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct autoscale scale;
static struct autoscale_input in;
static char reason[120];

static int setup(void **state)
{
	(void)state;
	autoscale_init(&scale, &autoscale_limits_default);
	in = (struct autoscale_input){.partitions = 6,
		.workers = 1,
		.min = 1,
		.max = 64,
		.lag_seconds = 0,
		.slope = 0};
	return 0;
}

/* Asks each second; the count that came out is had at once. Returns how often it changed. */
static int run_for(int seconds)
{
	int changes = 0;

	for (int i = 0; i < seconds; i++) {
		int count;

		in.now_ms += 1000;
		count = autoscale_decide(&scale, &in, reason, sizeof(reason));
		changes += count != in.workers;
		in.workers = count;
	}
	return changes;
}

static void useful_counts_divide_the_partitions(void **state)
{
	static const int above[] = {1, 2, 3, 6, 6, 6, 6};

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(autoscale_useful_above(6, i), above[i]);
	assert_int_equal(autoscale_useful_above(6, 6), 6);
	assert_int_equal(autoscale_useful_below(6, 6), 3);
	assert_int_equal(autoscale_useful_below(6, 4), 3);
	assert_int_equal(autoscale_useful_below(6, 1), 1);
}

static void behind_for_a_while_scales_up_step_by_step(void **state)
{
	(void)state;
	in.lag_seconds = 2;
	in.slope = 100;
	run_for(4);
	assert_int_equal(in.workers, 2);
	assert_non_null(strstr(reason, "behind"));
	run_for(30);
	assert_int_equal(in.workers, 6);
}

static void far_behind_takes_all_at_once(void **state)
{
	(void)state;
	in.lag_seconds = 60;
	run_for(4);
	assert_int_equal(in.workers, 6);
}

static void a_short_spike_changes_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		in.lag_seconds = 3;
		assert_int_equal(run_for(1), 0);
		in.lag_seconds = 0;
		assert_int_equal(run_for(3), 0);
	}
}

static void what_shrinks_by_itself_is_let_be(void **state)
{
	(void)state;
	in.lag_seconds = 5;
	in.slope = -500;
	assert_int_equal(run_for(60), 0);
}

static void calm_scales_down_to_the_minimum(void **state)
{
	(void)state;
	in.workers = 6;
	in.min = 2;
	run_for(300);
	assert_int_equal(in.workers, 2);
	assert_non_null(strstr(reason, "calm"));
}

static void trouble_and_unknown_lag_change_nothing(void **state)
{
	(void)state;
	in.lag_seconds = 600;
	in.trouble = true;
	assert_int_equal(run_for(100), 0);
	in.trouble = false;
	in.lag_seconds = NAN;
	assert_int_equal(run_for(100), 0);
}

static void the_maximum_holds(void **state)
{
	(void)state;
	in.max = 3;
	in.lag_seconds = 60;
	run_for(60);
	assert_int_equal(in.workers, 3);
}

static void a_load_that_needs_two_does_not_flap(void **state)
{
	int changes = 0;

	(void)state;
	in.workers = 2;
	for (int i = 0; i < 3600; i++) {
		in.lag_seconds = in.workers >= 2 ? 0 : 3;
		in.slope = in.workers >= 2 ? 0 : 50;
		changes += run_for(1);
	}
	assert_true(changes <= 14);
}

static void a_surge_long_after_is_no_flapping(void **state)
{
	(void)state;
	in.workers = 6;
	assert_int_equal(run_for(200), 3); /* down to one */
	for (int day = 0; day < 4; day++) {
		run_for(3600);
		in.lag_seconds = 60;
		in.slope = 10;
		run_for(5);
		assert_int_equal(in.workers, 6);
		in.lag_seconds = 0;
		run_for(200);
		assert_int_equal(in.workers, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(useful_counts_divide_the_partitions, setup),
		cmocka_unit_test_setup(behind_for_a_while_scales_up_step_by_step, setup),
		cmocka_unit_test_setup(far_behind_takes_all_at_once, setup),
		cmocka_unit_test_setup(a_short_spike_changes_nothing, setup),
		cmocka_unit_test_setup(what_shrinks_by_itself_is_let_be, setup),
		cmocka_unit_test_setup(calm_scales_down_to_the_minimum, setup),
		cmocka_unit_test_setup(trouble_and_unknown_lag_change_nothing, setup),
		cmocka_unit_test_setup(the_maximum_holds, setup),
		cmocka_unit_test_setup(a_load_that_needs_two_does_not_flap, setup),
		cmocka_unit_test_setup(a_surge_long_after_is_no_flapping, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
