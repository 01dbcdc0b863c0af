#include "consumer/watch/history.h"

#include <math.h>

void history_add(struct history *history, const struct history_point *point)
{
	if (history->count == HISTORY_POINTS) {
		history->first = (history->first + 1) % HISTORY_POINTS;
		history->count--;
	}
	history->points[(history->first + history->count++) % HISTORY_POINTS] = *point;
}

static const struct history_point *at(const struct history *h, int index)
{
	return &h->points[(h->first + index) % HISTORY_POINTS];
}

static void put(json_t *columns, const char *name, double value, double unit)
{
	json_array_append_new(json_object_get(columns, name),
		isnan(value) ? json_null() : json_real(round(value / unit) * unit));
}

static void put_point(json_t *columns, const struct history_point *p)
{
	json_array_append_new(json_object_get(columns, "t"), json_integer(p->wall_ms));
	put(columns, "lag", p->lag, 1);
	put(columns, "lag_seconds", p->lag_seconds, 0.01);
	put(columns, "rate_in", p->rate_in, 0.1);
	put(columns, "rate_out", p->rate_out, 0.1);
	put(columns, "p50", p->p50, 0.0001);
	put(columns, "p99", p->p99, 0.0001);
	put(columns, "deadlettered", p->deadlettered, 1);
	put(columns, "workers", p->workers, 1);
}

json_t *history_json(const struct history *history, int64_t since_ms, int max)
{
	static const char *const names[] = {"t", "lag", "lag_seconds", "rate_in", "rate_out",
		"p50", "p99", "deadlettered", "workers"};
	json_t *columns = json_object();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_object_set_new(columns, names[i], json_array());
	int begin = 0;
	while (begin < history->count && at(history, begin)->wall_ms <= since_ms)
		begin++;
	int left = history->count - begin;
	int step = max > 0 && left > max ? (left + max - 1) / max : 1;
	for (int i = begin; i < history->count; i += step) {
		const struct history_point *worst = at(history, i);
		for (int k = i + 1; k < i + step && k < history->count; k++)
			if (isnan(worst->lag) || at(history, k)->lag > worst->lag)
				worst = at(history, k);
		put_point(columns, worst);
	}
	return columns;
}
