/* producer/http/prefer: what a Prefer header asks for. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "common/err.h"
#include "producer/http/prefer.h"

static struct preference p;

static int of(const char *text)
{
	p = (struct preference){.async = false};
	return prefer_read(&p, text, strlen(text), 60);
}

static void waits(const char *text, int seconds)
{
	assert_int_equal(of(text), 0);
	if (!p.wait || p.wait_s != seconds || p.async)
		fail_msg("%s: wait %d for %d, async %d", text, p.wait, p.wait_s, p.async);
}

static void wait_is_found_among_others_in_any_case(void **state)
{
	(void)state;
	waits("wait=5", 5);
	waits("  WAIT = 5 ", 5);
	waits("return=minimal, wait=\"7\"; why=so, handling=lenient", 7);
	waits("wait=0", 0);
	waits(",,wait=1,", 1);
}

static void wait_is_stronger_than_async(void **state)
{
	(void)state;
	waits("respond-async, wait=10", 10);
	waits("wait=10, respond-async", 10);
	assert_int_equal(of("respond-async"), 0);
	assert_true(p.async && !p.wait);
}

static void several_headers_are_one_list(void **state)
{
	static const char *const more[] = {"wait=5", "respond-async", "return=minimal"};

	(void)state;
	for (size_t first = 0; first < 3; first++) {
		p = (struct preference){.async = false};
		for (size_t i = 0; i < 3; i++) {
			const char *text = more[(first + i) % 3];

			assert_int_equal(prefer_read(&p, text, strlen(text), 60), 0);
		}
		assert_true(p.wait && p.wait_s == 5 && !p.async);
	}
}

static void of_one_preference_said_twice_the_first_counts(void **state)
{
	(void)state;
	waits("wait=5, wait=7", 5);
	assert_int_equal(of("wait=5, wait=x"), ERR_INVALID);
}

static void a_long_wait_is_cut(void **state)
{
	(void)state;
	waits("wait=61", 60);
	waits("wait=99999999999999999999999999", 60);
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const bad[] = {"wait", "wait=", "wait=x", "wait=1.5", "wait=-1",
		"wait=\"\"", "wait=1 2", "wait;a=1"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (of(bad[i]) != ERR_INVALID)
			fail_msg("%s is taken", bad[i]);
	}
}

static void unknown_preferences_are_passed_over(void **state)
{
	static const char *const other[] = {
		"", ",", ";", "=", "waiting=x", "a wait=x", "return=representation"};

	(void)state;
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		if (of(other[i]) != 0 || p.wait || p.async)
			fail_msg("'%s' is not passed over", other[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wait_is_found_among_others_in_any_case),
		cmocka_unit_test(wait_is_stronger_than_async),
		cmocka_unit_test(several_headers_are_one_list),
		cmocka_unit_test(of_one_preference_said_twice_the_first_counts),
		cmocka_unit_test(a_long_wait_is_cut),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(unknown_preferences_are_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
