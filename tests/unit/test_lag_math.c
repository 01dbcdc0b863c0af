/* common/lag_math: scripted sequences of offsets, one round every half second. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "common/lag_math.h"
#include "common/lag_series.h"
#include "common/lag_text.h"
#include "common/lag_total.h"

#define ROUND_MS 500

/* A scene: a group with one member that owns the partition, unless told otherwise. */
struct scene {
	struct lag_track *track;
	struct lag_sample now;
};

static struct scene scene(void)
{
	struct scene s = {
		.track = lag_track_new(&lag_limits_default),
		.now = {.now_ms = 1000000, .members = 1, .owned = true},
	};
	return s;
}

static const struct lag_view *look(struct scene *s)
{
	lag_track_see(s->track, &s->now);
	s->now.now_ms += ROUND_MS;
	return lag_track_view(s->track);
}

/* `seconds` of arrivals and commits at these rates; the last view. */
static const struct lag_view *run(struct scene *s, double seconds, double in, double out)
{
	const struct lag_view *v = NULL;
	int64_t end = s->now.end, committed = s->now.committed;
	int rounds = (int)(seconds * 1000 / ROUND_MS);
	for (int i = 1; i <= rounds; i++) {
		s->now.end = end + (int64_t)(in * i * ROUND_MS / 1000);
		s->now.committed = committed + (int64_t)(out * i * ROUND_MS / 1000);
		if (s->now.committed > s->now.end)
			s->now.committed = s->now.end;
		v = look(s);
	}
	return v;
}

static void nothing_is_known_before_the_first_round(void **state)
{
	(void)state;
	struct scene s = scene();
	const struct lag_view *v = lag_track_view(s.track);
	assert_int_equal(v->lag, LAG_UNKNOWN);
	assert_true(isnan(v->lag_seconds) && isnan(v->rate_in) && isnan(v->eta_seconds));
	assert_int_equal(v->state, LAG_STATE_UNKNOWN);
	assert_true(v->reason[0]);
	lag_track_free(s.track);
}

static void unknown_is_never_zero(void **state)
{
	(void)state;
	struct scene s = scene();
	run(&s, 5, 100, 100);
	s.now.end = LAG_UNKNOWN;
	const struct lag_view *v = look(&s);
	assert_int_equal(v->lag, LAG_UNKNOWN);
	assert_true(isnan(v->lag_seconds) && isnan(v->rate_out) && isnan(v->eta_seconds));
	assert_int_equal(v->state, LAG_STATE_UNKNOWN);
	s.now.end = 10000;
	s.now.committed = LAG_NONE;
	v = look(&s);
	assert_int_equal(v->lag, LAG_UNKNOWN);
	assert_int_equal(v->state, LAG_STATE_UNKNOWN);
	assert_non_null(strstr(v->reason, "10000 records"));
	lag_track_free(s.track);
}

static void an_empty_partition_is_fine(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.committed = LAG_NONE;
	assert_int_equal(look(&s)->state, LAG_OK);
	lag_track_free(s.track);
}

static void lag_is_never_negative(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.end = 10;
	s.now.committed = 12;
	const struct lag_view *v = look(&s);
	assert_int_equal(v->lag, 0);
	assert_int_equal(v->state, LAG_REWIND);
	lag_track_free(s.track);
}

static void seconds_are_interpolated_between_rounds(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.end = s.now.committed = 1000;
	look(&s);
	run(&s, 60, 100, 100); /* end 7000 */
	const struct lag_view *v = run(&s, 30, 100, 0); /* end 10000, committed 7000 */
	assert_int_equal(v->lag, 3000);
	assert_float_equal(v->lag_seconds, 30, 0.1);
	assert_false(v->lag_seconds_at_least);
	s.now.committed = 8525;
	v = look(&s);
	assert_float_equal(v->lag_seconds, 15.25, 0.1);
	lag_track_free(s.track);
}

static void seconds_are_never_extrapolated(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.end = 1000000;
	s.now.committed = 10;
	const struct lag_view *v = look(&s);
	assert_true(v->lag_seconds_at_least);
	assert_float_equal(v->lag_seconds, 0, 0.001);
	v = run(&s, 20, 10, 0);
	assert_true(v->lag_seconds_at_least);
	assert_float_equal(v->lag_seconds, 20, 0.001);
	lag_track_free(s.track);
}

static void a_hint_tells_what_was_there_before(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.end = 1000000;
	s.now.committed = 10;
	assert_false(lag_track_wants_hint(s.track));
	look(&s);
	assert_true(lag_track_wants_hint(s.track));
	lag_track_hint(s.track, 10, s.now.now_ms - ROUND_MS - 60000);
	const struct lag_view *v = look(&s);
	assert_false(v->lag_seconds_at_least);
	assert_float_equal(v->lag_seconds, 60.5, 0.1);
	s.now.committed = 500005; /* half way between the hint and the first sighting */
	v = look(&s);
	assert_float_equal(v->lag_seconds, 31, 0.1);
	lag_track_hint(s.track, 500005, s.now.now_ms + 5000); /* from a clock that is ahead */
	s.now.committed = 5; /* before the hint */
	v = look(&s);
	assert_true(v->lag_seconds_at_least);
	s.now.committed = s.now.end = 1000001;
	look(&s);
	assert_false(lag_track_wants_hint(s.track));
	lag_track_free(s.track);
}

static void an_idle_hour_does_not_make_a_new_record_old(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.end = s.now.committed = 50;
	run(&s, 3600, 0, 0);
	s.now.end = 60;
	const struct lag_view *v = look(&s);
	assert_int_equal(v->lag, 10);
	assert_true(v->lag_seconds <= 0.5);
	lag_track_free(s.track);
}

static void history_is_bounded_and_reaches_back(void **state)
{
	(void)state;
	struct lag_ring ring = {.count = 0};
	for (int64_t i = 0; i < 200000; i++) {
		lag_ring_add(&ring, i * 10, i * 1000);
		assert_true(ring.count < LAG_RING_POINTS);
	}
	for (int64_t age = 1; age < 199999; age = age * 3 / 2 + 1) {
		int64_t ms = 0, at = 199999 - age;
		assert_int_equal(lag_ring_time(&ring, at * 10, &ms), LAG_RING_AT);
		/* steady arrivals: thinning costs nothing but rounding */
		assert_in_range(ms, at * 1000, at * 1000 + 1000);
	}
	int64_t ms;
	assert_int_equal(lag_ring_time(&ring, 1999990, &ms), LAG_RING_NOT_YET);
}

static void thinning_keeps_the_end_of_an_idle_time(void **state)
{
	(void)state;
	struct lag_ring ring = {.count = 0};
	int64_t ms = 0;
	lag_ring_add(&ring, 100, 0);
	lag_ring_add(&ring, 100, 1000000); /* idle, moves with the clock */
	lag_ring_add(&ring, 100, 3600000);
	for (int64_t i = 1; i < 5000; i++)
		lag_ring_add(&ring, 100 + i * 10, 3600000 + i * 1000);
	assert_int_equal(lag_ring_time(&ring, 100, &ms), LAG_RING_AT);
	assert_true(ms >= 3600000);
}

static void rates_are_slopes_of_the_window(void **state)
{
	(void)state;
	struct scene s = scene();
	assert_true(isnan(look(&s)->rate_in));
	const struct lag_view *v = run(&s, 30, 800, 300);
	assert_float_equal(v->rate_in, 800, 1);
	assert_float_equal(v->rate_out, 300, 1);
	v = run(&s, 12, 0, 500); /* the past has left the window */
	assert_float_equal(v->rate_in, 0, 1);
	assert_float_equal(v->rate_out, 500, 1);
	lag_track_free(s.track);
}

static void forecast_of_a_steady_drain_is_right_from_the_start(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.end = 300000;
	s.now.members = 0;
	s.now.owned = false;
	run(&s, 30, 0, 0); /* nobody there: the drain must not be forecast by this */
	s.now.members = 1;
	s.now.owned = true;
	const struct lag_view *v = run(&s, 2, 0, 10000);
	assert_float_equal(v->eta_seconds, 28, 2);
	assert_float_equal(v->eta_slope, 10000, 10000 * 0.26);
	v = run(&s, 13, 0, 10000);
	assert_float_equal(v->eta_seconds, 15, 0.1);
	v = run(&s, 7.5, 0, 10000);
	assert_float_equal(v->eta_seconds, 7.5, 0.1);
	v = run(&s, 7.5, 0, 10000);
	assert_int_equal(v->lag, 0);
	assert_float_equal(v->eta_seconds, 0, 0);
	lag_track_free(s.track);
}

static void forecast_of_a_long_drain_is_not_its_last_moments(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.end = 600000;
	look(&s);
	run(&s, 20, 0, 10000);
	run(&s, 10, 0, 4000); /* somebody else needs the machine */
	const struct lag_view *v = look(&s);
	assert_int_equal(v->lag, 360000);
	/* the slow ten seconds count more than the twenty before, but not alone */
	assert_float_equal(v->eta_slope, 5600, 300);
	lag_track_free(s.track);
}

static void a_drain_that_turned_round_has_no_forecast(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.end = 600000;
	look(&s);
	run(&s, 30, 0, 10000);
	assert_true(isnan(run(&s, 11, 5000, 4000)->eta_seconds));
	lag_track_free(s.track);
}

static void forecast_counts_what_still_arrives(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.end = 100000;
	const struct lag_view *v = run(&s, 15, 1000, 3000);
	assert_int_equal(v->lag, 70000);
	assert_float_equal(v->eta_slope, 2000, 1);
	assert_float_equal(v->eta_seconds, 35, 0.1);
	lag_track_free(s.track);
}

static void a_growing_lag_has_no_forecast(void **state)
{
	(void)state;
	struct scene s = scene();
	const struct lag_view *v = run(&s, 20, 1000, 200);
	assert_true(isnan(v->eta_seconds) && isnan(v->eta_slope));
	assert_int_equal(v->state, LAG_WARN);
	assert_non_null(strstr(v->reason, "800"));
	lag_track_free(s.track);
}

static void a_moment_of_growth_is_no_warning(void **state)
{
	(void)state;
	struct scene s = scene();
	run(&s, 20, 1000, 1000);
	assert_int_equal(run(&s, 3, 2000, 1000)->state, LAG_OK);
	assert_int_equal(run(&s, 10, 1000, 1200)->state, LAG_OK);
	lag_track_free(s.track);
}

static void growth_that_is_over_is_said_to_be_over(void **state)
{
	(void)state;
	struct scene s = scene();
	run(&s, 20, 1000, 200);
	const struct lag_view *v = run(&s, 6, 0, 1000);
	assert_int_equal(v->state, LAG_WARN);
	assert_non_null(strstr(v->reason, "the lag grew until "));
	assert_true(v->eta_seconds > 0);
	lag_track_free(s.track);
}

static void a_small_lag_is_no_warning(void **state)
{
	(void)state;
	struct scene s = scene();
	run(&s, 10, 10, 10);
	assert_int_equal(run(&s, 8, 12, 10)->state, LAG_OK);
	lag_track_free(s.track);
}

static void a_warning_does_not_flap(void **state)
{
	(void)state;
	struct scene s = scene();
	run(&s, 20, 1000, 200);
	int changes = 0;
	enum lag_state was = LAG_WARN;
	for (int i = 0; i < 40; i++) { /* it moves in jerks, and grows all the while */
		const struct lag_view *v = run(&s, 0.5, 1000, i % 2 ? 1300 : 300);
		changes += v->state != was;
		was = v->state;
	}
	assert_int_equal(changes, 0);
	lag_track_free(s.track);
}

static void no_progress_of_an_owner_is_a_stall(void **state)
{
	(void)state;
	struct scene s = scene();
	run(&s, 10, 100, 100);
	assert_int_not_equal(run(&s, 9, 100, 0)->state, LAG_STALL);
	assert_int_equal(run(&s, 2, 100, 0)->state, LAG_STALL);
	assert_int_not_equal(run(&s, 0.5, 100, 100)->state, LAG_STALL);
	lag_track_free(s.track);
}

static void nobody_there_is_a_stop_at_first_sight(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.end = 5;
	s.now.members = 0;
	s.now.owned = false;
	const struct lag_view *v = look(&s);
	assert_int_equal(v->state, LAG_STOP);
	assert_non_null(strstr(v->reason, "no members"));
	lag_track_free(s.track);
}

static void a_change_of_owners_is_no_stop(void **state)
{
	(void)state;
	struct scene s = scene();
	run(&s, 10, 100, 100);
	s.now.owned = false;
	assert_int_equal(run(&s, 1.5, 100, 0)->state, LAG_OK);
	s.now.owned = true;
	assert_int_equal(run(&s, 1, 100, 100)->state, LAG_OK);
	lag_track_free(s.track);
}

static void commits_without_membership_are_no_stop(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.members = 0;
	s.now.owned = false;
	s.now.end = 100000;
	look(&s);
	assert_int_equal(run(&s, 10, 100, 500)->state, LAG_OK);
	lag_track_free(s.track);
}

static void unknown_members_and_no_commit_for_long_is_a_stop(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.members = LAG_UNKNOWN;
	s.now.owned = false;
	run(&s, 10, 100, 100);
	assert_int_equal(run(&s, 30, 100, 0)->state, LAG_STALL);
	assert_int_equal(run(&s, 31, 100, 0)->state, LAG_STOP);
	lag_track_free(s.track);
}

static void an_idle_group_without_members_is_fine(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.members = 0;
	s.now.owned = false;
	assert_int_equal(run(&s, 100, 0, 0)->state, LAG_OK);
	lag_track_free(s.track);
}

static void going_back_is_shown_and_forgotten(void **state)
{
	(void)state;
	struct scene s = scene();
	run(&s, 10, 100, 100);
	s.now.committed = 200;
	const struct lag_view *v = look(&s);
	assert_int_equal(v->state, LAG_REWIND);
	assert_non_null(strstr(v->reason, "from 1000 to 200"));
	v = run(&s, 20, 0, 100);
	assert_int_equal(v->state, LAG_REWIND);
	assert_true(v->rate_out >= 0);
	assert_int_equal(run(&s, 15, 0, 0)->state, LAG_OK);
	lag_track_free(s.track);
}

static void going_back_is_seen_across_an_outage(void **state)
{
	(void)state;
	struct scene s = scene();
	run(&s, 10, 100, 100);
	s.now.committed = s.now.end = LAG_UNKNOWN;
	look(&s);
	s.now.end = 1000;
	s.now.committed = 10;
	assert_int_equal(look(&s)->state, LAG_REWIND);
	lag_track_free(s.track);
}

static void unread_records_that_were_deleted_are_a_warning(void **state)
{
	(void)state;
	struct scene s = scene();
	s.now.end = 1000;
	look(&s);
	s.now.low = 600;
	const struct lag_view *v = look(&s);
	assert_int_equal(v->state, LAG_WARN);
	assert_non_null(strstr(v->reason, "600 records were deleted"));
	assert_int_equal(v->lag, 1000);
	lag_track_free(s.track);
}

/* "10 s" would be a lie where another partition waits for 8 s or more. */
static void a_total_is_exact_only_when_every_part_is(void **state)
{
	(void)state;
	struct lag_total total = {.limits = &lag_limits_default};
	struct lag_partition parts[2] = {{.topic = "t"}, {.topic = "t", .partition = 1}};
	struct lag_view view;
	for (int i = 0; i < 2; i++)
		parts[i].view = (struct lag_view){.end = 100,
			.committed = 90,
			.lag = 10,
			.lag_seconds = i ? 8 : 10,
			.lag_seconds_at_least = i == 1,
			.eta_seconds = NAN};
	lag_total_see(&total, parts, 2, 1000, 1, &view);
	assert_float_equal(view.lag_seconds, 10, 0);
	assert_true(view.lag_seconds_at_least);
	parts[1].view.lag_seconds_at_least = false;
	lag_total_see(&total, parts, 2, 2000, 1, &view);
	assert_false(view.lag_seconds_at_least);
	lag_total_release(&total);
}

static void a_total_of_which_a_part_is_unknown_says_what_is_known(void **state)
{
	(void)state;
	struct lag_total total = {.limits = &lag_limits_default};
	struct lag_partition parts[2] = {{.topic = "t"}, {.topic = "t", .partition = 1}};
	struct scene s = scene();
	struct lag_view view;
	char text[LAG_TEXT_BYTES];
	s.now.end = 2345;
	parts[0].view = *look(&s);
	s.now.end = s.now.committed = LAG_UNKNOWN;
	parts[1].view = *look(&s);
	lag_total_see(&total, parts, 2, 1000, 1, &view);
	assert_int_equal(view.lag, LAG_UNKNOWN);
	assert_int_equal(view.lag_known, 2345);
	assert_true(view.lag_seconds_at_least);
	assert_true(isnan(view.rate_in) && isnan(view.eta_seconds));
	assert_int_equal(view.state, LAG_STATE_UNKNOWN);
	assert_string_equal(lag_text_lag(text, &view), ">= 2 345");
	parts[0].view.lag = parts[0].view.lag_known = 0; /* "at least none" is nothing to say */
	lag_total_see(&total, parts, 2, 2000, 1, &view);
	assert_int_equal(view.lag_known, LAG_UNKNOWN);
	assert_string_equal(lag_text_lag(text, &view), "n/a");
	lag_total_release(&total);
	lag_track_free(s.track);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known_before_the_first_round),
		cmocka_unit_test(unknown_is_never_zero),
		cmocka_unit_test(an_empty_partition_is_fine),
		cmocka_unit_test(lag_is_never_negative),
		cmocka_unit_test(seconds_are_interpolated_between_rounds),
		cmocka_unit_test(seconds_are_never_extrapolated),
		cmocka_unit_test(a_hint_tells_what_was_there_before),
		cmocka_unit_test(an_idle_hour_does_not_make_a_new_record_old),
		cmocka_unit_test(history_is_bounded_and_reaches_back),
		cmocka_unit_test(thinning_keeps_the_end_of_an_idle_time),
		cmocka_unit_test(rates_are_slopes_of_the_window),
		cmocka_unit_test(forecast_of_a_steady_drain_is_right_from_the_start),
		cmocka_unit_test(forecast_of_a_long_drain_is_not_its_last_moments),
		cmocka_unit_test(a_drain_that_turned_round_has_no_forecast),
		cmocka_unit_test(forecast_counts_what_still_arrives),
		cmocka_unit_test(a_growing_lag_has_no_forecast),
		cmocka_unit_test(a_moment_of_growth_is_no_warning),
		cmocka_unit_test(growth_that_is_over_is_said_to_be_over),
		cmocka_unit_test(a_small_lag_is_no_warning),
		cmocka_unit_test(a_warning_does_not_flap),
		cmocka_unit_test(no_progress_of_an_owner_is_a_stall),
		cmocka_unit_test(nobody_there_is_a_stop_at_first_sight),
		cmocka_unit_test(a_change_of_owners_is_no_stop),
		cmocka_unit_test(commits_without_membership_are_no_stop),
		cmocka_unit_test(unknown_members_and_no_commit_for_long_is_a_stop),
		cmocka_unit_test(an_idle_group_without_members_is_fine),
		cmocka_unit_test(going_back_is_shown_and_forgotten),
		cmocka_unit_test(going_back_is_seen_across_an_outage),
		cmocka_unit_test(unread_records_that_were_deleted_are_a_warning),
		cmocka_unit_test(a_total_is_exact_only_when_every_part_is),
		cmocka_unit_test(a_total_of_which_a_part_is_unknown_says_what_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
