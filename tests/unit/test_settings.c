/* settings: an error of a store at start names the options to look at, and has its exit code. */
#include "consumer/verbs/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int said(const char *text, enum verdict verdict, struct errmsg *msg)
{
	struct store_error error = {.class = "rights"};

	errmsg_set(&error.msg, 0, "%s", text);
	return settings_store_error(&error, verdict, msg);
}

static void a_store_that_does_not_answer_names_its_address_options(void **state)
{
	struct errmsg msg;

	(void)state;
	assert_int_equal(said("mysql h:1: refused", VERDICT_RECONNECT, &msg), ERR_UNAVAILABLE);
	assert_string_equal(msg.text, "options mysql.host, .port: mysql h:1: refused");
	assert_int_equal(said("redis h:1: refused", VERDICT_RETRY, &msg), ERR_UNAVAILABLE);
	assert_string_equal(msg.text, "options redis.host, .port: redis h:1: refused");
}

static void a_store_that_refuses_names_user_and_password_too(void **state)
{
	struct errmsg msg;

	(void)state;
	assert_int_equal(said("mysql h:1: denied", VERDICT_FATAL, &msg), ERR_REFUSED);
	assert_non_null(strstr(msg.text, ".user, .password-file"));
	assert_int_equal(said("table `users` is another's", VERDICT_FATAL, &msg), ERR_REFUSED);
	assert_string_equal(msg.text, "table `users` is another's");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_that_does_not_answer_names_its_address_options),
		cmocka_unit_test(a_store_that_refuses_names_user_and_password_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
