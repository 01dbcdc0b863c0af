#include "common/lag_probe.h"

#include "common/clock.h"
#include "common/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define FIRST_S	  1.0
#define WIDEN	  4.0
#define PRECISION 1.02
#define FINE_S	  0.05

/* One partition's search: the age lies in (young, old]; old is NAN until it is found. */
struct search {
	double young, old, ask;
	bool over;
};

static void next_question(struct search *s)
{
	if (isnan(s->old))
		s->ask = s->young > 0 ? s->young * WIDEN : FIRST_S;
	else
		s->ask = s->young > 0 ? sqrt(s->young * s->old) : s->old / 2;
	if (isnan(s->old) ? s->ask > LAG_PROBE_MAX_S
			  : s->old - s->young < FINE_S || s->old < s->young * PRECISION)
		s->over = true;
}

/* The brokers' answer: the first record that is at most `ask` old is at `first`, none: < 0. */
static void take_answer(struct search *s, int64_t first, int64_t offset)
{
	if (first >= 0 && first <= offset)
		s->old = s->ask;
	else
		s->young = s->ask;
	next_question(s);
}

/* One request a broker for all searches that go on. False when none does, or nobody answers. */
static bool ask(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list, struct search *all,
	int64_t now_ms, int timeout_ms)
{
	rd_kafka_topic_partition_list_t *times = rd_kafka_topic_partition_list_new(list->cnt);
	for (int i = 0; i < list->cnt; i++)
		if (!all[i].over)
			rd_kafka_topic_partition_list_add(
				times, list->elems[i].topic, list->elems[i].partition)
				->offset = now_ms - (int64_t)(all[i].ask * 1000);
	bool asked = times->cnt > 0 && !rd_kafka_offsets_for_times(rk, times, timeout_ms);
	for (int i = 0, k = 0; asked && i < list->cnt; i++) {
		if (all[i].over)
			continue;
		const rd_kafka_topic_partition_t *p = &times->elems[k++];
		if (p->err) {
			all[i].old = NAN;
			all[i].over = true;
		} else {
			take_answer(&all[i], p->offset, list->elems[i].offset);
		}
	}
	rd_kafka_topic_partition_list_destroy(times);
	return asked;
}

void lag_probe_ages(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list, int timeout_ms,
	double *ages_s)
{
	int64_t now_ms = clock_wall_ms();
	struct search *all = mem_zero((size_t)list->cnt + 1, sizeof(*all));
	for (int i = 0; i < list->cnt; i++)
		all[i] = (struct search){.old = NAN, .ask = FIRST_S};
	while (ask(rk, list, all, now_ms, timeout_ms))
		;
	for (int i = 0; i < list->cnt; i++)
		ages_s[i] = all[i].over ? all[i].old : NAN;
	free(all);
}
