/* common/histogram: against a sorted array, and the text that the plotter reads. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/histogram.h"
#include "loadgen/random.h"

#define VALUES 1000000

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Spread over all magnitudes from 1 us to an hour. */
static int64_t any_value(uint64_t *random)
{
	return (int64_t)exp(random_share(random_next(random)) * log((double)HISTOGRAM_MAX_US));
}

static void percentiles_agree_with_a_sorted_array(void **state)
{
	static const double at[] = {0, 1, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999, 100};
	int64_t *values = malloc(VALUES * sizeof(*values));
	struct histogram *h = histogram_new();
	uint64_t random = 42;
	double sum = 0;

	(void)state;
	for (int i = 0; i < VALUES; i++) {
		values[i] = any_value(&random);
		sum += (double)values[i];
		histogram_record_us(h, values[i]);
	}
	qsort(values, VALUES, sizeof(*values), by_value);
	assert_int_equal(histogram_count(h), VALUES);
	assert_int_equal(histogram_min_us(h), values[0]);
	assert_int_equal(histogram_max_us(h), values[VALUES - 1]);
	assert_true(fabs(histogram_mean_us(h) / (sum / VALUES) - 1) < 1e-9);
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		int64_t rank = (int64_t)ceil(at[i] / 100 * VALUES - 1e-6);
		int64_t exact = values[rank < 1 ? 0 : rank - 1];
		int64_t got = histogram_percentile_us(h, at[i]);

		assert_true(got >= exact);
		assert_true((double)got <= (double)exact * 1.001);
	}
	histogram_free(h);
	free(values);
}

static void small_values_are_exact(void **state)
{
	struct histogram *h = histogram_new();

	(void)state;
	for (int i = 1; i <= 2000; i++)
		histogram_record_us(h, i);
	for (int p = 1; p <= 100; p++)
		assert_int_equal(histogram_percentile_us(h, p), p * 20);
	assert_int_equal(histogram_count_up_to(h, 500), 500);
	assert_int_equal(histogram_count_up_to(h, 5000), 2000);
	assert_int_equal(histogram_count_up_to(h, -1), 0);
	histogram_free(h);
}

static void nanoseconds_round_up(void **state)
{
	struct histogram *h = histogram_new();

	(void)state;
	histogram_record_ns(h, 1);
	assert_int_equal(histogram_max_us(h), 1);
	histogram_record_ns(h, 2000);
	assert_int_equal(histogram_max_us(h), 2);
	histogram_record_ns(h, 2001);
	assert_int_equal(histogram_max_us(h), 3);
	histogram_free(h);
}

static void out_of_range_is_held_at_the_ends(void **state)
{
	struct histogram *h = histogram_new();

	(void)state;
	histogram_record_us(h, -5);
	histogram_record_us(h, INT64_MAX);
	assert_int_equal(histogram_min_us(h), 0);
	assert_int_equal(histogram_max_us(h), HISTOGRAM_MAX_US);
	assert_int_equal(histogram_percentile_us(h, 100), HISTOGRAM_MAX_US);
	assert_int_equal(histogram_count(h), 2);
	histogram_free(h);
}

static void merging_is_recording_both(void **state)
{
	struct histogram *a = histogram_new(), *b = histogram_new(), *both = histogram_new();
	uint64_t random = 7;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		int64_t value = any_value(&random);

		histogram_record_us(i % 3 ? a : b, value);
		histogram_record_us(both, value);
	}
	histogram_merge(a, b);
	assert_int_equal(histogram_count(a), histogram_count(both));
	assert_int_equal(histogram_min_us(a), histogram_min_us(both));
	assert_int_equal(histogram_max_us(a), histogram_max_us(both));
	for (double p = 0; p <= 100; p += 0.5)
		assert_int_equal(
			histogram_percentile_us(a, p), histogram_percentile_us(both, p));
	histogram_free(a);
	histogram_free(b);
	histogram_free(both);
}

static void an_empty_one_says_zero(void **state)
{
	struct histogram *h = histogram_new();

	(void)state;
	assert_int_equal(histogram_percentile_us(h, 99), 0);
	assert_int_equal(histogram_min_us(h), 0);
	assert_true(fabs(histogram_mean_us(h)) == 0);
	histogram_free(h);
}

struct walked {
	int64_t value;
	double percentile;
	uint64_t count;
	int points;
};

static void check_step(void *ctx, int64_t value, double percentile, uint64_t count)
{
	struct walked *w = ctx;

	assert_true(value >= w->value && percentile >= w->percentile && count >= w->count);
	*w = (struct walked){value, percentile, count, w->points + 1};
}

static void the_walk_rises_to_all_records(void **state)
{
	struct histogram *h = histogram_new();
	struct walked w = {-1, -1, 0, 0};
	uint64_t random = 3;

	(void)state;
	for (int i = 0; i < 5000; i++)
		histogram_record_us(h, any_value(&random));
	histogram_walk(h, check_step, &w);
	assert_int_equal(w.count, 5000);
	assert_int_equal(w.value, histogram_max_us(h));
	assert_true(w.percentile >= 100);
	assert_in_range(w.points, 40, 80);
	histogram_free(h);
}

static void hgrm_has_the_plotters_columns(void **state)
{
	struct histogram *h = histogram_new();
	char *text = NULL, header[4][32];
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	double value, share, inverse;
	unsigned long long count;

	(void)state;
	for (int i = 1; i <= 1000; i++)
		histogram_record_us(h, i * 1000);
	histogram_write_hgrm(h, out);
	fclose(out);
	assert_int_equal(
		sscanf(text, "%31s %31s %31s %31s", header[0], header[1], header[2], header[3]),
		4);
	assert_string_equal(header[1], "Percentile");
	assert_string_equal(header[3], "1/(1-Percentile)");
	assert_int_equal(sscanf(strstr(text, "\n\n"), "%lf %lf %llu %lf", &value, &share,
				 &count, &inverse),
		4);
	assert_true(fabs(value - 1) < 0.002 && fabs(share) == 0 && count == 1);
	assert_non_null(strstr(text, "1.000000000000       1000"));
	assert_non_null(strstr(text, "Total count    =         1000]"));
	free(text);
	histogram_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_agree_with_a_sorted_array),
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(nanoseconds_round_up),
		cmocka_unit_test(out_of_range_is_held_at_the_ends),
		cmocka_unit_test(merging_is_recording_both),
		cmocka_unit_test(an_empty_one_says_zero),
		cmocka_unit_test(the_walk_rises_to_all_records),
		cmocka_unit_test(hgrm_has_the_plotters_columns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
