/*
 * verify: does Redis hold what MySQL holds? While the pipeline runs, without false alarms.
 *
 * For every route: 1. its rows in key order, a chunk a look - 2. its cache keys against MySQL -
 * 3. what was on its way, again - 4. --repair: refresh, the one way into the cache that is safe for
 * anybody at any time - 5. the report. See verify.h for what counts as a difference.
 */
#include "consumer/verbs/verify.h"

#include "common/clock.h"
#include "common/mem.h"
#include "consumer/pipeline/mysql_facts.h"
#include "consumer/verbs/settings.h"
#include "consumer/verbs/verbs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_DIFFERENCES 1

struct sums {
	int64_t rows, open, unsettled;
	int routes;
};

static void release(struct verify *v)
{
	mysql_store_free(v->mysql);
	redis_store_free(v->redis);
	row_list_release(&v->rows);
	row_list_release(&v->again);
	row_list_release(&v->mend);
	cache_read_release(&v->cache);
	text_buffer_release(&v->image);
	free(v->pointers);
	free(v->positions);
	free(v->generations);
	free(v->findings);
}

static enum verdict open_route(
	struct verify *v, const struct route *route, struct route_facts *facts)
{
	enum verdict verdict;

	do
		verdict = mysql_store_facts(v->mysql, route, facts, &v->error);
	while (verify_again(v, verdict));
	if (verdict != VERDICT_DONE)
		return verdict;
	v->route = route;
	v->partitions = facts->partitions;
	v->positions =
		mem_resize(v->positions, (size_t)facts->partitions + 1, sizeof(*v->positions));
	v->generations = mem_resize(
		v->generations, (size_t)facts->partitions + 1, sizeof(*v->generations));
	v->totals = (struct verify_totals){0};
	v->no_fence = v->rebuilding = false;
	v->why_not = NULL;
	v->phase_ms = 0;
	return verdict;
}

static enum verdict compare_route(struct verify *v, const struct route *route)
{
	struct route_facts facts;
	enum verdict verdict = open_route(v, route, &facts);

	if (verdict != VERDICT_DONE)
		return verdict;
	if (v->options->sample > 0)
		return verify_sample(v);
	verdict = verify_rows(v, facts.rows);
	if (verdict != VERDICT_DONE)
		return verdict;
	if (!route->cache_key[0].literal) {
		fprintf(stderr,
			"%s: extra keys are not looked for: its cache keys have no fixed "
			"beginning\n",
			route->topic);
		return verdict;
	}
	return verify_keys(v);
}

static int compare_all(
	struct verify *v, const struct mapping *mapping, struct sums *sums, struct errmsg *msg)
{
	bool json = v->options->json;

	for (int i = 0; i < mapping->route_count; i++) {
		const struct route *route = &mapping->routes[i];
		enum verdict verdict;

		if (route->mode == ROUTE_APPEND || route->cache == CACHE_NONE)
			continue;
		verdict = compare_route(v, route);
		if (verdict != VERDICT_DONE) {
			errmsg_wrap(&v->error.msg, "verify %s: %s", route->topic,
				v->error.store ? v->error.store : "store");
			return settings_store_error(&v->error, verdict, msg);
		}
		if (json)
			fputs(sums->routes ? "," : "{\"routes\":[", stdout);
		verify_print(v, json);
		sums->routes++;
		sums->rows += v->totals.rows;
		sums->open += verify_open(v);
		sums->unsettled += v->totals.differ[DIFFER_UNSETTLED];
	}
	return 0;
}

static void print_sums(const struct verify *v, const struct sums *sums)
{
	int64_t ms = clock_mono_ms() - v->started_ms;

	if (v->options->json) {
		printf("%s],\"clean\":%s,\"open\":%" PRId64 ",\"unsettled\":%" PRId64
		       ",\"seconds\":%.3f}\n",
			sums->routes ? "" : "{\"routes\":[",
			sums->open || sums->unsettled ? "false" : "true", sums->open,
			sums->unsettled, (double)ms / 1000);
		return;
	}
	if (sums->open)
		printf("%" PRId64 " differences", sums->open);
	else if (sums->unsettled)
		printf("no differences, but %" PRId64 " keys were on their way all the time",
			sums->unsettled);
	else
		fputs("clean", stdout);
	printf(" (%" PRId64 " rows in %.1f s)\n", sums->rows, (double)ms / 1000);
}

int verb_verify(struct consumer_options *options, struct errmsg *msg)
{
	struct verify v = {.options = options, .tty = isatty(2), .started_ms = clock_mono_ms()};
	struct settings settings;
	struct sums sums = {0};
	enum verdict verdict;
	int err = settings_init(&settings, options, msg);

	if (err != 0)
		return err;
	v.mysql = mysql_store_new(&settings.mysql);
	v.redis = redis_store_new(&settings.redis);
	verdict = verify_connect(&v);
	err = settings_store_error(&v.error, verdict, msg);
	if (err == 0)
		err = compare_all(&v, &settings.mapping, &sums, msg);
	if (err == 0) {
		print_sums(&v, &sums);
		if (sums.open)
			err = EXIT_DIFFERENCES;
		else if (sums.unsettled)
			err = err_exit_code(ERR_UNFINISHED);
	}
	release(&v);
	settings_release(&settings);
	return err;
}
