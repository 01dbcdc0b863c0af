/* conf: default < file < environment < command line, and errors that name what is wrong. */
#include "common/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct test_options {
	struct conf conf;
	char *text;
	int64_t number, bytes, wait;
	bool flag;
	int word;
	struct conf_list list;
	char *secret;
};

#define OPTION(...) CONF_ROW(struct test_options, __VA_ARGS__)
static const struct conf_option rows[] = {OPTION(STRING, text, "some.text", "abc", 0, 0, "TEXT",
	BASIC, "a text") OPTION(INT, number, "a-number", "7", 1, 10, "N", BASIC,
	"a number") OPTION(BYTES, bytes, "size", "1KiB", 0, 1e9, "BYTES", BASIC,
	"a size") OPTION(MS, wait, "wait-ms", "5s", 0, 1e9, "MS", BASIC, "a time") OPTION(BOOL,
	flag, "flag", "false", 0, 0, "BOOL", BASIC, "a flag") OPTION(ENUM, word, "word", "two",
	0, 0, "one|two|three", BASIC, "a word") OPTION(LIST, list, "list", "", 0, 0, "ITEM",
	MORE, "a list") OPTION(SECRET, secret, "secret", "", 0, 0, "TEXT", MORE, "a secret")};
#undef OPTION

static const struct conf_program program = {
	"wt-test", "a test", "[OPTIONS]", NULL, rows, sizeof(rows) / sizeof(rows[0])};

static struct test_options options;
static struct errmsg msg;

static int load(int argc, const char **argv)
{
	msg.text[0] = 0;
	return conf_load(&options, &program, argc, (char **)argv, &msg);
}
#define LOAD(...)                                                                              \
	load((int)(sizeof((const char *[]){"wt-test", ##__VA_ARGS__}) / sizeof(char *)),       \
		(const char *[]){"wt-test", ##__VA_ARGS__})

static int release(void **state)
{
	(void)state;
	conf_release(&options);
	unsetenv("WT_SOME_TEXT");
	unsetenv("WT_A_NUMBER");
	unsetenv("WT_KAFKA_SOCKET_TIMEOUT_MS");
	return 0;
}

static void defaults_hold(void **state)
{
	(void)state;
	assert_int_equal(LOAD(), CONF_RUN);
	assert_string_equal(options.text, "abc");
	assert_int_equal(options.number, 7);
	assert_int_equal(options.bytes, 1024);
	assert_int_equal(options.wait, 5000);
	assert_int_equal(options.word, 1);
	assert_false(options.flag);
}

static void later_origins_win(void **state)
{
	char path[] = "/tmp/wt-conf-XXXXXX";
	int fd = mkstemp(path);
	static const char file[] = "# a comment\nsome.text = file\na-number=3\nsize=2KiB\n";

	(void)state;
	assert_int_equal(write(fd, file, sizeof(file) - 1), sizeof(file) - 1);
	close(fd);
	setenv("WT_SOME_TEXT", "environment", 1);
	setenv("WT_A_NUMBER", "4", 1);
	assert_int_equal(LOAD("--a-number", "5", "--config", path, "pos"), CONF_RUN);
	unlink(path);
	assert_int_equal(options.bytes, 2048);
	assert_string_equal(options.text, "environment");
	assert_int_equal(options.number, 5);
	assert_int_equal(options.conf.positional.count, 1);
}

static void every_form_is_taken(void **state)
{
	(void)state;
	assert_int_equal(
		LOAD("--some.text=x=y", "--flag", "--word", "THREE", "--list=a", "--list", "b",
			"--kafka.linger.ms=5", "--kafka.acks", "all", "--", "--flag"),
		CONF_RUN);
	assert_string_equal(options.text, "x=y");
	assert_true(options.flag);
	assert_int_equal(options.word, 2);
	assert_int_equal(options.list.count, 2);
	assert_string_equal(options.conf.kafka.items[0], "linger.ms=5");
	assert_string_equal(options.conf.kafka.items[1], "acks=all");
	assert_string_equal(options.conf.positional.items[0], "--flag");
}

static void an_unknown_option_is_named(void **state)
{
	(void)state;
	assert_int_equal(LOAD("--nope=1"), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "nope"));
	assert_non_null(strstr(msg.text, "command line"));
}

static void a_bad_value_names_option_value_origin_and_bounds(void **state)
{
	static const char *const parts[] = {
		"a-number", "11", "environment WT_A_NUMBER", "1 to 10"};

	(void)state;
	setenv("WT_A_NUMBER", "11", 1);
	assert_int_equal(LOAD(), ERR_CONFIG);
	for (size_t i = 0; i < 4; i++)
		assert_non_null(strstr(msg.text, parts[i]));
}

static void nonsense_values_are_refused(void **state)
{
	static const char *const bad[] = {"--a-number=", "--a-number=x", "--a-number=1.5",
		"--a-number=nan", "--size=-1", "--size=1Kb", "--wait-ms=5 s", "--flag=maybe",
		"--word=four", "--word="};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(LOAD(bad[i]), ERR_CONFIG);
		conf_release(&options);
	}
}

static void a_text_with_a_default_is_never_empty(void **state)
{
	(void)state;
	assert_int_equal(LOAD("--some.text="), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "option some.text (command line)"));
	assert_non_null(strstr(msg.text, "must not be empty"));
	conf_release(&options);
	assert_int_equal(LOAD("--secret="), CONF_RUN);
	assert_null(options.secret);
}

static void a_word_too_many_is_named(void **state)
{
	(void)state;
	assert_int_equal(LOAD("verb", "stray"), CONF_RUN);
	assert_int_equal(conf_no_more_words(&options.conf, 2, &msg), 0);
	assert_int_equal(conf_no_more_words(&options.conf, 1, &msg), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "'stray'"));
	assert_string_equal(conf_origin(&options.conf, "some.text"), "default");
}

static void a_missing_value_is_named(void **state)
{
	(void)state;
	assert_int_equal(LOAD("--some.text"), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "some.text"));
}

static void an_unreadable_file_is_named(void **state)
{
	(void)state;
	assert_int_equal(LOAD("--config=/nonexistent/x"), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "/nonexistent/x"));
}

static void secrets_are_masked(void **state)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	assert_int_equal(LOAD("--secret=hunter2", "--kafka.sasl.password=hunter3"), CONF_RUN);
	conf_print_values(&options, out);
	fclose(out);
	assert_null(strstr(text, "hunter"));
	assert_non_null(strstr(text, "secret=***"));
	free(text);
}

static void kafka_keys_come_from_the_environment(void **state)
{
	(void)state;
	setenv("WT_KAFKA_SOCKET_TIMEOUT_MS", "1234", 1);
	assert_int_equal(LOAD(), CONF_RUN);
	assert_string_equal(options.conf.kafka.items[0], "socket.timeout.ms=1234");
}

static void a_slip_of_the_fingers_is_answered_with_the_name(void **state)
{
	(void)state;
	assert_int_equal(LOAD("--some.txet=x"), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "did you mean some.text?"));
	conf_release(&options);
	assert_int_equal(LOAD("--elsewhere=x"), ERR_CONFIG);
	assert_null(strstr(msg.text, "did you mean"));
}

/* What conf_load() writes to stderr while `variable` is set. Caller frees. */
static char *said_about(const char *variable)
{
	FILE *file = tmpfile();
	int before = dup(2);
	char *text = calloc(1, 512);

	setenv(variable, "1", 1);
	dup2(fileno(file), 2);
	assert_int_equal(LOAD(), CONF_RUN);
	dup2(before, 2);
	close(before);
	unsetenv(variable);
	rewind(file);
	assert_true(fread(text, 1, 511, file) < 511);
	fclose(file);
	conf_release(&options);
	return text;
}

static void a_mistyped_variable_is_said_and_a_stranger_is_not(void **state)
{
	static const char *const silent[] = {
		"WT_FLAG", "WT_PRODUCER_SERVICE_HOST", "WT_LONG", "WT_KAFKA_RETRIES"};
	char *text = said_about("WT_SOME_TXT");

	(void)state;
	assert_non_null(strstr(text, "WT_SOME_TXT is no option"));
	assert_non_null(strstr(text, "did you mean WT_SOME_TEXT?"));
	free(text);
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
		text = said_about(silent[i]);
		assert_string_equal(text, "");
		free(text);
	}
	assert_int_equal(LOAD(), CONF_RUN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(defaults_hold, release),
		cmocka_unit_test_teardown(later_origins_win, release),
		cmocka_unit_test_teardown(every_form_is_taken, release),
		cmocka_unit_test_teardown(an_unknown_option_is_named, release),
		cmocka_unit_test_teardown(
			a_bad_value_names_option_value_origin_and_bounds, release),
		cmocka_unit_test_teardown(nonsense_values_are_refused, release),
		cmocka_unit_test_teardown(a_text_with_a_default_is_never_empty, release),
		cmocka_unit_test_teardown(a_word_too_many_is_named, release),
		cmocka_unit_test_teardown(a_missing_value_is_named, release),
		cmocka_unit_test_teardown(an_unreadable_file_is_named, release),
		cmocka_unit_test_teardown(secrets_are_masked, release),
		cmocka_unit_test_teardown(kafka_keys_come_from_the_environment, release),
		cmocka_unit_test_teardown(
			a_slip_of_the_fingers_is_answered_with_the_name, release),
		cmocka_unit_test_teardown(
			a_mistyped_variable_is_said_and_a_stranger_is_not, release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
