/* common/uuid: form and order. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/uuid.h"

static void every_id_is_larger_than_the_one_before(void **state)
{
	struct uuid_generator g = {0};
	char last[UUID_TEXT_BYTES] = "", now[UUID_TEXT_BYTES];

	(void)state;
	for (int i = 0; i < 200000; i++) {
		uuid7(&g, now);
		if (strcmp(last, now) >= 0)
			fail_msg("%s is not larger than %s", now, last);
		strcpy(last, now);
	}
}

static void it_has_version_7_the_variant_and_the_time(void **state)
{
	struct uuid_generator g = {0};
	char id[UUID_TEXT_BYTES], head[14];
	int64_t before = clock_wall_ms();

	(void)state;
	uuid7(&g, id);
	assert_int_equal(strlen(id), 36);
	assert_int_equal(id[14], '7');
	assert_non_null(strchr("89ab", id[19]));
	memcpy(head, id, 8);
	memcpy(head + 8, id + 9, 4);
	head[12] = 0;
	assert_in_range(strtoll(head, NULL, 16) - before, 0, 1000);
}

static void order_survives_a_clock_that_steps_back(void **state)
{
	struct uuid_generator g = {0};
	char first[UUID_TEXT_BYTES], second[UUID_TEXT_BYTES];

	(void)state;
	g.last_ms = (uint64_t)clock_wall_ms() + 3600000;
	uuid7(&g, first);
	uuid7(&g, second);
	assert_true(strcmp(first, second) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_id_is_larger_than_the_one_before),
		cmocka_unit_test(it_has_version_7_the_variant_and_the_time),
		cmocka_unit_test(order_survives_a_clock_that_steps_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
