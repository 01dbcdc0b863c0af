#include "common/lag_text.h"

#include "common/json_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *lag_text_count(char *buf, int64_t value)
{
	if (value < 0) {
		snprintf(buf, LAG_TEXT_BYTES, "%s", value == LAG_NONE ? "-" : "n/a");
		return buf;
	}
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRId64, value);
	size_t used = 0;
	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			buf[used++] = ' ';
		buf[used++] = digits[i];
	}
	buf[used] = 0;
	return buf;
}

const char *lag_text_lag(char *buf, const struct lag_view *v)
{
	char known[LAG_TEXT_BYTES];
	if (v->lag >= 0 || v->lag_known <= 0)
		return lag_text_count(buf, v->lag);
	snprintf(buf, LAG_TEXT_BYTES, ">= %.28s", lag_text_count(known, v->lag_known));
	return buf;
}

const char *lag_text_rate(char *buf, double per_second)
{
	if (isnan(per_second))
		snprintf(buf, LAG_TEXT_BYTES, "n/a");
	else if (per_second > 0 && per_second < 10)
		snprintf(buf, LAG_TEXT_BYTES, "%.1f", per_second);
	else
		lag_text_count(buf, per_second < 0 ? 0 : (int64_t)(per_second + 0.5));
	return buf;
}

const char *lag_text_seconds(char *buf, double seconds, bool at_least)
{
	const char *sign = at_least ? ">= " : "";
	if (isnan(seconds)) {
		snprintf(buf, LAG_TEXT_BYTES, "n/a");
		return buf;
	}
	int64_t s = (int64_t)(seconds + 0.5);
	if (seconds == 0 && !at_least)
		snprintf(buf, LAG_TEXT_BYTES, "0s");
	else if (seconds < 1)
		snprintf(buf, LAG_TEXT_BYTES, "%s%.0fms", sign, ceil(seconds * 1000));
	else if (seconds < 9.95)
		snprintf(buf, LAG_TEXT_BYTES, "%s%.1fs", sign, seconds);
	else if (s < 120)
		snprintf(buf, LAG_TEXT_BYTES, "%s%" PRId64 "s", sign, s);
	else if (s < 7200)
		snprintf(buf, LAG_TEXT_BYTES, "%s%" PRId64 "m%02ds", sign, s / 60,
			(int)(s % 60));
	else
		snprintf(buf, LAG_TEXT_BYTES, "%s%" PRId64 "h%02dm", sign, s / 3600,
			(int)(s / 60 % 60));
	return buf;
}

static json_t *offset(int64_t value)
{
	return value < 0 ? json_null() : json_integer(value);
}

static json_t *number(double value)
{
	return isnan(value) ? json_null() : json_real(round(value * 1000) / 1000);
}

json_t *lag_view_json(const struct lag_view *v)
{
	json_t *o = json_object();
	json_object_set_new(o, "low", offset(v->low));
	json_object_set_new(o, "end", offset(v->end));
	json_object_set_new(o, "committed", offset(v->committed));
	json_object_set_new(o, "lag", offset(v->lag));
	json_object_set_new(o, "lag_known", offset(v->lag_known));
	json_object_set_new(o, "lag_seconds", number(v->lag_seconds));
	json_object_set_new(o, "lag_seconds_at_least", json_boolean(v->lag_seconds_at_least));
	json_object_set_new(o, "rate_in", number(v->rate_in));
	json_object_set_new(o, "rate_out", number(v->rate_out));
	json_object_set_new(o, "eta_seconds", number(v->eta_seconds));
	json_object_set_new(o, "eta_slope", number(v->eta_slope));
	json_object_set_new(o, "state", json_string(lag_state_name(v->state)));
	json_object_set_new(o, "reason", json_string(v->reason));
	return o;
}

json_t *lag_snapshot_json(const struct lag_snapshot *s, const char *group)
{
	json_t *o = json_object(), *list = json_array();
	json_object_set_new(o, "group", json_text(group));
	json_object_set_new(o, "members", offset(s->members));
	json_object_set_new(o, "group_state",
		s->group_state[0] ? json_string(s->group_state) : json_null());
	json_object_set_new(o, "age_ms", offset(s->age_ms));
	json_object_set_new(o, "error", s->error[0] ? json_text(s->error) : json_null());
	json_object_set_new(o, "total", lag_view_json(&s->total.view));
	for (size_t i = 0; i < s->count; i++) {
		const struct lag_partition *p = &s->partitions[i];
		json_t *one = lag_view_json(&p->view);
		json_object_set_new(one, "topic", json_string(p->topic));
		json_object_set_new(one, "partition", json_integer(p->partition));
		json_object_set_new(
			one, "owner", p->owner[0] ? json_text(p->owner) : json_null());
		json_array_append_new(list, one);
	}
	json_object_set_new(o, "partitions", list);
	return o;
}
