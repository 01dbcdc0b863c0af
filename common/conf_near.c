#include "common/conf_near.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LENGTH 64
#define SLIPS_MAX	2

extern char **environ;

static size_t least(size_t a, size_t b, size_t c)
{
	size_t two = a < b ? a : b;

	return two < c ? two : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t row[NAME_MAX_LENGTH + 1];

	if (a_length > NAME_MAX_LENGTH || b_length > NAME_MAX_LENGTH)
		return NAME_MAX_LENGTH;
	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t above = row[j];

			row[j] = least(
				diagonal + (a[i - 1] != b[j - 1]), above + 1, row[j - 1] + 1);
			diagonal = above;
		}
	}
	return row[b_length];
}

/* Two slips in a name of five letters would be another name. */
static bool is_near(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t apart = distance(a, a_length, b, b_length);

	return apart > 0 && apart <= SLIPS_MAX && apart * 3 <= a_length;
}

const char *conf_near_option(
	const struct conf_program *program, const char *name, size_t length)
{
	for (size_t i = 0; i < program->count; i++) {
		const char *known = program->options[i].name;

		if (is_near(name, length, known, strlen(known)))
			return known;
	}
	return NULL;
}

/* `near` is set to the variable that was probably meant (caller frees), if any. */
static bool is_known(
	const struct conf_program *program, const char *variable, size_t length, char **near)
{
	*near = NULL;
	for (size_t i = 0; i < program->count; i++) {
		char *env = conf_env_name(program->options[i].name);
		bool same = strlen(env) == length && strncmp(env, variable, length) == 0;

		if (same) {
			free(env);
			free(*near);
			*near = NULL;
			return true;
		}
		if (!*near && is_near(variable + 3, length - 3, env + 3, strlen(env + 3)))
			*near = env;
		else
			free(env);
	}
	return false;
}

void conf_warn_environment(const struct conf_program *program)
{
	for (char **entry = environ; *entry; entry++) {
		size_t length = strcspn(*entry, "=");
		char *near;

		if (strncmp(*entry, "WT_", 3) != 0 || strncmp(*entry, "WT_KAFKA_", 9) == 0)
			continue;
		if (!is_known(program, *entry, length, &near) && near)
			fprintf(stderr,
				"%s: warning: the environment's %.*s is no option and was "
				"passed over; did you mean %s?\n",
				program->name, (int)length, *entry, near);
		free(near);
	}
}
