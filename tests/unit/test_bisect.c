/* bisect: the row that can never fit is found, and a sick store is not taken for bad data. */
#include "consumer/failure/bisect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A store that refuses some offsets; `sick` refuses everything. */
struct scripted {
	int64_t bad[8];
	int bad_count;
	int64_t twins[2]; /* fit, but not both; equal: none */
	bool sick, empty_table;
	int probes;
	int fails_at; /* this probe answers RECONNECT; 0 = none */
};

static bool refuses(const struct scripted *s, const struct row *row)
{
	for (int i = 0; i < s->bad_count; i++) {
		if (s->bad[i] == row->offset)
			return true;
	}
	return s->sick;
}

static enum verdict scripted_rows(
	void *context, struct row *const *rows, size_t count, struct store_error *error)
{
	struct scripted *s = context;

	size_t seen = 0;

	*error = (struct store_error){.code = 1406, .class = "data_too_long", .row = -1};
	if (++s->probes == s->fails_at)
		return VERDICT_RECONNECT;
	for (size_t i = 0; i < count; i++) {
		seen += rows[i]->offset == s->twins[0] || rows[i]->offset == s->twins[1];
		if (refuses(s, rows[i]))
			return VERDICT_POISON;
	}
	return seen == 2 ? VERDICT_POISON : VERDICT_DONE;
}

static enum verdict scripted_known(void *context, struct store_error *error)
{
	struct scripted *s = context;

	(void)error;
	if (s->empty_table)
		return VERDICT_MOVED;
	return s->sick ? VERDICT_POISON : VERDICT_DONE;
}

#define ROWS 100
static struct row rows[ROWS];
static struct row *selected[ROWS];

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < ROWS; i++) {
		rows[i] = (struct row){.offset = i};
		selected[i] = &rows[i];
	}
	return 0;
}

static enum verdict find(struct scripted *s, size_t count, long hint, size_t *culprit)
{
	struct bisect_probe probe = {scripted_rows, scripted_known, s};
	struct store_error error = {.row = -1};

	return bisect_find(&probe, selected, count, hint, culprit, &error);
}

static void every_position_is_found_by_halving(void **state)
{
	(void)state;
	for (int i = 0; i < ROWS; i++) {
		struct scripted s = {.bad = {i}, .bad_count = 1};
		size_t culprit = 999;

		assert_int_equal(find(&s, ROWS, -1, &culprit), VERDICT_DONE);
		assert_int_equal(culprit, i);
		assert_true(s.probes <= 9);
	}
}

static void a_right_hint_costs_one_probe(void **state)
{
	struct scripted s = {.bad = {42}, .bad_count = 1};
	size_t culprit = 999;

	(void)state;
	assert_int_equal(find(&s, ROWS, 42, &culprit), VERDICT_DONE);
	assert_int_equal(culprit, 42);
	assert_int_equal(s.probes, 1);
}

static void a_wrong_hint_is_not_believed(void **state)
{
	struct scripted s = {.bad = {42}, .bad_count = 1};
	size_t culprit = 999;

	(void)state;
	assert_int_equal(find(&s, ROWS, 7, &culprit), VERDICT_DONE);
	assert_int_equal(culprit, 42);
}

static void one_of_several_is_found_at_a_time(void **state)
{
	struct scripted s = {.bad = {3, 4, 97}, .bad_count = 3};
	size_t culprit = 999;

	(void)state;
	assert_int_equal(find(&s, ROWS, -1, &culprit), VERDICT_DONE);
	assert_true(culprit == 3 || culprit == 4 || culprit == 97);
}

static void a_sick_store_is_not_bad_data(void **state)
{
	struct scripted s = {.sick = true};
	size_t culprit = 999;

	(void)state;
	assert_int_equal(find(&s, ROWS, -1, &culprit), VERDICT_RETRY);
	assert_int_equal(find(&s, 1, 0, &culprit), VERDICT_RETRY);
}

static void a_lonely_bad_record_on_an_empty_table_is_bad_data(void **state)
{
	struct scripted s = {.bad = {0}, .bad_count = 1, .empty_table = true};
	size_t culprit = 999;

	(void)state;
	assert_int_equal(find(&s, 1, -1, &culprit), VERDICT_DONE);
	assert_int_equal(culprit, 0);
}

static void rows_that_all_fit_now_are_tried_again(void **state)
{
	struct scripted s = {.bad_count = 0};
	size_t culprit = 999;

	(void)state;
	assert_int_equal(find(&s, ROWS, -1, &culprit), VERDICT_RETRY);
}

/* A unique key of an append table: each fits alone, and in every half that has not both. */
static void the_second_of_two_that_do_not_fit_together_is_found(void **state)
{
	static const int64_t pairs[][2] = {
		{0, 1}, {0, 99}, {98, 99}, {48, 49}, {49, 50}, {10, 80}};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct scripted s = {.twins = {pairs[i][0], pairs[i][1]}};
		size_t culprit = 999;

		assert_int_equal(find(&s, ROWS, -1, &culprit), VERDICT_DONE);
		assert_int_equal(culprit, pairs[i][1]);
		assert_int_equal(find(&s, ROWS, pairs[i][1], &culprit), VERDICT_DONE);
		assert_int_equal(culprit, pairs[i][1]);
	}
}

static void a_lost_connection_ends_the_search(void **state)
{
	size_t culprit = 999;

	(void)state;
	for (int at = 1; at <= 6; at++) {
		struct scripted s = {.bad = {50}, .bad_count = 1, .fails_at = at};

		assert_int_equal(find(&s, ROWS, -1, &culprit), VERDICT_RECONNECT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_position_is_found_by_halving, setup),
		cmocka_unit_test_setup(a_right_hint_costs_one_probe, setup),
		cmocka_unit_test_setup(a_wrong_hint_is_not_believed, setup),
		cmocka_unit_test_setup(one_of_several_is_found_at_a_time, setup),
		cmocka_unit_test_setup(a_sick_store_is_not_bad_data, setup),
		cmocka_unit_test_setup(
			a_lonely_bad_record_on_an_empty_table_is_bad_data, setup),
		cmocka_unit_test_setup(rows_that_all_fit_now_are_tried_again, setup),
		cmocka_unit_test_setup(
			the_second_of_two_that_do_not_fit_together_is_found, setup),
		cmocka_unit_test_setup(a_lost_connection_ends_the_search, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
