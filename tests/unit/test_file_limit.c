/* producer/http/file_limit: connections never take the files of the way to the brokers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/resource.h>

#include "producer/http/file_limit.h"

static void shares(
	size_t files, size_t reserve, size_t wanted, size_t connections, size_t refused)
{
	struct file_limit_share share = file_limit_share(files, reserve, wanted);

	assert_int_equal(share.connections, connections);
	assert_int_equal(share.refused, refused);
}

static void what_is_wanted_is_given_where_there_is_room(void **state)
{
	(void)state;
	shares(SIZE_MAX, 104, 10000, 10000, 1000);
	shares(524288, 104, 10000, 10000, 1000);
	shares(11300, 104, 10000, 10000, 1000);
	shares(11304, 104, 10080, 10080, 1000);
}

static void connections_and_refusals_leave_the_reserve_free(void **state)
{
	(void)state;
	shares(1024, 104, 10000, 828, 92);
	for (size_t files = 107; files < 20000; files += 7) {
		struct file_limit_share share = file_limit_share(files, 104, 10000);

		assert_in_range(share.connections + share.refused, 2, files - 104);
	}
}

static void one_connection_is_always_taken(void **state)
{
	(void)state;
	shares(50, 104, 10000, 1, 1);
	shares(104, 104, 1, 1, 1);
}

static void the_soft_limit_is_raised_to_the_hard_one(void **state)
{
	struct rlimit limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(file_limit_raise() > 64);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(limit.rlim_cur == limit.rlim_max);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wanted_is_given_where_there_is_room),
		cmocka_unit_test(connections_and_refusals_leave_the_reserve_free),
		cmocka_unit_test(one_connection_is_always_taken),
		cmocka_unit_test(the_soft_limit_is_raised_to_the_hard_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
