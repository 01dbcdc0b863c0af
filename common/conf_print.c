#include "common/conf_value.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

/* Words wrapped at 96 columns, every line after the first indented. */
static void print_wrapped(FILE *out, const char *text, int indent, int column)
{
	while (*text) {
		size_t word = strcspn(text, " ");

		if (column + (int)word + 1 > 96 && column > indent) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		}
		fprintf(out, "%.*s", (int)word, text);
		column += (int)word;
		text += word;
		if (*text == ' ') {
			fputc(' ', out);
			column++;
			text++;
		}
	}
	fputc('\n', out);
}

static void print_option(const struct conf_option *option, FILE *out)
{
	int used = fprintf(out, "  --%s", option->name);

	if (option->type != CONF_BOOL)
		used += fprintf(out, " %s", option->arg);
	used += used < 36 ? fprintf(out, "%*s", 36 - used, "")
			  : fprintf(out, "\n%*s", 36, "") - used - 1;
	print_wrapped(out, option->help, 36, 36);
	if (*option->text)
		fprintf(out, "%36s(default %s)\n", "", option->text);
}

void conf_print_help(const struct conf_program *program, bool all, FILE *out)
{
	fprintf(out, "%s: %s\nUsage: %s %s\n\nOptions (--name value, --name=value):\n",
		program->name, program->summary, program->name, program->usage);
	for (size_t i = 0; i < program->count; i++) {
		if (all || program->options[i].level == CONF_BASIC)
			print_option(&program->options[i], out);
	}
	fprintf(out,
		"  --config FILE                     options from a file of name=value lines\n"
		"  --kafka.KEY VALUE                 any librdkafka property\n"
		"  --print-config                    the effective values and where they come "
		"from\n"
		"  --help, --help-all, --version\n"
		"Order: default < file < environment (WT_NAME) < command line.\n");
	if (program->more)
		fprintf(out, "\n%s", program->more);
}

static bool is_secret_key(const char *pair)
{
	return strstr(pair, "password") || strstr(pair, "secret") ||
	       strstr(pair, "ssl.key.pem") || strncmp(pair, "sasl.jaas", 9) == 0;
}

void conf_print_values(const void *values, FILE *out)
{
	const struct conf *conf = values;

	for (size_t i = 0; i < conf->program->count; i++) {
		char *text = conf_value_text(values, &conf->program->options[i]);

		fprintf(out, "%s=%s  # %s\n", conf->program->options[i].name, text,
			conf->origins[i]);
		free(text);
	}
	for (size_t i = 0; i < conf->kafka.count; i++) {
		const char *pair = conf->kafka.items[i];

		if (is_secret_key(pair))
			fprintf(out, "kafka.%.*s=***\n", (int)strcspn(pair, "="), pair);
		else
			fprintf(out, "kafka.%s\n", pair);
	}
}
