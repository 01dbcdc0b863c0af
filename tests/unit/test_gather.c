/* producer/http/gather: which records wait for others, and how long. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "producer/http/gather.h"

static struct gather g;
static struct gather_record records[128];
static int used;

static void begin(int64_t max_ns)
{
	gather_release(&g);
	g.max_ns = max_ns;
	used = 0;
}

static int done(void **state)
{
	(void)state;
	gather_release(&g);
	return 0;
}

static struct gather_record *add(int32_t partition, int64_t now_ns)
{
	struct gather_record *record = &records[used++];

	record->partition = partition;
	gather_add(&g, record, now_ns);
	return record;
}

static int taken(int32_t partition)
{
	int count = 0;

	for (struct gather_record *r = gather_take(&g, partition); r; r = r->next)
		count++;
	return count;
}

/* So many are with the brokers, of partition 5. */
static void under_way(int count)
{
	for (int i = 0; i < count; i++)
		add(5, 0);
	assert_int_equal(taken(5), count);
}

static void nothing_there_is_nothing_to_do(void **state)
{
	(void)state;
	begin(1000);
	assert_int_equal(gather_next(&g, 0), GATHER_NONE);
	assert_null(gather_take(&g, 3));
	assert_true(gather_due_ns(&g) == INT64_MAX);
}

static void a_few_in_all_never_wait(void **state)
{
	(void)state;
	begin(1000);
	under_way(3);
	add(2, 0);
	assert_int_equal(gather_next(&g, 0), 2);
}

static void one_of_many_waits_until_the_others_are_done(void **state)
{
	(void)state;
	begin(1000);
	under_way(5);
	add(2, 0);
	assert_int_equal(gather_next(&g, 0), GATHER_NONE);
	for (int i = 0; i < 5; i++)
		gather_done(&g);
	assert_int_equal(gather_next(&g, 0), 2);
}

static void the_fullest_goes_first_and_alone(void **state)
{
	(void)state;
	begin(1000);
	under_way(5);
	add(1, 0);
	add(3, 0);
	add(3, 0);
	add(4, 0);
	add(4, 0);
	add(4, 0);
	for (int i = 0; i < 5; i++)
		gather_done(&g);
	assert_int_equal(gather_next(&g, 0), 4);
	assert_int_equal(taken(4), 3);
	assert_int_equal(gather_next(&g, 0), GATHER_NONE);
}

static void more_than_twice_of_what_is_under_way_does_not_wait_for_it(void **state)
{
	(void)state;
	begin(1000);
	for (int i = 0; i < 5; i++)
		add(0, 0);
	assert_int_equal(taken(0), 5);
	for (int i = 0; i < 9; i++)
		add(0, 0);
	assert_int_equal(gather_next(&g, 0), GATHER_NONE);
	add(0, 0);
	assert_int_equal(gather_next(&g, 0), 0);
}

/* under_way() makes six partitions. */
static void its_share_of_all_waits_for_nothing(void **state)
{
	(void)state;
	begin(1000);
	under_way(30);
	for (int i = 0; i < 4; i++)
		add(1, 0);
	assert_int_equal(gather_next(&g, 0), GATHER_NONE);
	add(1, 0);
	assert_int_equal(gather_next(&g, 0), 1);
}

static void a_share_is_not_less_than_a_few(void **state)
{
	(void)state;
	begin(1000);
	under_way(9);
	for (int i = 0; i < 3; i++)
		add(1, 0);
	assert_int_equal(gather_next(&g, 0), GATHER_NONE);
	add(1, 0);
	assert_int_equal(gather_next(&g, 0), 1);
}

static void enough_for_one_request_waits_for_nothing(void **state)
{
	(void)state;
	begin(1000);
	under_way(100);
	for (int i = 0; i < 15; i++)
		add(1, 0);
	assert_int_equal(gather_next(&g, 0), GATHER_NONE);
	add(1, 0);
	assert_int_equal(gather_next(&g, 0), 1);
}

static void none_waits_longer_than_the_bound(void **state)
{
	(void)state;
	begin(1000);
	under_way(50);
	add(1, 100);
	add(1, 1050);
	add(2, 500);
	assert_true(gather_due_ns(&g) == 1100);
	assert_int_equal(gather_next(&g, 1099), GATHER_NONE);
	assert_int_equal(gather_next(&g, 1100), 1);
	assert_int_equal(taken(1), 2);
	assert_true(gather_due_ns(&g) == 1500);
	assert_int_equal(gather_next(&g, 1499), GATHER_NONE);
	assert_int_equal(gather_next(&g, 1500), 2);
}

static void a_bound_of_0_lets_everything_go(void **state)
{
	(void)state;
	begin(0);
	under_way(50);
	add(1, 7);
	add(0, 7);
	assert_int_equal(gather_next(&g, 7), 0);
	taken(0);
	assert_int_equal(gather_next(&g, 7), 1);
	taken(1);
	assert_int_equal(gather_next(&g, 7), GATHER_NONE);
}

static void a_partition_keeps_its_order(void **state)
{
	struct gather_record *expected[6], *got;

	(void)state;
	begin(1000);
	for (int i = 0; i < 6; i++) {
		expected[i] = add(9, i);
		add(8, i);
	}
	got = gather_take(&g, 9);
	for (int i = 0; i < 6; i++, got = got->next)
		assert_ptr_equal(got, expected[i]);
	assert_null(got);
	assert_int_equal(g.waiting, 6);
	assert_int_equal(g.under_way, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_there_is_nothing_to_do),
		cmocka_unit_test(a_few_in_all_never_wait),
		cmocka_unit_test(one_of_many_waits_until_the_others_are_done),
		cmocka_unit_test(the_fullest_goes_first_and_alone),
		cmocka_unit_test(more_than_twice_of_what_is_under_way_does_not_wait_for_it),
		cmocka_unit_test(its_share_of_all_waits_for_nothing),
		cmocka_unit_test(a_share_is_not_less_than_a_few),
		cmocka_unit_test(enough_for_one_request_waits_for_nothing),
		cmocka_unit_test(none_waits_longer_than_the_bound),
		cmocka_unit_test(a_bound_of_0_lets_everything_go),
		cmocka_unit_test(a_partition_keeps_its_order),
	};
	return cmocka_run_group_tests(tests, NULL, done);
}
