#include "loadgen/scenario.h"

#include "common/mem.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where the scenarios are, seen from the program: in the source tree, or installed. */
static const char *const places[] = {"../../loadgen/scenarios", "../../../loadgen/scenarios",
	"../share/writethrough/scenarios"};

/* The folder that holds them, or NULL. Caller frees with free(). */
static char *find_folder(void)
{
	const char *chosen = getenv("WT_SCENARIO_DIR");
	char self[4000];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (chosen)
		return mem_strdup(chosen);
	if (length <= 0)
		return NULL;
	self[length] = 0;
	*strrchr(self, '/') = 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char *folder = mem_printf("%s/%s", self, places[i]);

		if (access(folder, R_OK) == 0)
			return folder;
		free(folder);
	}
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *scenario_names(void)
{
	char *folder = find_folder(), *names[200], *text = NULL;
	DIR *dir = folder ? opendir(folder) : NULL;
	struct dirent *entry;
	size_t count = 0, bytes;
	FILE *out;

	while (dir && count < 200 && (entry = readdir(dir)) != NULL) {
		const char *dot = strrchr(entry->d_name, '.');

		if (dot && strcmp(dot, ".json") == 0)
			names[count++] =
				mem_strndup(entry->d_name, (size_t)(dot - entry->d_name));
	}
	if (dir)
		closedir(dir);
	free(folder);
	qsort(names, count, sizeof(*names), by_name);
	out = open_memstream(&text, &bytes);
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "%s%s", i ? " " : "", names[i]);
		free(names[i]);
	}
	fclose(out);
	return text;
}

static int read_file(struct scenario *s, struct errmsg *msg)
{
	FILE *file = fopen(s->path, "r"), *out;
	char part[4096];
	size_t bytes, got;

	if (!file) {
		int failed = errno;
		char *names = scenario_names();

		errmsg_set(msg, ERR_CONFIG,
			"option scenario: cannot read %s: %s; there are: %s", s->path,
			strerror(failed), names);
		free(names);
		return ERR_CONFIG;
	}
	out = open_memstream(&s->text, &bytes);
	while ((got = fread(part, 1, sizeof(part), file)) > 0)
		fwrite(part, 1, got, out);
	fclose(out);
	fclose(file);
	return 0;
}

static int wrong(const char *field, const char *wanted, struct errmsg *msg)
{
	return errmsg_set(msg, ERR_CONFIG, "field %s: wanted %s", field, wanted);
}

static int take_string(char **to, const char *field, const json_t *value, struct errmsg *msg)
{
	if (!json_is_string(value))
		return wrong(field, "a string", msg);
	*to = mem_strdup(json_string_value(value));
	return 0;
}

static int take_count(int64_t *to, const char *field, const json_t *value, struct errmsg *msg)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return wrong(field, "a count", msg);
	*to = json_integer_value(value);
	return 0;
}

static int take_rounds(struct scenario *s, const json_t *value, struct errmsg *msg)
{
	const json_t *round;
	size_t i;

	if (!json_is_array(value) || json_array_size(value) > SCENARIO_ROUNDS_MAX)
		return wrong("rounds", "a list of at most 32", msg);
	json_array_foreach(value, i, round)
	{
		const json_t *workers = json_object_get(round, "workers");

		if (json_object_size(round) != 1 || !json_is_integer(workers) ||
			json_integer_value(workers) < 1 ||
			json_integer_value(workers) > SCENARIO_WORKERS_MAX)
			return wrong(
				"rounds", "objects {\"workers\": N}, N from 1 to 1000", msg);
		s->rounds[s->rounds_count++] = (int)json_integer_value(workers);
	}
	return 0;
}

static int take_thresholds(struct scenario *s, const json_t *value, struct errmsg *msg)
{
	const json_t *one;
	size_t i;

	if (!json_is_array(value))
		return wrong("thresholds", "a list of strings", msg);
	json_array_foreach(value, i, one)
	{
		if (!json_is_string(one))
			return wrong("thresholds", "a list of strings", msg);
		s->thresholds = mem_resize(
			s->thresholds, s->thresholds_count + 1, sizeof(*s->thresholds));
		s->thresholds[s->thresholds_count++] = mem_strdup(json_string_value(one));
	}
	return 0;
}

static int take_search(struct scenario *s, json_t *value, struct errmsg *msg)
{
	struct scenario_search *k = &s->search;
	const char *hold = NULL;
	json_error_t error;

	if (json_unpack_ex(value, &error, JSON_STRICT, "{s:F,s:F,s:F,s:s,s:F,s:F}", "from",
		    &k->from, "to", &k->to, "factor", &k->factor, "hold", &hold, "lag_seconds",
		    &k->lag_seconds, "precision", &k->precision) != 0)
		return errmsg_set(msg, ERR_CONFIG, "field search: %s", error.text);
	if (!(k->from > 0 && k->to > k->from && k->factor > 1 && k->lag_seconds > 0 &&
		    k->precision >= 0.001))
		return wrong("search",
			"0 < from < to, factor > 1, lag_seconds > 0, precision >= 0.001", msg);
	k->hold = mem_strdup(hold);
	s->searches = true;
	return 0;
}

static int take_field(struct scenario *s, const char *field, json_t *value, struct errmsg *msg)
{
	if (strcmp(field, "about") == 0)
		return take_string(&s->about, field, value, msg);
	if (strcmp(field, "stages") == 0)
		return take_string(&s->stages, field, value, msg);
	if (strcmp(field, "arrivals") == 0)
		return take_string(&s->arrivals, field, value, msg);
	if (strcmp(field, "workers") == 0)
		return take_count(&s->workers, field, value, msg);
	if (strcmp(field, "connections") == 0)
		return take_count(&s->connections, field, value, msg);
	if (strcmp(field, "keys") == 0)
		return take_count(&s->keys, field, value, msg);
	if (strcmp(field, "thresholds") == 0)
		return take_thresholds(s, value, msg);
	if (strcmp(field, "rounds") == 0)
		return take_rounds(s, value, msg);
	if (strcmp(field, "search") == 0)
		return take_search(s, value, msg);
	return errmsg_set(msg, ERR_CONFIG,
		"unknown field '%s'; there are about, stages, arrivals, workers, connections, "
		"keys, thresholds, rounds, search",
		field);
}

static int parse(struct scenario *s, struct errmsg *msg)
{
	json_error_t error;
	json_t *root = json_loads(s->text, JSON_REJECT_DUPLICATES, &error), *value;
	const char *field;
	int err = 0;

	if (!json_is_object(root)) {
		json_decref(root);
		return errmsg_set(msg, ERR_CONFIG, "line %d: %s", error.line,
			root ? "not a JSON object" : error.text);
	}
	json_object_foreach(root, field, value)
	{
		err = take_field(s, field, value, msg);
		if (err != 0)
			break;
	}
	if (err == 0 && s->searches == (s->stages != NULL))
		err = errmsg_set(msg, ERR_CONFIG, "either stages or search is needed");
	if (err == 0 && s->searches && s->rounds_count)
		err = errmsg_set(msg, ERR_CONFIG, "search and rounds exclude each other");
	json_decref(root);
	return err;
}

int scenario_load(struct scenario *s, const char *name, struct errmsg *msg)
{
	const char *dot = strrchr(name, '.');
	int err;

	*s = (struct scenario){.workers = -1, .connections = -1, .keys = -1};
	if (strchr(name, '/') || (dot && strcmp(dot, ".json") == 0)) {
		const char *base = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;

		s->path = mem_strdup(name);
		s->name = mem_strndup(base, strcspn(base, "."));
	} else {
		char *folder = find_folder();

		if (!folder)
			return errmsg_set(msg, ERR_CONFIG,
				"option scenario: the scenarios are not installed beside the "
				"program; set WT_SCENARIO_DIR or give a path");
		s->path = mem_printf("%s/%s.json", folder, name);
		s->name = mem_strdup(name);
		free(folder);
	}
	err = read_file(s, msg);
	if (err != 0)
		return err;
	err = parse(s, msg);
	if (err != 0)
		errmsg_wrap(msg, "scenario %s", s->path);
	return err;
}

void scenario_release(struct scenario *s)
{
	free(s->name);
	free(s->path);
	free(s->text);
	free(s->about);
	free(s->stages);
	free(s->arrivals);
	for (size_t i = 0; i < s->thresholds_count; i++)
		free(s->thresholds[i]);
	free(s->thresholds);
	free(s->search.hold);
	*s = (struct scenario){0};
}
