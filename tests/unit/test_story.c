/* consumer/watch/story: what the log is told, and what is too short to be told. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "consumer/watch/story.h"

static struct story story;
static struct picture picture;

static int setup(void **state)
{
	(void)state;
	memset(&story, 0, sizeof(story));
	memset(&picture, 0, sizeof(picture));
	return 0;
}

/* A second with this headline, lag and age; the news. */
static int second(const char *title, int64_t lag, double age)
{
	struct lag_view *v = &picture.lag.total.view;
	snprintf(picture.title, sizeof(picture.title), "%s", title);
	picture.wall_ms += 1000;
	v->lag = lag;
	v->lag_seconds = age;
	v->end = 1000000;
	v->committed = lag < 0 ? LAG_UNKNOWN : v->end - lag;
	return story_tick(&story, &picture);
}

static void a_headline_is_told_when_it_lasts(void **state)
{
	(void)state;
	assert_int_equal(second("All is well", 0, 0), 0);
	assert_int_equal(second("All is well", 0, 0), 0);
	assert_int_equal(second("All is well", 0, 0), STORY_HEALTH);
	for (int i = 0; i < 100; i++)
		assert_int_equal(second("All is well", 0, 0), 0);
	second("Not known", LAG_UNKNOWN, NAN);
	second("Not known", LAG_UNKNOWN, NAN);
	assert_int_equal(second("Not known", LAG_UNKNOWN, NAN), STORY_HEALTH);
	assert_string_equal(story.title, "Not known");
	assert_string_equal(story.before, "All is well");
}

static void what_flaps_is_no_flood(void **state)
{
	(void)state;
	int told = 0;
	for (int i = 0; i < 300; i++)
		told += second(i % 2 ? "Behind" : "All is well", 10, i % 2 ? 5.5 : 4.5) != 0;
	/* One backlog that is never quite worked off. */
	assert_int_equal(told, 1);
}

static void a_backlog_is_told_at_its_beginning_and_end(void **state)
{
	(void)state;
	second("x", 0, 0);
	assert_int_equal(second("x", 900, 4.9), 0);
	assert_true(second("x", 1000, 5.1) & STORY_BACKLOG);
	assert_int_equal(second("x", 5000, 8) & ~STORY_HEALTH, 0);
	assert_int_equal(second("x", LAG_UNKNOWN, NAN) & ~STORY_HEALTH, 0);
	assert_int_equal(second("x", 400, 1.5) & ~STORY_HEALTH, 0);
	assert_int_equal(second("x", 0, 0) & ~STORY_HEALTH, STORY_DRAINED);
	assert_int_equal(story.peak, 5000);
	assert_int_equal(story.records, 1000);
	assert_float_equal(story.seconds, 4, 0.001);
	assert_int_equal(second("x", 0, 0) & ~STORY_HEALTH, 0);
}

static void many_letters_are_counted_when_they_end_or_go_on(void **state)
{
	(void)state;
	int told = 0;
	picture.deadlettered = 7;
	assert_int_equal(second("x", 0, 0) & STORY_LETTERS, 0);
	assert_int_equal(second("x", 0, 0) & STORY_LETTERS, STORY_LETTERS);
	assert_int_equal(story.letters, 7);
	assert_int_equal(second("x", 0, 0) & STORY_LETTERS, 0);
	for (int i = 0; i < 100; i++) {
		picture.deadlettered += 50;
		told += (second("x", 0, 0) & STORY_LETTERS) != 0;
	}
	assert_int_equal(told, 10);
	assert_int_equal(story.letters_told, 5007);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_headline_is_told_when_it_lasts, setup),
		cmocka_unit_test_setup(what_flaps_is_no_flood, setup),
		cmocka_unit_test_setup(a_backlog_is_told_at_its_beginning_and_end, setup),
		cmocka_unit_test_setup(many_letters_are_counted_when_they_end_or_go_on, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
