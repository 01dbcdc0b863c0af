/* common/metrics: what a histogram says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/metrics.h"

static const struct metric_row row = {METRIC_HISTOGRAM, "age_seconds", "", "how old"};

/* The value behind the line that begins so. */
static double sample(const struct metric_histogram *h, const char *name)
{
	struct metrics_writer w = {0};
	const char *at;
	double value;

	metrics_family(&w, &row);
	metrics_histogram(&w, h, "%s", "");
	metrics_end(&w);
	at = strstr(w.text, name);
	assert_non_null(at);
	value = strtod(at + strlen(name), NULL);
	metrics_writer_release(&w);
	return value;
}

static void its_sum_is_that_of_the_values(void **state)
{
	struct metric_histogram h;

	(void)state;
	metric_histogram_init_decades(&h, 0.0001, 100);
	metric_histogram_observe(&h, 0.25);
	metric_histogram_observe_many(&h, 3.5, 4);
	metric_histogram_observe(&h, 0);
	assert_true(sample(&h, "age_seconds_sum ") == 14.25);
	assert_true(sample(&h, "age_seconds_count ") == 6);
}

/* Six million records of a year ago: in millionths their ages are more than 64 bits. */
static void the_ages_of_a_long_backlog_fit(void **state)
{
	struct metric_histogram h;
	double year = 365.0 * 86400, sum;

	(void)state;
	metric_histogram_init_decades(&h, 0.0001, 100);
	for (int i = 0; i < 6; i++)
		metric_histogram_observe_many(&h, year + 0.5, 1000000);
	sum = sample(&h, "age_seconds_sum ");
	assert_true(sum > 6e6 * year && sum < 6e6 * (year + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_sum_is_that_of_the_values),
		cmocka_unit_test(the_ages_of_a_long_backlog_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
