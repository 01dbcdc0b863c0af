/* common/fault: the chosen point, the chosen time, and nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fault.h"

#ifdef WT_FAULTS

/* How a child ends that sets `spec` and passes mysql_after_commit twice. */
static int ending(const char *spec)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct errmsg msg;
		if (fault_set(spec, &msg))
			_exit(99);
		FAULT_POINT("mysql_after_commit");
		if (fault_reached("mysql_after_commit") != 1)
			_exit(98);
		FAULT_POINT("mysql_after_commit");
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	if (WIFSTOPPED(status)) {
		int sig = WSTOPSIG(status);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		return -sig;
	}
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void the_nth_pass_kills_and_no_other(void **state)
{
	(void)state;
	assert_int_equal(ending("mysql_after_commit:kill:2"), -SIGKILL);
	assert_int_equal(ending("mysql_after_commit:kill"), -SIGKILL);
	assert_int_equal(ending("mysql_after_commit:kill:3"), 0);
}

static void another_point_does_not_count(void **state)
{
	(void)state;
	assert_int_equal(ending("mysql_before_commit:kill:1"), 0);
	assert_int_equal(ending(NULL), 0);
}

static void stop_freezes_instead(void **state)
{
	(void)state;
	assert_int_equal(ending("settle_before:kill,mysql_after_commit:stop:2"), -SIGSTOP);
}

static void a_misspelt_choice_is_refused(void **state)
{
	(void)state;
	assert_int_equal(ending("mysql_after_comit:kill"), 99);
	assert_int_equal(ending("mysql_after_commit:explode"), 99);
	assert_int_equal(ending("mysql_after_commit:kill:0"), 99);
	assert_int_equal(ending("mysql_after_commit:kill:2x"), 99);
	assert_int_equal(ending(":"), 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nth_pass_kills_and_no_other),
		cmocka_unit_test(another_point_does_not_count),
		cmocka_unit_test(stop_freezes_instead),
		cmocka_unit_test(a_misspelt_choice_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

/* A release has no fault points: that this compiles is the test. */
int main(void)
{
	FAULT_POINT("mysql_after_commit");
	return 0;
}

#endif
