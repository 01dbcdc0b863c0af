/* The body of /status and of every event: what the picture holds, unknown as null. */
#include "common/json_text.h"
#include "common/lag_text.h"
#include "consumer/watch/picture.h"

#include <math.h>
#include <string.h>

static json_t *seconds(double value)
{
	return isnan(value) ? json_null() : json_real(round(value * 1e6) / 1e6);
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_text(text) : json_null();
}

static void put_own(json_t *o, const struct snapshot_partition *own)
{
	json_t *stages = json_object();
	for (int i = 0; i < STAGE_COUNT; i++)
		json_object_set_new(
			stages, stage_names[i], json_real((double)own->stage_us[i] / 1e6));
	json_object_set_new(
		o, "worker", own->owner < 0 ? json_null() : json_integer(own->owner));
	json_object_set_new(o, "mode", json_string(own->mode));
	json_object_set_new(
		o, "position", own->position < 0 ? json_null() : json_integer(own->position));
	json_object_set_new(o, "applied", json_integer((json_int_t)own->applied));
	json_object_set_new(o, "deadlettered", json_integer((json_int_t)own->deadlettered));
	json_object_set_new(o, "errors", json_integer((json_int_t)own->errors));
	json_object_set_new(o, "batch", json_integer(own->last_batch));
	json_object_set_new(o, "stages", stages);
	json_object_set_new(
		o, "progress_age_seconds", seconds((double)own->progress_age_ms / 1000));
	json_object_set_new(o, "error", text_or_null(own->error));
	json_object_set_new(
		o, "error_ms", own->error[0] ? json_integer(own->error_wall_ms) : json_null());
}

static json_t *partitions(const struct picture *p)
{
	json_t *list = json_array();
	for (size_t i = 0; i < p->lag.count; i++) {
		const struct lag_partition *lag = &p->lag.partitions[i];
		const struct snapshot_partition *own =
			picture_own(p, lag->topic, lag->partition);
		json_t *o = lag_view_json(&lag->view);
		json_object_set_new(o, "topic", json_string(lag->topic));
		json_object_set_new(o, "partition", json_integer(lag->partition));
		json_object_set_new(o, "owner", text_or_null(lag->owner));
		json_object_set_new(o, "here", json_boolean(own != NULL));
		if (own)
			put_own(o, own);
		json_object_set_new(o, "cache", json_string(picture_cache(own)));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *workers(const struct snapshot *s)
{
	json_t *o = json_object();
	json_object_set_new(o, "count", json_integer(s->workers));
	json_object_set_new(o, "auto", json_boolean(s->workers_auto));
	json_object_set_new(o, "min", json_integer(s->workers_min));
	json_object_set_new(o, "max", json_integer(s->workers_max));
	json_object_set_new(o, "reason", text_or_null(s->workers_reason));
	return o;
}

static json_t *letters(const struct picture *p)
{
	json_t *o = json_object(), *recent = json_array(), *reasons = json_object();
	for (int i = 0; i < p->letter_count; i++) {
		const struct letter_note *n = &p->letters[i];
		json_t *one = json_object();
		json_object_set_new(one, "time_ms", json_integer(n->wall_ms));
		json_object_set_new(one, "topic", json_string(n->topic));
		json_object_set_new(one, "partition", json_integer(n->partition));
		json_object_set_new(one, "offset", json_integer(n->offset));
		json_object_set_new(one, "reason", text_or_null(n->reason));
		json_object_set_new(one, "text", text_or_null(n->text));
		json_array_append_new(recent, one);
	}
	for (int i = 0; i < p->reason_count; i++)
		json_object_set_new(reasons, p->letter_reasons[i].label,
			json_integer((json_int_t)p->letter_reasons[i].value));
	json_object_set_new(o, "total", json_integer((json_int_t)p->deadlettered));
	json_object_set_new(o, "reasons", reasons);
	json_object_set_new(o, "recent", recent);
	return o;
}

static json_t *store_errors(const struct picture *p)
{
	json_t *list = json_array();
	for (int i = 0; i < p->store_error_count; i++) {
		json_t *o = json_object();
		json_object_set_new(o, "store", json_string(p->store_errors[i].label));
		json_object_set_new(o, "class", json_string(p->store_errors[i].detail));
		json_object_set_new(
			o, "count", json_integer((json_int_t)p->store_errors[i].value));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *marks(const struct snapshot *s)
{
	json_t *list = json_array();
	for (int i = 0; i < s->mark_count; i++) {
		json_t *o = json_object();
		json_object_set_new(o, "time_ms", json_integer(s->marks[i].wall_ms));
		json_object_set_new(o, "kind", json_string(s->marks[i].kind));
		json_object_set_new(o, "text", text_or_null(s->marks[i].text));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *health(const struct picture *p)
{
	json_t *o = json_object();
	json_object_set_new(o, "level", json_string(level_name(p->level)));
	json_object_set_new(o, "title", json_string(p->title));
	json_object_set_new(o, "text", text_or_null(p->text));
	return o;
}

json_t *picture_json(const struct picture *p)
{
	json_t *o = json_object(), *latency = json_object();
	json_object_set_new(latency, "p50_seconds", seconds(p->latency.p50));
	json_object_set_new(latency, "p99_seconds", seconds(p->latency.p99));
	json_object_set_new(
		latency, "p50_seconds_at_least", json_boolean(p->latency.p50_at_least));
	json_object_set_new(
		latency, "p99_seconds_at_least", json_boolean(p->latency.p99_at_least));
	json_object_set_new(latency, "count", json_integer((json_int_t)p->latency.count));
	json_object_set_new(latency, "window_seconds", json_real(p->latency.window_seconds));
	json_object_set_new(o, "version", json_string(WT_VERSION));
	json_object_set_new(o, "time_ms", json_integer(p->wall_ms));
	json_object_set_new(o, "started_ms", json_integer(p->pool.started_wall_ms));
	json_object_set_new(o, "group", json_text(p->pool.group));
	json_object_set_new(o, "member", text_or_null(p->pool.member));
	json_object_set_new(
		o, "members", p->lag.members < 0 ? json_null() : json_integer(p->lag.members));
	json_object_set_new(o, "group_state", text_or_null(p->lag.group_state));
	json_object_set_new(o, "health", health(p));
	json_object_set_new(o, "draining", json_boolean(p->pool.draining));
	json_object_set_new(o, "ready", json_boolean(p->pool.ready));
	json_object_set_new(o, "workers", workers(&p->pool));
	json_object_set_new(o, "total", lag_view_json(&p->lag.total.view));
	json_object_set_new(
		o, "lag_age_ms", p->lag.age_ms < 0 ? json_null() : json_integer(p->lag.age_ms));
	json_object_set_new(o, "lag_error", text_or_null(p->lag.error));
	json_object_set_new(o, "latency", latency);
	json_object_set_new(o, "partitions", partitions(p));
	json_object_set_new(o, "deadletters", letters(p));
	json_object_set_new(o, "store_errors", store_errors(p));
	json_object_set_new(o, "rebalances", json_integer((json_int_t)p->pool.rebalances));
	json_object_set_new(o, "marks", marks(&p->pool));
	return o;
}
