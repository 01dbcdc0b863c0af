/*
 * The forecast of a drain against what came: simulated drains, one look every half second, the
 * forecast at 25, 50 and 75 % of the work. Each must be within a fifth.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "common/lag.h"
#include "common/lag_total.h"

#define ROUND_MS   500
#define RECORDS	   600000.0
#define FULL_SPEED 20000.0 /* records/s */
#define WITHIN	   0.20
#define LOOKS	   3

static const double shares[LOOKS] = {0.25, 0.50, 0.75};

/* The speed of the moment, as a share of full speed. */
typedef double (*speed_fn)(double done, double seconds);

static double steady(double done, double seconds)
{
	(void)done, (void)seconds;
	return 1;
}

/* A table that grows: at the end a third slower than at the beginning. */
static double slowing(double done, double seconds)
{
	(void)seconds;
	return 1 - done / 3;
}

static double quickening(double done, double seconds)
{
	(void)seconds;
	return 0.75 + done / 3;
}

/* Between a third and twice the speed from look to look. */
static double noisy(double done, double seconds)
{
	static const double jitter[] = {0.3, 1.7, 1.0, 0.6, 1.4, 2.0, 0.4, 0.9, 1.2, 0.5};
	(void)done;
	return jitter[(int)(seconds * 1000 / ROUND_MS * 7) % 10];
}

/* A second in four is lost to a checkpoint of the database. */
static double stuttering(double done, double seconds)
{
	(void)done;
	return fmod(seconds, 4) < 1 ? 0.1 : 1.1;
}

static void see(struct lag_track *track, double end, double left, int64_t now_ms)
{
	struct lag_sample sample = {.now_ms = now_ms,
		.end = (int64_t)end,
		.committed = (int64_t)(end - ceil(left)),
		.members = 1,
		.owned = true};
	lag_track_see(track, &sample);
}

struct forecast {
	double at_s, eta_s;
};

static void judge(const char *name, const struct forecast *made, double end_s)
{
	for (int i = 0; i < LOOKS; i++)
		printf("%s at %.0f %%: forecast %.1f s, came %.1f s\n", name, shares[i] * 100,
			made[i].eta_s, end_s - made[i].at_s);
	for (int i = 0; i < LOOKS; i++) {
		double came = end_s - made[i].at_s;
		assert_true(fabs(made[i].eta_s - came) <= WITHIN * came);
	}
}

static void drain(const char *name, speed_fn speed)
{
	struct lag_track *track = lag_track_new(&lag_limits_default);
	struct forecast made[LOOKS];
	double left = RECORDS, seconds = 0;
	int looks = 0;
	see(track, RECORDS, left, 1000);
	while (left > 0) {
		double rate = FULL_SPEED * speed(1 - left / RECORDS, seconds);
		left = fmax(0, left - rate * ROUND_MS / 1000);
		seconds += ROUND_MS / 1000.0;
		see(track, RECORDS, left, 1000 + (int64_t)(seconds * 1000));
		if (looks < LOOKS && left <= RECORDS * (1 - shares[looks]))
			made[looks++] =
				(struct forecast){seconds, lag_track_view(track)->eta_seconds};
	}
	judge(name, made, seconds);
	assert_float_equal(lag_track_view(track)->eta_seconds, 0, 0);
	lag_track_free(track);
}

static void a_steady_drain_ends_as_forecast(void **state)
{
	(void)state;
	drain("steady", steady);
}

static void a_drain_that_slows_ends_nearly_as_forecast(void **state)
{
	(void)state;
	drain("slowing", slowing);
	drain("quickening", quickening);
}

static void a_noisy_drain_ends_nearly_as_forecast(void **state)
{
	(void)state;
	drain("noisy", noisy);
	drain("stuttering", stuttering);
}

#define PARTITIONS 6

/* Six workers share a machine; the one with the most to do ends last, and alone a little slower. */
static void uneven_partitions_end_nearly_as_forecast(void **state)
{
	(void)state;
	static const double part[PARTITIONS] = {0.22, 0.19, 0.17, 0.16, 0.14, 0.12};
	struct lag_track *tracks[PARTITIONS];
	struct lag_partition partitions[PARTITIONS] = {{.topic = "t"}};
	struct lag_total total = {.limits = &lag_limits_default};
	struct lag_view view = {.lag = 1};
	struct forecast made[LOOKS];
	double left[PARTITIONS], seconds = 0;
	int looks = 0;
	for (int p = 0; p < PARTITIONS; p++) {
		tracks[p] = lag_track_new(&lag_limits_default);
		left[p] = RECORDS * part[p];
	}
	for (; view.lag > 0; seconds += ROUND_MS / 1000.0) {
		double all = 0;
		int busy = 0;
		for (int p = 0; p < PARTITIONS; p++) {
			see(tracks[p], RECORDS * part[p], left[p],
				1000 + (int64_t)(seconds * 1000));
			partitions[p].view = *lag_track_view(tracks[p]);
			busy += left[p] > 0;
			all += left[p];
		}
		lag_total_see(&total, partitions, PARTITIONS, 1000 + (int64_t)(seconds * 1000),
			1, &view);
		if (looks < LOOKS && all <= RECORDS * (1 - shares[looks]))
			made[looks++] = (struct forecast){seconds, view.eta_seconds};
		double each = FULL_SPEED * (busy < 3 ? 0.7 : 1) / fmax(busy, 1);
		for (int p = 0; p < PARTITIONS; p++)
			left[p] = fmax(0, left[p] - each * ROUND_MS / 1000);
	}
	judge("uneven", made, seconds - ROUND_MS / 1000.0);
	for (int p = 0; p < PARTITIONS; p++)
		lag_track_free(tracks[p]);
	lag_total_release(&total);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_steady_drain_ends_as_forecast),
		cmocka_unit_test(a_drain_that_slows_ends_nearly_as_forecast),
		cmocka_unit_test(a_noisy_drain_ends_nearly_as_forecast),
		cmocka_unit_test(uneven_partitions_end_nearly_as_forecast),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
