/* consumer/watch: headline, history and latency, without a server. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/watch/history.h"
#include "consumer/watch/picture.h"

static struct snapshot_partition part;

/* One partition that runs, nothing waits. */
static struct picture well(void)
{
	part = (struct snapshot_partition){.topic = "users", .mode = "running", .owner = 0};
	struct picture p = {
		.pool = {.assigned = true, .partition_count = 1, .partitions = &part}};
	p.lag.total.view = (struct lag_view){.state = LAG_OK, .eta_slope = NAN};
	return p;
}

static void assert_says(struct picture *p, enum level level, const char *title)
{
	picture_headline(p);
	assert_string_equal(p->title, title);
	assert_int_equal(p->level, level);
	assert_true(p->text[0]);
}

static void the_worst_thing_is_said_first(void **state)
{
	(void)state;
	struct picture p = well();
	assert_says(&p, LEVEL_OK, "All is well");
	p.pool.assigned = false;
	assert_says(&p, LEVEL_WARN, "Joining");
	p.pool.assigned = true;
	p.lag.total.view.lag = 5000;
	p.lag.total.view.lag_seconds = 12;
	p.lag.total.view.eta_seconds = 3;
	assert_says(&p, LEVEL_WARN, "Catching up");
	/* WARN is held for a moment after the growth: then the forecast is said, and the reason. */
	p.lag.total.view.state = LAG_WARN;
	snprintf(p.lag.total.view.reason, LAG_REASON_BYTES, "it grew until now");
	assert_says(&p, LEVEL_WARN, "Catching up");
	assert_non_null(strstr(p.text, "it grew until now"));
	p.lag.total.view.eta_seconds = NAN;
	assert_says(&p, LEVEL_WARN, "Falling behind");
	p.lag.total.view.state = LAG_STATE_UNKNOWN;
	snprintf(p.lag.error, sizeof(p.lag.error), "no broker");
	assert_says(&p, LEVEL_UNKNOWN, "Not known");
	snprintf(part.error, sizeof(part.error), "Deadlock");
	assert_says(&p, LEVEL_WARN, "A store is in trouble");
	p.lag.total.view.state = LAG_STALL;
	assert_says(&p, LEVEL_BAD, "Stalled");
	assert_non_null(strstr(p.text, "Deadlock"));
	p.lag.total.view.state = LAG_STOP;
	snprintf(p.lag.total.view.reason, LAG_REASON_BYTES, "nobody there");
	assert_says(&p, LEVEL_BAD, "Nobody reads");
	p.pool.draining = true;
	assert_says(&p, LEVEL_WARN, "Draining");
	part.mode = "stopped";
	assert_says(&p, LEVEL_BAD, "Stopped");
}

/* One partition stalls, of another nothing is known. */
static void an_unknown_lag_is_no_number(void **state)
{
	(void)state;
	struct picture p = well();
	p.lag.total.view.lag = p.lag.total.view.lag_known = LAG_UNKNOWN;
	p.lag.total.view.state = LAG_STALL;
	snprintf(part.error, sizeof(part.error), "Lost connection");
	assert_says(&p, LEVEL_BAD, "Stalled");
	assert_non_null(strstr(p.text, "n/a records wait"));
	p.lag.total.view.lag_known = 1200;
	assert_says(&p, LEVEL_BAD, "Stalled");
	assert_non_null(strstr(p.text, ">= 1 200 records wait"));
}

static void nothing_is_well_while_a_cache_is_filled_again(void **state)
{
	(void)state;
	struct picture p = well();
	part.rebuild_wanted = true;
	part.cache_ratio = -1;
	assert_says(&p, LEVEL_WARN, "Rebuilding");
	assert_non_null(strstr(p.text, "partition 0 waits"));
	part.cache_ratio = 0.426;
	assert_says(&p, LEVEL_WARN, "Rebuilding");
	assert_non_null(strstr(p.text, "42 %"));
	part.rebuild_wanted = false;
	assert_says(&p, LEVEL_OK, "All is well");
	assert_null(strstr(p.text, "dead letter"));
	p.deadlettered = 1; /* that one is in neither */
	assert_says(&p, LEVEL_OK, "All is well");
	assert_non_null(strstr(p.text, "or is a dead letter"));
}

/* Nothing waits in the log, and one store is behind the other all the same. */
static void nothing_is_well_while_a_partition_recovers(void **state)
{
	(void)state;
	static const char *const modes[] = {"claiming", "checking", "catching up", "healing"};
	for (int i = 0; i < 4; i++) {
		struct picture p = well();
		part.mode = modes[i];
		assert_says(&p, LEVEL_WARN, "Recovering");
		assert_non_null(strstr(p.text, "artition 0"));
	}
}

static void the_cache_is_said_to_be_ok_only_when_it_is(void **state)
{
	(void)state;
	assert_string_equal(picture_cache(NULL), "unverified");
	struct picture p = well();
	(void)p;
	assert_string_equal(picture_cache(&part), "ok");
	part.rebuild_wanted = true;
	assert_string_equal(picture_cache(&part), "rebuilding");
	part.mode = "catching up";
	assert_string_equal(picture_cache(&part), "catching up");
	part.position = -1;
	assert_string_equal(picture_cache(&part), "unverified");
}

static size_t points(const struct history *h, int64_t since, int max, double *highest)
{
	json_t *o = history_json(h, since, max), *v;
	size_t i, count = json_array_size(json_object_get(o, "t"));
	*highest = 0;
	json_array_foreach(json_object_get(o, "lag"), i, v) *highest =
		fmax(*highest, json_number_value(v));
	json_decref(o);
	return count;
}

static void the_history_is_an_hour_and_keeps_its_peaks(void **state)
{
	(void)state;
	struct history *h = calloc(1, sizeof(*h));
	double highest;
	for (int i = 1; i <= 5000; i++) {
		struct history_point p = {.wall_ms = i * 1000, .lag = i == 3000 ? 777 : NAN};
		history_add(h, &p);
	}
	assert_int_equal(points(h, 0, HISTORY_POINTS, &highest), HISTORY_POINTS);
	assert_true(points(h, 0, 100, &highest) <= 100);
	assert_float_equal(highest, 777, 0);
	assert_int_equal(points(h, 4990 * 1000, 100, &highest), 10);
	assert_int_equal(points(h, 5000 * 1000, 100, &highest), 0);
	free(h);
}

static void percentiles_are_of_the_last_seconds(void **state)
{
	(void)state;
	struct metric_histogram h;
	struct latency_window *w = calloc(1, sizeof(*w));
	struct latency l;
	metric_histogram_init_decades(&h, 0.0001, 100);
	latency_tick(w, &h, &l);
	assert_true(isnan(l.p50) && isnan(l.p99) && l.count == 0);
	for (int i = 0; i < 99; i++)
		metric_histogram_observe(&h, 0.003);
	metric_histogram_observe(&h, 3);
	latency_tick(w, &h, &l);
	assert_int_equal(l.count, 100);
	assert_in_range((int)(l.p50 * 1e6), 2500, 5000);
	assert_true(l.p99 <= 0.005);
	for (int i = 0; i < 8; i++)
		latency_tick(w, &h, &l);
	assert_int_equal(l.count, 100);
	for (int i = 0; i < 4; i++)
		latency_tick(w, &h, &l);
	assert_int_equal(l.count, 0); /* it was longer ago */
	assert_true(isnan(l.p50));
	free(w);
}

/* Out of a backlog of days: the histogram ends at 100 s here. */
static void beyond_the_last_bound_is_at_least(void **state)
{
	(void)state;
	struct metric_histogram h;
	struct latency_window *w = calloc(1, sizeof(*w));
	struct latency l;
	metric_histogram_init_decades(&h, 0.0001, 100);
	for (int i = 0; i < 10; i++)
		metric_histogram_observe(&h, i < 8 ? 2 : 200000);
	latency_tick(w, &h, &l);
	assert_true(l.p50 <= 2.5);
	assert_false(l.p50_at_least);
	assert_float_equal(l.p99, 100, 0.001);
	assert_true(l.p99_at_least);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worst_thing_is_said_first),
		cmocka_unit_test(an_unknown_lag_is_no_number),
		cmocka_unit_test(nothing_is_well_while_a_cache_is_filled_again),
		cmocka_unit_test(nothing_is_well_while_a_partition_recovers),
		cmocka_unit_test(the_cache_is_said_to_be_ok_only_when_it_is),
		cmocka_unit_test(the_history_is_an_hour_and_keeps_its_peaks),
		cmocka_unit_test(beyond_the_last_bound_is_at_least),
		cmocka_unit_test(percentiles_are_of_the_last_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
