#include "loadgen/compare.h"

#include "common/mem.h"
#include "loadgen/report.h"

#include <stdlib.h>
#include <string.h>

#define RUNS_MAX 16

static const struct row {
	const char *name;
	const char *path[3];
	int digits;
	int better; /* -1 less, 1 more, 0 neither: where to show the change */
} rows[] = {
	{"due", {"requests", "due"}, 0, 0},
	{"acknowledged", {"requests", "acknowledged"}, 0, 0},
	{"offered /s", {"result", "offered_rate"}, 1, 0},
	{"achieved /s", {"result", "achieved_rate"}, 1, 1},
	{"errors", {"errors", "total"}, 0, -1},
	{"response p50 ms", {"times_ms", "response", "p50"}, 3, -1},
	{"response p90 ms", {"times_ms", "response", "p90"}, 3, -1},
	{"response p99 ms", {"times_ms", "response", "p99"}, 3, -1},
	{"response p99.9 ms", {"times_ms", "response", "p999"}, 3, -1},
	{"response max ms", {"times_ms", "response", "max"}, 3, -1},
	{"service p99 ms", {"times_ms", "service", "p99"}, 3, -1},
	{"send delay p99 ms", {"times_ms", "send_delay", "p99"}, 3, -1},
	{"lag max", {"lag", "max"}, 0, -1},
	{"lag seconds max", {"lag", "seconds_max"}, 2, -1},
	{"drain seconds", {"lag", "drain_seconds"}, 2, -1},
	{"lost", {"account", "lost"}, 0, -1},
};

static const json_t *look_up(const json_t *run, const char *const path[3])
{
	for (int i = 0; i < 3 && path[i]; i++)
		run = json_object_get(run, path[i]);
	return run;
}

static int add_file(json_t *runs, json_t **search, const char *path, struct errmsg *msg)
{
	json_error_t error;
	json_t *root = json_load_file(path, 0, &error), *run;
	const char *schema = json_string_value(json_object_get(root, "schema"));
	int err = 0;
	size_t i;

	if (!root || !schema || strncmp(schema, "wt-loadgen/1", 12) != 0) {
		err = errmsg_set(msg, ERR_CONFIG, "%s: %s", path,
			root ? "not a report of wt-loadgen" : error.text);
	} else if (strcmp(schema, "wt-loadgen/1") == 0) {
		json_array_append(runs, root);
	} else {
		json_array_foreach(json_object_get(root, "runs"), i, run)
			json_array_append(runs, run);
		if (!*search)
			*search = json_incref(json_object_get(root, "search"));
	}
	json_decref(root);
	return err;
}

static void put_head(const json_t *runs, FILE *out)
{
	const json_t *run;
	size_t i;

	fprintf(out, "%-20s", "");
	json_array_foreach(runs, i, run)
	{
		const json_t *about = json_object_get(run, "run"),
			     *workers = json_object_get(about, "workers");
		const char *scenario = json_string_value(json_object_get(about, "scenario"));
		char count[24] = "", *name;

		if (json_is_integer(workers))
			snprintf(
				count, sizeof(count), ", %d", (int)json_integer_value(workers));
		name = mem_printf(
			"%c %.10s%s", (char)('A' + i), scenario ? scenario : "", count);

		fprintf(out, " %16s", name);
		free(name);
	}
	fputc('\n', out);
}

static void put_row(const struct row *row, const json_t *runs, FILE *out)
{
	double first = 0;
	const json_t *run;
	size_t i;

	fprintf(out, "%-20s", row->name);
	json_array_foreach(runs, i, run)
	{
		const json_t *value = look_up(run, row->path);
		char text[40] = "n/a", with[64];
		double number = json_is_number(value) ? json_number_value(value) : 0;

		if (json_is_number(value))
			snprintf(text, sizeof(text), "%.*f", row->digits, number);
		if (i == 0)
			first = number;
		if (i && row->better && first > 0 && json_is_number(value))
			snprintf(with, sizeof(with), "%s x%.2f", text, number / first);
		else
			snprintf(with, sizeof(with), "%s", text);
		fprintf(out, " %16s", with);
	}
	fputc('\n', out);
}

int compare_reports(
	const struct conf_list *words, const char *html, FILE *out, struct errmsg *msg)
{
	json_t *runs = json_array(), *search = NULL;
	int err = 0;

	if (words->count < 2)
		err = errmsg_set(
			msg, ERR_CONFIG, "compare: which reports? compare A.json B.json");
	for (size_t i = 1; err == 0 && i < words->count; i++)
		err = add_file(runs, &search, words->items[i], msg);
	if (err == 0 && json_array_size(runs) > RUNS_MAX)
		err = errmsg_set(msg, ERR_CONFIG, "compare: at most %d runs", RUNS_MAX);
	if (err == 0) {
		put_head(runs, out);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			put_row(&rows[i], runs, out);
		if (html)
			err = report_html(html, runs, search, msg);
	}
	json_decref(search);
	json_decref(runs);
	return err;
}
