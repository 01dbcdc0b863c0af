/* loadgen/live_screen: no line wider than the terminal, no colour where none is wanted. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loadgen/live_screen.h"

static struct summary summary;

/* A minute of history with six partitions, one of them unknown. */
static struct stats_row *make_history(struct live_state *state)
{
	struct stats_row *row = NULL;
	struct stages stages;
	struct errmsg msg;

	summary_init(&summary);
	assert_int_equal(stages_parse(&stages, "30s:10,60s:10-1000,0s", &msg), 0);
	schedule_init(&summary.schedule, &stages, ARRIVALS_CONSTANT, 1);
	for (int i = 0; i < 60; i++) {
		struct lag_look look;

		lag_look_init(&look);
		for (int p = 0; p < 6; p++) {
			struct look_partition *one = lag_look_add(&look);

			one->id = p;
			one->lag = p == 5 ? -1 : i * p;
			snprintf(one->state, sizeof(one->state), "OK");
		}
		lag_look_total(&look);
		stats_lag(&summary.stats, &look, 0);
		lag_look_release(&look);
		histogram_record_us(summary.stats.now_response, 1000 + i);
		summary.stats.now_ok = (uint64_t)i;
		row = stats_row_end(&summary.stats, (int64_t)(i + 1) * 1000000000);
	}
	summary.stats.errors = 3;
	summary.stats.outcomes[HTTP_TIMEOUT] = 2;
	summary.stats.statuses[503] = 1;
	*state = (struct live_state){.phase = "load",
		.seconds = 60,
		.target_rate = 505,
		.in_flight = 3,
		.summary = &summary};
	return row;
}

static int columns(const char *line, size_t bytes)
{
	int count = 0;

	for (size_t i = 0; i < bytes; i++)
		count += ((unsigned char)line[i] & 0xc0) != 0x80;
	return count;
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	struct live_state live;
	struct stats_row *row = make_history(&live);

	(void)state;
	for (int width = 20; width <= 200; width += 7) {
		struct screen_style style = {width, false, width % 2 == 0};
		int lines, counted = 0;
		char *text = live_screen(&live, row, &style, &lines);

		for (char *at = text, *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
			assert_true(columns(at, (size_t)(end - at)) <= width);
			counted++;
		}
		assert_int_equal(counted, lines);
		assert_int_equal(lines, 4 + 1 + 6);
		free(text);
	}
	summary_release(&summary);
}

static void colour_and_utf8_only_where_wanted(void **state)
{
	struct live_state live;
	struct stats_row *row = make_history(&live);
	int lines;

	(void)state;
	for (int color = 0; color <= 1; color++) {
		for (int utf8 = 0; utf8 <= 1; utf8++) {
			struct screen_style style = {100, color, utf8};
			char *text = live_screen(&live, row, &style, &lines);
			int high = 0;

			for (const char *c = text; *c; c++)
				high += (unsigned char)*c >= 0x80;
			assert_int_equal(strchr(text, '\033') != NULL, color);
			assert_int_equal(high > 0, utf8);
			free(text);
		}
	}
	summary_release(&summary);
}

static void it_says_what_matters(void **state)
{
	struct live_state live;
	struct stats_row *row = make_history(&live);
	struct screen_style style = {160, false, false};
	int lines;
	char *text = live_screen(&live, row, &style, &lines);

	(void)state;
	assert_non_null(strstr(text, "1:00 of 1:30"));
	assert_non_null(strstr(text, "stage 2 of 2: 60s of 10 to 1000/s"));
	assert_non_null(strstr(text, "timeout 2"));
	assert_non_null(strstr(text, "HTTP 503: 1"));
	/* one partition's lag is unknown: so is the sum */
	assert_non_null(strstr(text, "n/a (lag of partition 5 unknown)"));
	free(text);
	summary_release(&summary);
}

static void times_have_fitting_units(void **state)
{
	char buf[24];

	(void)state;
	assert_string_equal(live_time(-1, buf, sizeof(buf)), "n/a");
	assert_string_equal(live_time(999, buf, sizeof(buf)), "999 us");
	assert_string_equal(live_time(1500, buf, sizeof(buf)), "1.50 ms");
	assert_string_equal(live_time(12340, buf, sizeof(buf)), "12.3 ms");
	assert_string_equal(live_time(2500000, buf, sizeof(buf)), "2.50 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(colour_and_utf8_only_where_wanted),
		cmocka_unit_test(it_says_what_matters),
		cmocka_unit_test(times_have_fitting_units),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
