/* common/log: whatever is logged, a line is one, and of its format. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

static char written[20000];

/* What the call writes to stderr. */
static void log_text(const char *name, const char *text)
{
	int pipes[2], saved = dup(STDERR_FILENO);
	ssize_t length;

	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[1], STDERR_FILENO);
	log_event(LOG_ERROR, "test", LOG_F(name, LOG_STR(text)), LOG_F("count", LOG_INT(7)));
	dup2(saved, STDERR_FILENO);
	length = read(pipes[0], written, sizeof(written) - 1);
	assert_true(length > 0);
	written[length] = 0;
	close(pipes[0]);
	close(pipes[1]);
	close(saved);
}

static void is_one_object_with(const char *name, size_t least_bytes)
{
	json_error_t why;
	json_t *line = json_loads(written, 0, &why);

	if (!line)
		fail_msg("%s: %.80s...", why.text, written);
	assert_int_equal(strcspn(written, "\n"), strlen(written) - 1);
	assert_true(json_string_length(json_object_get(line, name)) >= least_bytes);
	json_decref(line);
}

static void a_line_of_json_is_json(void **state)
{
	static char large[6000];

	(void)state;
	log_setup(LOG_INFO, LOG_JSON);
	log_text("error", "all \"well\"\n");
	is_one_object_with("error", 11);
	memset(large, 'x', sizeof(large) - 1);
	log_text("error", large);
	is_one_object_with("error", 3900);
	memset(large, '\n', sizeof(large) - 1);
	log_text("error", large);
	is_one_object_with("error", 1900);
	log_text("error", "cut within \xe6\x97");
	is_one_object_with("error", 11);
	memset(large, 'n', sizeof(large) - 1);
	log_text(large, "a name without end");
	is_one_object_with("event", 4);
}

static void a_line_of_logfmt_is_a_line(void **state)
{
	static char large[6000];

	(void)state;
	log_setup(LOG_INFO, LOG_LOGFMT);
	memset(large, 'x', sizeof(large) - 1);
	log_text("error", large);
	assert_int_equal(strcspn(written, "\n"), strlen(written) - 1);
	assert_int_equal(written[strlen(written) - 2], '"');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_json_is_json),
		cmocka_unit_test(a_line_of_logfmt_is_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
