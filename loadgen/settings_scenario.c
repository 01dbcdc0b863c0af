/* A scenario under the options: it says what nobody set, within the bounds of what it sets. */
#include "common/conf_value.h"
#include "common/mem.h"
#include "loadgen/settings.h"

#include <stdlib.h>
#include <string.h>

/* Its row in the table, which has it. */
static size_t row_of(const char *name)
{
	size_t i = 0;

	while (i + 1 < settings_program.count &&
		strcmp(settings_program.options[i].name, name) != 0)
		i++;
	return i;
}

/* Did nobody set it? Then a scenario may. */
static bool is_default(const struct settings *g, const char *name)
{
	return strcmp(g->options.conf.origins[row_of(name)], "default") == 0;
}

/* A negative value: the scenario says nothing of it. */
static int apply_number(struct settings *g, const char *name, int64_t value, struct errmsg *msg)
{
	char *text, *from;
	int err;

	if (value < 0 || !is_default(g, name))
		return 0;
	text = mem_printf("%lld", (long long)value);
	from = mem_printf("scenario %s", g->scenario.path);
	err = conf_value_set(
		&g->options, &settings_program.options[row_of(name)], text, from, msg);
	free(text);
	free(from);
	return err;
}

static int apply_scenario(struct settings *g, struct errmsg *msg)
{
	struct loadgen_options *o = &g->options;
	const struct scenario *s = &g->scenario;
	int err;

	if (s->stages && is_default(g, "stages")) {
		free(o->stages);
		o->stages = mem_strdup(s->stages);
	}
	err = apply_number(g, "workers", s->workers, msg);
	if (err == 0)
		err = apply_number(g, "connections", s->connections, msg);
	if (err == 0)
		err = apply_number(g, "keys", s->keys, msg);
	if (err != 0)
		return err;
	if (s->arrivals && is_default(g, "arrivals")) {
		if (strcmp(s->arrivals, "constant") != 0 && strcmp(s->arrivals, "poisson") != 0)
			return errmsg_set(msg, ERR_CONFIG,
				"scenario %s: field arrivals: wanted constant or poisson",
				s->path);
		o->arrivals = s->arrivals[0] == 'p';
	}
	return 0;
}

int settings_take_scenario(struct settings *g, struct errmsg *msg)
{
	int err;

	if (!g->options.scenario)
		return 0;
	g->has_scenario = true;
	err = scenario_load(&g->scenario, g->options.scenario, msg);
	return err ? err : apply_scenario(g, msg);
}
