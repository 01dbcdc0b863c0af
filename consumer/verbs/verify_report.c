/* verify_report: progress to stderr while it runs, one line a route and the keys to stdout. */
#include "common/clock.h"
#include "common/json_text.h"
#include "consumer/verbs/verify.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define TTY_EVERY_MS   200
#define PLAIN_EVERY_MS 5000

static const char *const names[DIFFER_COUNT] = {
	"same", "missing", "stale", "extra", "unreadable", "unsettled"};

void verify_progress(struct verify *v, const char *what, int64_t done, int64_t total, bool last)
{
	int64_t now = clock_mono_ms(), every = v->tty ? TTY_EVERY_MS : PLAIN_EVERY_MS;
	int64_t ms, rate;

	if (!v->phase_ms)
		v->phase_ms = v->shown_ms = now;
	ms = now - v->phase_ms;
	rate = ms > 0 ? done * 1000 / ms : 0;
	if (!last && now - v->shown_ms >= every) {
		v->shown_ms = now;
		fprintf(stderr, "%s%s: %" PRId64 " of about %" PRId64 " %s, %" PRId64 "/s",
			v->tty ? "\r\033[K" : "", v->route->topic, done,
			total > done ? total : done, what, rate);
		if (rate > 0 && total > done)
			fprintf(stderr, ", %" PRId64 " s left", (total - done) / rate + 1);
		if (!v->tty)
			fputc('\n', stderr);
	}
	if (last) {
		v->phase_ms = 0;
		if (v->tty)
			fputs("\r\033[K", stderr);
	}
}

/* A key that expires is expected to be missing; but a repair makes it anew, and counts it. */
int64_t verify_open(const struct verify *v)
{
	const int64_t *differ = v->totals.differ;
	bool expected = v->route->cache_ttl_s > 0 && !v->options->repair;
	int64_t missing = expected ? 0 : differ[DIFFER_MISSING];
	int64_t found = missing + differ[DIFFER_STALE] + differ[DIFFER_EXTRA] +
			differ[DIFFER_UNREADABLE];

	return found > v->totals.repaired ? found - v->totals.repaired : 0;
}

static void print_text(const struct verify *v)
{
	const struct verify_totals *t = &v->totals;

	printf("%s -> %s: %" PRId64 " rows", v->route->topic, v->route->table, t->rows);
	if (t->keys)
		printf(", %" PRId64 " cache keys", t->keys);
	for (int d = DIFFER_MISSING; d < DIFFER_COUNT; d++) {
		if (d != DIFFER_UNSETTLED || t->differ[d])
			printf("%s %" PRId64 " %s", d == DIFFER_MISSING ? ":" : ",",
				t->differ[d], names[d]);
	}
	if (v->options->repair)
		printf("; %" PRId64 " repaired, %" PRId64 " not", t->repaired, t->not_repaired);
	putchar('\n');
	for (size_t i = 0; i < v->finding_count; i++)
		printf("  %-10s %s\n", names[v->findings[i].kind], v->findings[i].key);
	if (v->no_fence)
		puts("  note: a partition has no fence: Redis lost its data, or nothing was "
		     "written yet");
	if (v->rebuilding)
		puts("  note: a rebuild of the cache is not finished; missing keys are "
		     "expected");
	if (v->route->cache_ttl_s > 0 && t->differ[DIFFER_MISSING])
		puts("  note: these keys expire; missing ones are not counted as differences");
	if (t->not_repaired && v->why_not)
		printf("  note: not repaired: %s\n", v->why_not);
}

static void print_json(const struct verify *v)
{
	json_t *listed = json_array(), *route = json_object();

	json_object_set_new(route, "topic", json_string(v->route->topic));
	json_object_set_new(route, "table", json_string(v->route->table));
	json_object_set_new(route, "rows", json_integer(v->totals.rows));
	json_object_set_new(route, "keys", json_integer(v->totals.keys));
	for (int d = DIFFER_MISSING; d < DIFFER_COUNT; d++)
		json_object_set_new(route, names[d], json_integer(v->totals.differ[d]));
	json_object_set_new(route, "repaired", json_integer(v->totals.repaired));
	json_object_set_new(route, "not_repaired", json_integer(v->totals.not_repaired));
	json_object_set_new(route, "no_fence", json_boolean(v->no_fence));
	json_object_set_new(route, "rebuilding", json_boolean(v->rebuilding));
	for (size_t i = 0; i < v->finding_count; i++) {
		json_array_append_new(
			listed, json_pack("{s:s, s:o}", "kind", names[v->findings[i].kind],
					"key", json_text(v->findings[i].key)));
	}
	json_object_set_new(route, "differences", listed);
	json_dumpf(route, stdout, 0);
	json_decref(route);
}

void verify_print(struct verify *v, bool json)
{
	if (json)
		print_json(v);
	else
		print_text(v);
	for (size_t i = 0; i < v->finding_count; i++)
		free(v->findings[i].key);
	v->finding_count = 0;
}
