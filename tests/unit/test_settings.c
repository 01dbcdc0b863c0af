/* settings: an error at start names the options to look at, and has its exit code. */
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

static int init(const char *topic, const char *letters, struct errmsg *msg)
{
	static const struct conf_program program = {.name = "wt-consumer"};
	struct consumer_options options = {.conf = {.program = &program},
		.topic = (char *)(uintptr_t)topic,
		.deadletter_topic = (char *)(uintptr_t)letters};
	struct settings settings;
	int err = settings_init(&settings, &options, msg);

	if (err == 0)
		settings_release(&settings);
	return err;
}

static void a_name_that_is_no_topic_is_refused_before_any_server_is_asked(void **state)
{
	char long_name[260];
	struct errmsg msg;

	(void)state;
	memset(long_name, 'x', 249);
	long_name[249] = 0;
	assert_int_equal(init("users-1.A_b", NULL, &msg), 0);
	assert_int_equal(init(long_name, "letters", &msg), 0);
	assert_int_equal(init(long_name, NULL, &msg), ERR_CONFIG); /* with .dlq too long */
	assert_non_null(strstr(msg.text, "option deadletter.topic"));
	strcpy(long_name + 249, "x");
	assert_int_equal(init(long_name, "letters", &msg), ERR_CONFIG);
	assert_int_equal(init("a b", NULL, &msg), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "option topic (default): 'a b' is no topic's name"));
	assert_int_equal(init("..", NULL, &msg), ERR_CONFIG);
	assert_int_equal(init("users", "dead letters", &msg), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "option deadletter.topic"));
}

static void letters_never_go_to_a_topic_that_is_read(void **state)
{
	struct errmsg msg;

	(void)state;
	assert_int_equal(init("users", "users", &msg), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "users is itself a topic of the mapping"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_that_does_not_answer_names_its_address_options),
		cmocka_unit_test(a_store_that_refuses_names_user_and_password_too),
		cmocka_unit_test(a_name_that_is_no_topic_is_refused_before_any_server_is_asked),
		cmocka_unit_test(letters_never_go_to_a_topic_that_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
