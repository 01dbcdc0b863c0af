#include "loadgen/stages.h"

#include "common/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE_MAX    1e7
#define SECONDS_MAX (30.0 * 86400)

static const char allowed[] =
	"a stage is DURATION:RATE, DURATION:FROM-TO or DURATION, as in 30s:10,60s:10-1000,0s";

static bool number(const char **text, double *value)
{
	char *end;

	if (!(**text >= '0' && **text <= '9') && **text != '.')
		return false; /* strtod would take signs, "inf" and spaces */
	*value = strtod(*text, &end);
	if (end == *text || !isfinite(*value))
		return false;
	*text = end;
	return true;
}

static bool duration(const char **text, double *seconds)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}};

	if (!number(text, seconds))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t length = strlen(units[i].name);

		if (strncmp(*text, units[i].name, length) == 0) {
			*text += length;
			*seconds *= units[i].seconds;
			return true;
		}
	}
	return false;
}

static bool parse_one(const char *text, struct stage *stage)
{
	*stage = (struct stage){0};
	if (!duration(&text, &stage->seconds))
		return false;
	if (*text == 0)
		return true;
	if (*text++ != ':' || !number(&text, &stage->from))
		return false;
	stage->to = stage->from;
	if (*text == '-') {
		text++;
		if (!number(&text, &stage->to))
			return false;
	}
	return *text == 0;
}

static int add_stage(struct stages *stages, const char *text, bool last, struct errmsg *msg)
{
	struct stage stage;

	if (!parse_one(text, &stage))
		return errmsg_set(msg, ERR_CONFIG, "stage '%s': %s", text, allowed);
	if (stage.seconds == 0 && last && stage.to == 0) {
		stages->wait_for_drain = true;
		return 0;
	}
	if (stage.seconds == 0)
		return errmsg_set(msg, ERR_CONFIG,
			"stage '%s': a duration of 0 is for the last stage alone, without a "
			"rate "
			"(wait for the drain)",
			text);
	if (stage.seconds > SECONDS_MAX || stage.from > RATE_MAX || stage.to > RATE_MAX)
		return errmsg_set(msg, ERR_CONFIG,
			"stage '%s': at most 30 days (720h) and 10000000 requests/s", text);
	if (stages->count == STAGES_MAX)
		return errmsg_set(msg, ERR_CONFIG, "more than %d stages", STAGES_MAX);
	stages->list[stages->count++] = stage;
	return 0;
}

int stages_parse(struct stages *stages, const char *text, struct errmsg *msg)
{
	char *copy = mem_strdup(text), *rest = copy, *item;
	int err = 0;

	*stages = (struct stages){0};
	while (err == 0 && (item = strsep(&rest, ",")) != NULL)
		err = add_stage(stages, item, rest == NULL, msg);
	free(copy);
	if (err == 0 && stages->count == 0)
		err = errmsg_set(msg, ERR_CONFIG, "no stage with a duration: %s", allowed);
	return err;
}

void stages_speed_up(struct stages *stages, double factor)
{
	for (size_t i = 0; i < stages->count; i++)
		stages->list[i].seconds /= factor;
}

double stages_seconds(const struct stages *stages)
{
	double sum = 0;

	for (size_t i = 0; i < stages->count; i++)
		sum += stages->list[i].seconds;
	return sum;
}

double stages_highest_rate(const struct stages *stages)
{
	double highest = 0;

	for (size_t i = 0; i < stages->count; i++)
		highest = fmax(highest, fmax(stages->list[i].from, stages->list[i].to));
	return highest;
}

char *stages_text(const struct stages *stages)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	for (size_t i = 0; i < stages->count; i++) {
		const struct stage *s = &stages->list[i];

		fprintf(out, "%s%.6gs", i ? "," : "", s->seconds);
		if (s->from != s->to)
			fprintf(out, ":%.6g-%.6g", s->from, s->to);
		else if (s->from > 0)
			fprintf(out, ":%.6g", s->from);
	}
	if (stages->wait_for_drain)
		fputs(",0s", out);
	fclose(out);
	return text;
}
