#include "loadgen/lag_look.h"

#include "common/mem.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lag_look_init(struct lag_look *look)
{
	*look = (struct lag_look){.total = -1,
		.seconds = NAN,
		.eta_seconds = NAN,
		.workers = -1,
		.rebalances = -1,
		.deadletters = -1};
}

struct look_partition *lag_look_add(struct lag_look *look)
{
	struct look_partition *p;

	look->partitions =
		mem_resize(look->partitions, look->count + 1, sizeof(*look->partitions));
	p = &look->partitions[look->count++];
	*p = (struct look_partition){.end = -1,
		.committed = -1,
		.lag = -1,
		.seconds = NAN,
		.eta_seconds = NAN,
		.worker = -1};
	return p;
}

const struct look_partition *lag_look_find(
	const struct lag_look *look, const char *topic, int partition)
{
	for (size_t i = 0; i < look->count; i++) {
		const struct look_partition *p = &look->partitions[i];
		bool fits = !p->topic[0] || !topic[0] || strcmp(p->topic, topic) == 0;

		if (p->id == partition && fits)
			return p;
	}
	return NULL;
}

static double worse(double a, double b)
{
	return isnan(a) || b > a ? b : a;
}

void lag_look_total(struct lag_look *look)
{
	int64_t sum = 0;

	look->known = look->count > 0;
	for (size_t i = 0; i < look->count; i++) {
		const struct look_partition *p = &look->partitions[i];

		if (p->lag < 0 && look->known) {
			look->known = false;
			snprintf(look->why, sizeof(look->why), "lag of partition %d unknown",
				p->id);
		}
		sum += p->lag;
		look->seconds = worse(look->seconds, p->seconds);
		look->eta_seconds = worse(look->eta_seconds, p->eta_seconds);
	}
	if (look->count == 0 && !look->why[0])
		snprintf(look->why, sizeof(look->why), "no partition is reported");
	look->total = look->known ? sum : -1;
}

void lag_look_release(struct lag_look *look)
{
	free(look->partitions);
	look->partitions = NULL;
	look->count = 0;
}

static int64_t count_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) && json_integer_value(value) >= 0
		       ? json_integer_value(value)
		       : -1;
}

static double seconds_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static void copy_text(char *to, size_t room, const json_t *value)
{
	if (json_is_string(value))
		snprintf(to, room, "%s", json_string_value(value));
}

static void parse_partition(struct lag_look *look, const json_t *root, const json_t *item)
{
	struct look_partition *p = lag_look_add(look);
	const json_t *topic = json_object_get(item, "topic");

	copy_text(p->topic, sizeof(p->topic), topic ? topic : json_object_get(root, "topic"));
	copy_text(p->state, sizeof(p->state), json_object_get(item, "state"));
	p->id = (int)count_of(item, "partition");
	p->end = count_of(item, "end");
	p->committed = count_of(item, "committed");
	p->lag = count_of(item, "lag");
	p->seconds = seconds_of(item, "lag_seconds");
	p->eta_seconds = seconds_of(item, "eta_seconds");
	p->worker = (int)count_of(item, "worker");
}

/* Both of our programs say how old their look at the brokers is. */
static int64_t age_of(const json_t *root)
{
	int64_t age = count_of(root, "lag_age_ms");

	if (age < 0)
		age = count_of(root, "age_ms");
	return age < 0 ? 0 : age;
}

bool lag_look_parse(struct lag_look *look, const char *json, size_t bytes)
{
	json_error_t error;
	json_t *root = json_loadb(json, bytes, 0, &error);
	const json_t *partitions = json_object_get(root, "partitions"), *workers, *item;
	size_t i;

	if (!json_is_array(partitions)) {
		snprintf(look->why, sizeof(look->why), "the answer is no status document");
		json_decref(root);
		return false;
	}
	json_array_foreach(partitions, i, item) parse_partition(look, root, item);
	lag_look_total(look);
	workers = json_object_get(root, "workers");
	look->workers = json_is_array(workers)	  ? (int)json_array_size(workers)
			: json_is_object(workers) ? (int)count_of(workers, "count")
						  : (int)count_of(root, "workers");
	look->age_ms = age_of(root);
	look->rebalances = count_of(root, "rebalances");
	look->deadletters = count_of(json_object_get(root, "deadletters"), "total");
	json_decref(root);
	return true;
}
