#include "common/conf.h"

#include "common/conf_near.h"
#include "common/conf_value.h"
#include "common/mem.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static const struct conf_option *find_option(
	const struct conf_program *program, const char *name, size_t length)
{
	for (size_t i = 0; i < program->count; i++) {
		const char *known = program->options[i].name;

		if (strlen(known) == length && strncmp(known, name, length) == 0)
			return &program->options[i];
	}
	return NULL;
}

static void set_origin(struct conf *conf, const struct conf_option *option, const char *origin)
{
	size_t i = (size_t)(option - conf->program->options);

	free(conf->origins[i]);
	conf->origins[i] = mem_strdup(origin);
}

static int unknown_option(const struct conf_program *program, const char *name, size_t length,
	const char *origin, struct errmsg *msg)
{
	const char *near = conf_near_option(program, name, length);

	return errmsg_set(msg, ERR_CONFIG,
		"unknown option '%.*s' (%s)%s%s%s; see %s --help-all", (int)length, name,
		origin, near ? "; did you mean " : "", near ? near : "", near ? "?" : "",
		program->name);
}

static int set_pair(void *values, const char *name, size_t length, const char *text,
	const char *origin, struct errmsg *msg)
{
	struct conf *conf = values;
	const struct conf_option *option = find_option(conf->program, name, length);
	int err;

	if (!option && length > 6 && strncmp(name, "kafka.", 6) == 0) {
		char *pair = mem_printf("%.*s=%s", (int)(length - 6), name + 6, text);

		conf_list_add(&conf->kafka, pair);
		conf_list_add(&conf->kafka_origins, origin);
		free(pair);
		return 0;
	}
	if (!option)
		return unknown_option(conf->program, name, length, origin, msg);
	err = conf_value_set(values, option, text, origin, msg);
	if (err == 0)
		set_origin(conf, option, origin);
	return err;
}

static int load_defaults(void *values, struct errmsg *msg)
{
	struct conf *conf = values;

	for (size_t i = 0; i < conf->program->count; i++) {
		const struct conf_option *option = &conf->program->options[i];
		int err = conf_value_set(values, option, option->text, "default", msg);

		if (err != 0)
			return err;
		set_origin(conf, option, "default");
	}
	return 0;
}

static char *trim(char *text)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char)end[-1]))
		*--end = 0;
	return text;
}

static int load_line(void *values, char *line, const char *origin, struct errmsg *msg)
{
	char *name = trim(line);
	char *equals;

	if (!*name || *name == '#' || *name == '!')
		return 0;
	equals = strchr(name, '=');
	if (!equals)
		return errmsg_set(msg, ERR_CONFIG, "%s: '%s' is not name=value", origin, name);
	*equals = 0;
	name = trim(name);
	return set_pair(values, name, strlen(name), trim(equals + 1), origin, msg);
}

static int load_file(void *values, const char *path, struct errmsg *msg)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	int err = 0;

	if (!file)
		return errmsg_set(msg, ERR_CONFIG, "option config: cannot read %s: %s", path,
			strerror(errno));
	for (int number = 1; err == 0 && getline(&line, &room, file) >= 0; number++) {
		char *origin = mem_printf("%s:%d", path, number);

		err = load_line(values, line, origin, msg);
		free(origin);
	}
	if (err == 0 && ferror(file))
		err = errmsg_set(msg, ERR_CONFIG, "option config: cannot read %s: %s", path,
			strerror(errno));
	free(line);
	fclose(file);
	return err;
}

char *conf_env_name(const char *name)
{
	char *env = mem_printf("WT_%s", name);

	for (char *c = env; *c; c++)
		*c = *c == '.' || *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	return env;
}

/* kafka.* keys have no table: WT_KAFKA_SOCKET_TIMEOUT_MS means kafka.socket.timeout.ms. */
static int load_kafka_env(void *values, const char *entry, struct errmsg *msg)
{
	struct conf *conf = values;
	const char *equals = strchr(entry, '=');
	char *name = mem_strndup(entry, (size_t)(equals - entry));
	char *origin = mem_printf("environment %s", name);
	bool known = false;
	int err = 0;

	for (size_t i = 0; i < conf->program->count && !known; i++) {
		char *env = conf_env_name(conf->program->options[i].name);

		known = strcmp(env, name) == 0;
		free(env);
	}
	if (!known) {
		char *key = name + 3; /* "KAFKA_..." */

		for (char *c = key; *c; c++)
			*c = *c == '_' ? '.' : (char)tolower((unsigned char)*c);
		err = set_pair(values, key, strlen(key), equals + 1, origin, msg);
	}
	free(origin);
	free(name);
	return err;
}

static int load_environment(void *values, struct errmsg *msg)
{
	struct conf *conf = values;
	int err = 0;

	for (size_t i = 0; err == 0 && i < conf->program->count; i++) {
		const struct conf_option *option = &conf->program->options[i];
		char *name = conf_env_name(option->name);
		const char *text = getenv(name);
		char *origin = mem_printf("environment %s", name);

		if (text)
			err = set_pair(
				values, option->name, strlen(option->name), text, origin, msg);
		free(origin);
		free(name);
	}
	for (char **entry = environ; err == 0 && *entry; entry++) {
		if (strncmp(*entry, "WT_KAFKA_", 9) == 0 && strchr(*entry, '='))
			err = load_kafka_env(values, *entry, msg);
	}
	return err;
}

/* One argument, perhaps with its value in the next. Returns how many were used, or ERR_CONFIG. */
static int load_argument(void *values, char **argv, int left, struct errmsg *msg)
{
	struct conf *conf = values;
	const char *name = argv[0] + 2;
	const char *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct conf_option *option = find_option(conf->program, name, length);
	int err;

	if (equals)
		err = set_pair(values, name, length, equals + 1, "command line", msg);
	else if (option && option->type == CONF_BOOL)
		err = set_pair(values, name, length, "true", "command line", msg);
	else if (left < 2 && (option || strncmp(name, "kafka.", 6) == 0))
		return errmsg_set(msg, ERR_CONFIG,
			"option %s (command line): its value (%s) is missing", name,
			option ? option->arg : "VALUE");
	else
		err = set_pair(
			values, name, length, left < 2 ? "" : argv[1], "command line", msg);
	if (err != 0)
		return err;
	return equals || (option && option->type == CONF_BOOL) ? 1 : 2;
}

static int load_command_line(void *values, int argc, char **argv, struct errmsg *msg)
{
	struct conf *conf = values;
	int used;

	for (int i = 1; i < argc; i += used) {
		used = 1;
		if (strcmp(argv[i], "--") == 0) {
			while (++i < argc)
				conf_list_add(&conf->positional, argv[i]);
			return 0;
		}
		if (strncmp(argv[i], "--config=", 9) == 0)
			continue;
		if (strcmp(argv[i], "--config") == 0)
			used = 2;
		else if (strcmp(argv[i], "--print-config") == 0)
			continue;
		else if (strncmp(argv[i], "--", 2) == 0)
			used = load_argument(values, argv + i, argc - i, msg);
		else if (argv[i][0] == '-' && argv[i][1])
			return errmsg_set(msg, ERR_CONFIG,
				"unknown option '%s' (command line); options start with two "
				"dashes, see "
				"--help",
				argv[i]);
		else
			conf_list_add(&conf->positional, argv[i]);
		if (used < 0)
			return used;
	}
	return 0;
}

static int load_config_files(void *values, int argc, char **argv, struct errmsg *msg)
{
	const char *env = getenv("WT_CONFIG");
	int err = env ? load_file(values, env, msg) : 0;

	for (int i = 1; err == 0 && i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strncmp(argv[i], "--config=", 9) == 0)
			err = load_file(values, argv[i] + 9, msg);
		else if (strcmp(argv[i], "--config") == 0 && i + 1 == argc)
			err = errmsg_set(msg, ERR_CONFIG,
				"option config (command line): its value (FILE) is missing");
		else if (strcmp(argv[i], "--config") == 0)
			err = load_file(values, argv[++i], msg);
	}
	return err;
}

static bool has_flag(int argc, char **argv, const char *flag)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], flag) == 0)
			return true;
	}
	return false;
}

int conf_load(void *values, const struct conf_program *program, int argc, char **argv,
	struct errmsg *msg)
{
	struct conf *conf = values;
	int err;

	*conf = (struct conf){.program = program};
	conf->origins = mem_zero(program->count, sizeof(*conf->origins));
	for (size_t i = 0; i < program->count; i++) {
		void *field = (char *)values + program->options[i].offset;

		if (program->options[i].type == CONF_LIST)
			*(struct conf_list *)field = (struct conf_list){0};
		else if (program->options[i].type <= CONF_SECRET)
			*(char **)field = NULL;
	}
	if (has_flag(argc, argv, "--version")) {
		printf("%s %s\n", program->name, WT_VERSION);
		return CONF_DONE;
	}
	if (has_flag(argc, argv, "--help") || has_flag(argc, argv, "--help-all")) {
		conf_print_help(program, has_flag(argc, argv, "--help-all"), stdout);
		return CONF_DONE;
	}
	err = load_defaults(values, msg);
	if (err == 0)
		err = load_config_files(values, argc, argv, msg);
	if (err == 0)
		err = load_environment(values, msg);
	if (err == 0)
		err = load_command_line(values, argc, argv, msg);
	if (err == 0)
		conf_warn_environment(program);
	if (err == 0 && has_flag(argc, argv, "--print-config")) {
		conf_print_values(values, stdout);
		return CONF_DONE;
	}
	return err;
}

void conf_release(void *values)
{
	struct conf *conf = values;

	if (!conf->program)
		return;
	for (size_t i = 0; i < conf->program->count; i++) {
		conf_value_release(values, &conf->program->options[i]);
		free(conf->origins[i]);
	}
	free(conf->origins);
	conf_list_release(&conf->positional);
	conf_list_release(&conf->kafka);
	conf_list_release(&conf->kafka_origins);
	*conf = (struct conf){0};
}

const char *conf_origin(const struct conf *conf, const char *name)
{
	const struct conf_option *option = find_option(conf->program, name, strlen(name));

	return option ? conf->origins[option - conf->program->options] : "default";
}

int conf_no_more_words(const struct conf *conf, size_t count, struct errmsg *msg)
{
	if (conf->positional.count <= count)
		return 0;
	return errmsg_set(msg, ERR_CONFIG,
		"'%s' (command line) means nothing here; see %s --help",
		conf->positional.items[count], conf->program->name);
}

int conf_read_secret_file(const char *path, char **secret, struct errmsg *msg)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;

	if (!file)
		return errmsg_set(msg, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
	if (getline(&line, &room, file) < 0) {
		fclose(file);
		free(line);
		return errmsg_set(
			msg, ERR_CONFIG, "%s is empty; its first line is the secret", path);
	}
	fclose(file);
	line[strcspn(line, "\r\n")] = 0;
	*secret = line;
	return 0;
}
