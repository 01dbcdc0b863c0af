#include "producer/ingest/prompts.h"

#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGS 8

/* A line without its end, or the default for an empty one. */
static char *ask(const char *question, const char *fallback)
{
	char *line = NULL;
	size_t room = 0;

	fprintf(stderr, "Enter %s (default: %s): ", question, *fallback ? fallback : "none");
	if (getline(&line, &room, stdin) < 0) {
		free(line);
		return mem_strdup(fallback);
	}
	line[strcspn(line, "\r\n")] = 0;
	if (*line)
		return line;
	free(line);
	return mem_strdup(fallback);
}

static void add(char **argv, int *argc, const char *option, char *answer)
{
	if (*answer)
		argv[(*argc)++] = mem_printf("%s%s", option, answer);
	free(answer);
}

char **prompts_ask(const char *program, int *argc)
{
	char **argv;
	int count = 0;

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return NULL;
	argv = mem_zero(ARGS, sizeof(*argv));
	argv[count++] = mem_strdup(program);
	argv[count++] = mem_strdup("lines");
	add(argv, &count, "--kafka.config=",
		ask("Kafka properties file",
			access("client.properties", R_OK) == 0 ? "client.properties" : ""));
	add(argv, &count, "--to=kafka:", ask("Kafka topic", "logs"));
	add(argv, &count, "", ask("log file or pattern", "/var/log/syslog"));
	add(argv, &count, "--batch=", ask("batch size", "1000"));
	*argc = count;
	return argv;
}

void prompts_free(char **argv)
{
	for (int i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
}
