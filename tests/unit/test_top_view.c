/* consumer/watch/top_view: what the terminal shows, and that it fits. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/watch/top_view.h"

static const char sample[] =
	"{\"group\":\"g\",\"time_ms\":1700000000000,"
	"\"health\":{\"level\":\"bad\",\"title\":\"Stalled\",\"text\":\"mysql is away\"},"
	"\"total\":{\"lag\":12345,\"lag_seconds\":31.2,\"lag_seconds_at_least\":true,"
	"\"rate_in\":500,\"rate_out\":0,\"eta_seconds\":null},"
	"\"latency\":{\"p50_seconds\":null,\"p99_seconds\":1000,"
	"\"p99_seconds_at_least\":true},"
	"\"workers\":{\"count\":6,\"auto\":true,\"reason\":\"six\"},\"rebalances\":1,"
	"\"deadletters\":{\"total\":1,\"recent\":[{\"topic\":\"users\",\"partition\":3,"
	"\"offset\":9,"
	"\"reason\":\"bad_type\",\"text\":\"age\\u001b[31m\"}]},"
	"\"partitions\":[{\"partition\":0,\"worker\":4,\"state\":\"STALL\",\"lag\":null,"
	"\"lag_seconds\":null,\"batch\":7,\"stages\":{\"mysql\":0.002},\"cache\":\"ok\","
	"\"error\":\"Lost connection \xe2\x82\xac\"}]}";

static struct top_trend trend;

static struct top_view *view(int width, int height)
{
	struct top_view *v = calloc(1, sizeof(*v));
	v->width = width;
	v->height = height;
	v->utf8 = true;
	v->trend = &trend;
	return v;
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	(void)state;
	json_t *s = json_loads(sample, 0, NULL);
	for (int width = 1; width < 160; width += 3) {
		struct top_view *v = view(width, 24);
		for (int i = 0; i < TOP_TREND_POINTS + 9; i++) {
			json_object_set_new(
				s, "time_ms", json_integer(1700000000000 + i * 1000));
			top_trend_add(&trend, s);
		}
		char *text = top_view_text(v, s);
		int column = 0;
		for (char *at = text; *at; at++) {
			column = *at == '\n' ? 0 : column + ((*at & 0xc0) != 0x80);
			assert_true(column <= width);
		}
		free(text);
		free(v);
	}
	json_decref(s);
}

static void no_picture_is_higher_than_the_terminal(void **state)
{
	(void)state;
	json_t *s = json_loads(sample, 0, NULL);
	json_t *partitions = json_object_get(s, "partitions");
	for (int i = 0; i < 60; i++)
		json_array_append(partitions, json_array_get(partitions, 0));
	for (int height = 1; height < 60; height++) {
		struct top_view *v = view(80, height);
		char *text = top_view_text(v, s);
		int lines = 0;
		for (char *at = text; *at; at++)
			lines += *at == '\n';
		assert_true(lines <= height);
		free(text);
		free(v);
	}
	json_decref(s);
}

static void figures_and_the_unknown_are_there(void **state)
{
	(void)state;
	json_t *s = json_loads(sample, 0, NULL);
	struct top_view *v = view(120, 40);
	char *text = top_view_text(v, s);
	assert_non_null(strstr(text, "Stalled  mysql is away"));
	assert_non_null(strstr(text, "12 345 records   >= 31s"));
	assert_non_null(strstr(text, "drained in n/a"));
	assert_non_null(strstr(text, "p50 n/a  p99 >= 16m40s"));
	assert_non_null(strstr(text, "worker 4"));
	assert_non_null(strstr(text, "Lost connection"));
	assert_non_null(strstr(text, "users/3 at 9  bad_type"));
	assert_null(strstr(text, "\033")); /* neither ours nor the record's */
	free(text);
	v->color = true;
	text = top_view_text(v, s);
	assert_non_null(strstr(text, "\033[1;31mStalled"));
	assert_null(strstr(text, "age\033"));
	free(text);
	text = top_view_line(s);
	assert_non_null(strstr(text, "behind 12 345 records, >= 31s"));
	assert_string_equal(strchr(text, '\n'), "\n");
	free(text);
	free(v);
	json_decref(s);
}

static void partitions_of_several_topics_are_told_apart(void **state)
{
	(void)state;
	json_t *s = json_loads("{\"partitions\":[{\"topic\":\"orders\",\"partition\":0},"
			       "{\"topic\":\"users\",\"partition\":0}]}",
		0, NULL);
	struct top_view *v = view(80, 30);
	char *text = top_view_text(v, s);
	char *orders = strstr(text, "\norders\n  0 "), *users = strstr(text, "\nusers\n  0 ");
	assert_true(orders && users && orders < users);
	free(text);
	json_array_remove(json_object_get(s, "partitions"), 0);
	text = top_view_text(v, s);
	assert_null(strstr(text, "users")); /* one topic needs no name */
	free(text);
	free(v);
	json_decref(s);
}

static char *trend_text(struct top_trend *t, int width, int rows, const char *marks)
{
	struct term term = {.width = width};
	json_t *list = json_loads(marks, 0, NULL);
	top_trend_draw(t, &term, rows, list);
	json_decref(list);
	return term.text;
}

/* 60 columns of 5 s each; the margin is 12 wide. */
static void history_fills_the_chart_and_marks_stand_below_it(void **state)
{
	(void)state;
	struct top_trend *t = calloc(1, sizeof(*t));
	json_t *history = json_loads("{\"t\":[600001000,600006000,600295000,600299000],"
				     "\"lag\":[0,12000,null,6000],"
				     "\"rate_out\":[1,2,null,500]}",
		0, NULL);
	top_trend_load(t, history);
	char *text = trend_text(t, 72, 1,
		"[{\"time_ms\":600006500,\"kind\":\"rebalance\",\"text\":\"x\"},"
		"{\"time_ms\":1,\"kind\":\"workers\",\"text\":\"x\"},"
		"{\"time_ms\":600298000,\"kind\":\"workers\",\"text\":\"x\"}]");
	char *at = text;
	/* What is not known is a gap; nothing waits is the ground line. */
	assert_int_equal(strncmp(at, "Lag     12k .#", 14), 0);
	assert_int_equal(at[12 + 58], ' ');
	assert_int_equal(at[12 + 59], '-');
	at = strchr(at, '\n') + 1;
	assert_int_equal(strncmp(at, "Out   500/s ", 12), 0);
	assert_int_equal(at[12 + 59], '#');
	at = strchr(at, '\n') + 1;
	assert_int_equal(at[12 + 1], 'R');
	assert_int_equal(at[12 + 59], 'W');
	assert_int_equal(strcspn(at, "W"), 71);
	free(text);
	/* The same again, and what is older, change nothing. */
	top_trend_load(t, history);
	assert_int_equal(t->count, 4);
	json_decref(history);
	free(t);
}

static void a_chart_has_the_rows_it_is_given(void **state)
{
	(void)state;
	struct top_trend *t = calloc(1, sizeof(*t));
	json_t *history = json_loads("{\"t\":[1000,290000],\"lag\":[100,50]}", 0, NULL);
	top_trend_load(t, history);
	char *text = trend_text(t, 72, 4, "[]");
	int full = 0, lines = 0;
	for (char *at = text; *at; at++) {
		full += *at == '#';
		lines += *at == '\n';
	}
	assert_int_equal(lines, 4 + 3);
	assert_int_equal(full, 4 + 2);
	free(text);
	json_decref(history);
	free(t);
}

static void a_lost_server_is_said(void **state)
{
	(void)state;
	struct top_view *v = view(80, 24);
	v->gone = "disconnected since 12:00:00";
	char *text = top_view_text(v, NULL);
	assert_non_null(strstr(text, "disconnected since 12:00:00"));
	free(text);
	json_t *s = json_loads(sample, 0, NULL);
	text = top_view_text(v, s);
	assert_non_null(strstr(text, "disconnected since 12:00:00"));
	free(text);
	/* Any JSON will do. */
	json_decref(s);
	s = json_object();
	free(top_view_text(v, s));
	json_decref(s);
	free(v);
}

static void control_characters_of_others_are_blanks(void **state)
{
	(void)state;
	struct term term = {.width = 20};
	term_put_text(&term, "a\033[2J\x7f\xc2\x9b"
			     "2J\xc2\xa0\xc3\xa4");
	assert_string_equal(term.text, "a [2J  2J\xc2\xa0\xc3\xa4");
	assert_int_equal(term.column, 11);
	free(term.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(no_picture_is_higher_than_the_terminal),
		cmocka_unit_test(figures_and_the_unknown_are_there),
		cmocka_unit_test(history_fills_the_chart_and_marks_stand_below_it),
		cmocka_unit_test(a_chart_has_the_rows_it_is_given),
		cmocka_unit_test(a_lost_server_is_said),
		cmocka_unit_test(partitions_of_several_topics_are_told_apart),
		cmocka_unit_test(control_characters_of_others_are_blanks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
