#include "loadgen/threshold.h"

#include "common/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const ops[] = {[OP_LESS] = "<",
	[OP_AT_MOST] = "<=",
	[OP_MORE] = ">",
	[OP_AT_LEAST] = ">=",
	[OP_EQUAL] = "==",
	[OP_DIFFERENT] = "!="};

static bool find_op(const char *text, size_t length, enum threshold_op *op)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (strlen(ops[i]) == length && strncmp(text, ops[i], length) == 0) {
			*op = (enum threshold_op)i;
			return true;
		}
	}
	return false;
}

static char *without_spaces(const char *text)
{
	char *copy = mem_strdup(text), *to = copy;

	for (const char *c = text; *c; c++) {
		if (*c != ' ' && *c != '\t')
			*to++ = *c;
	}
	*to = 0;
	return copy;
}

int thresholds_add(struct thresholds *t, const char *text, struct errmsg *msg)
{
	char *plain = without_spaces(text), *end;
	size_t name = strcspn(plain, "<>=!"), op = strspn(plain + name, "<>=!");
	struct threshold added = {.value = NAN};
	struct summary *empty;
	double value;
	bool known;

	added.name = mem_strndup(plain, name);
	added.text = plain;
	added.limit = strtod(plain + name + op, &end);
	if (!find_op(plain + name, op, &added.op) || end == plain + name + op || *end ||
		!isfinite(added.limit)) {
		errmsg_set(msg, ERR_CONFIG,
			"option threshold '%s': wanted NAME OP NUMBER with < <= > >= == or !=, "
			"as "
			"in http_p99_ms<50",
			text);
		goto bad;
	}
	empty = mem_alloc(sizeof(*empty));
	summary_init(empty);
	known = summary_metric(empty, added.name, &value);
	summary_release(empty);
	free(empty);
	if (!known) {
		errmsg_set(msg, ERR_CONFIG,
			"option threshold '%s': no figure '%s'; there are %s", text, added.name,
			summary_metric_names());
		goto bad;
	}
	t->list = mem_resize(t->list, t->count + 1, sizeof(*t->list));
	t->list[t->count++] = added;
	return 0;
bad:
	free(added.name);
	free(added.text);
	return ERR_CONFIG;
}

bool thresholds_has(const struct thresholds *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->list[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool holds(const struct threshold *t, double value)
{
	switch (t->op) {
	case OP_LESS:
		return value < t->limit;
	case OP_AT_MOST:
		return value <= t->limit;
	case OP_MORE:
		return value > t->limit;
	case OP_AT_LEAST:
		return value >= t->limit;
	case OP_EQUAL:
		return fabs(value - t->limit) == 0;
	case OP_DIFFERENT:
		return fabs(value - t->limit) > 0;
	}
	return false;
}

/* Can a figure that comes to this or more never hold again? */
static bool beyond(const struct threshold *t, double least)
{
	switch (t->op) {
	case OP_LESS:
	case OP_AT_MOST:
		return !holds(t, least);
	case OP_EQUAL:
		return least > t->limit;
	case OP_MORE:
	case OP_AT_LEAST:
	case OP_DIFFERENT:
		return false;
	}
	return false;
}

size_t thresholds_check(struct thresholds *t, const struct summary *s)
{
	size_t failed = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct threshold *one = &t->list[i];

		if (!summary_metric(s, one->name, &one->value))
			one->value = NAN;
		if (isnan(one->value))
			one->holds = one->soft && s->stats.without_position &&
				     summary_metric_needs_positions(one->name);
		else
			one->holds = holds(one, one->value);
		failed += !one->holds;
	}
	return failed;
}

const struct threshold *thresholds_failed_early(
	const struct thresholds *t, const struct summary *s)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct threshold *one = &t->list[i];
		double least = summary_at_least(s, one->name);

		if (!isnan(least) && beyond(one, least))
			return one;
	}
	return NULL;
}

void thresholds_release(struct thresholds *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->list[i].text);
		free(t->list[i].name);
	}
	free(t->list);
	*t = (struct thresholds){0};
}
