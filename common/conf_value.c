#include "common/conf_value.h"

#include "common/mem.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct suffix {
	const char *text;
	double factor;
};

static const struct suffix byte_suffixes[] = {{"", 1}, {"B", 1}, {"KiB", 1024}, {"K", 1024},
	{"MiB", 1048576}, {"M", 1048576}, {"GiB", 1073741824.0}, {"G", 1073741824.0},
	{"kB", 1000}, {"MB", 1e6}, {"GB", 1e9}, {NULL, 0}};
static const struct suffix ms_suffixes[] = {
	{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};
static const struct suffix no_suffixes[] = {{"", 1}, {NULL, 0}};

static int parse_number(const char *text, const struct suffix *suffixes, double *out)
{
	char *end;
	double number;

	errno = 0;
	number = strtod(text, &end);
	if (end == text || errno || !isfinite(number))
		return -1;
	for (; suffixes->text; suffixes++) {
		if (strcmp(end, suffixes->text) == 0) {
			*out = number * suffixes->factor;
			return 0;
		}
	}
	return -1;
}

static int find_word(const char *words, const char *text)
{
	size_t length = strlen(text);

	for (int i = 0;; i++) {
		size_t word = strcspn(words, "|");

		if (word == length && strncasecmp(words, text, word) == 0)
			return i;
		words += word;
		if (!*words++)
			return -1;
	}
}

static int parse_bool(const char *text, bool *out)
{
	static const char *const yes[] = {"true", "yes", "on", "1"};
	static const char *const no[] = {"false", "no", "off", "0"};

	for (size_t i = 0; i < 4; i++) {
		if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
			*out = strcasecmp(text, yes[i]) == 0;
			return 0;
		}
	}
	return -1;
}

static int bad_value(const struct conf_option *option, const char *text, const char *origin,
	struct errmsg *msg)
{
	const char *shown = option->type == CONF_SECRET ? "***" : text;

	switch (option->type) {
	case CONF_STRING:
	case CONF_SECRET:
		return errmsg_set(msg, ERR_CONFIG, "option %s (%s): it must not be empty (%s)",
			option->name, origin, option->arg);
	case CONF_ENUM:
		return errmsg_set(msg, ERR_CONFIG, "option %s (%s): '%s' is not one of %s",
			option->name, origin, shown, option->arg);
	case CONF_BOOL:
		return errmsg_set(msg, ERR_CONFIG, "option %s (%s): '%s' is not true or false",
			option->name, origin, shown);
	case CONF_BYTES:
		return errmsg_set(msg, ERR_CONFIG,
			"option %s (%s): '%s' is not a size from %.0f to %.0f bytes (units B, "
			"KiB, MiB, "
			"GiB)",
			option->name, origin, shown, option->min, option->max);
	case CONF_MS:
		return errmsg_set(msg, ERR_CONFIG,
			"option %s (%s): '%s' is not a time from %.0f to %.0f ms (units ms, s, "
			"m, h)",
			option->name, origin, shown, option->min, option->max);
	default:
		return errmsg_set(msg, ERR_CONFIG,
			"option %s (%s): '%s' is not a%s number from %.15g to %.15g",
			option->name, origin, shown, option->type == CONF_INT ? " whole" : "",
			option->min, option->max);
	}
}

static int set_number(void *field, const struct conf_option *option, const char *text)
{
	const struct suffix *suffixes = option->type == CONF_BYTES ? byte_suffixes
					: option->type == CONF_MS  ? ms_suffixes
								   : no_suffixes;
	double number;

	if (parse_number(text, suffixes, &number) != 0)
		return -1;
	if (number < option->min || number > option->max)
		return -1;
	if (option->type == CONF_DOUBLE) {
		*(double *)field = number;
		return 0;
	}
	if (number != floor(number))
		return -1;
	*(int64_t *)field = (int64_t)number;
	return 0;
}

int conf_value_set(void *values, const struct conf_option *option, const char *text,
	const char *origin, struct errmsg *msg)
{
	void *field = (char *)values + option->offset;
	int word;

	switch (option->type) {
	case CONF_STRING:
	case CONF_SECRET:
		/* What has a default is needed, and nobody looks for NULL there. */
		if (!*text && *option->text)
			break;
		free(*(char **)field);
		*(char **)field = *text ? mem_strdup(text) : NULL;
		return 0;
	case CONF_LIST:
		if (*text)
			conf_list_add(field, text);
		return 0;
	case CONF_BOOL:
		if (parse_bool(text, field) == 0)
			return 0;
		break;
	case CONF_ENUM:
		word = find_word(option->arg, text);
		if (word >= 0) {
			*(int *)field = word;
			return 0;
		}
		break;
	case CONF_INT:
	case CONF_BYTES:
	case CONF_MS:
	case CONF_DOUBLE:
		if (set_number(field, option, text) == 0)
			return 0;
		break;
	}
	return bad_value(option, text, origin, msg);
}

static char *word_at(const char *words, int index)
{
	while (index-- > 0)
		words += strcspn(words, "|") + 1;
	return mem_strndup(words, strcspn(words, "|"));
}

static char *list_text(const struct conf_list *list)
{
	char *text = mem_strdup("");

	for (size_t i = 0; i < list->count; i++) {
		char *longer = mem_printf("%s%s%s", text, i ? " " : "", list->items[i]);

		free(text);
		text = longer;
	}
	return text;
}

char *conf_value_text(const void *values, const struct conf_option *option)
{
	const void *field = (const char *)values + option->offset;
	const char *string;

	switch (option->type) {
	case CONF_STRING:
		string = *(char *const *)field;
		return mem_strdup(string ? string : "");
	case CONF_SECRET:
		return mem_strdup(*(char *const *)field ? "***" : "");
	case CONF_LIST:
		return list_text(field);
	case CONF_BOOL:
		return mem_strdup(*(const bool *)field ? "true" : "false");
	case CONF_ENUM:
		return word_at(option->arg, *(const int *)field);
	case CONF_DOUBLE:
		return mem_printf("%.15g", *(const double *)field);
	case CONF_INT:
	case CONF_BYTES:
	case CONF_MS:
		break;
	}
	return mem_printf("%lld", (long long)*(const int64_t *)field);
}

void conf_value_release(void *values, const struct conf_option *option)
{
	void *field = (char *)values + option->offset;

	if (option->type == CONF_STRING || option->type == CONF_SECRET) {
		free(*(char **)field);
		*(char **)field = NULL;
	} else if (option->type == CONF_LIST) {
		conf_list_release(field);
	}
}

void conf_list_add(struct conf_list *list, const char *text)
{
	list->items = mem_resize(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = mem_strdup(text);
}

void conf_list_release(struct conf_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct conf_list){0};
}
