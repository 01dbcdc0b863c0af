#include "loadgen/schedule.h"

#include "loadgen/random.h"

#include <math.h>

void schedule_init(
	struct schedule *s, const struct stages *stages, enum arrivals arrivals, uint64_t seed)
{
	*s = (struct schedule){.stages = *stages, .arrivals = arrivals, .random = seed};
	for (size_t i = 0; i < stages->count; i++) {
		const struct stage *stage = &stages->list[i];

		s->starts[i + 1] = s->starts[i] + stage->seconds;
		s->counts[i + 1] =
			s->counts[i] + stage->seconds * (stage->from + stage->to) / 2;
	}
}

/*
 * Seconds into the stage at which it has made `count`. The usual form, (sqrt(r0^2 + 2 n a) - r0) / a
 * with a = (r1 - r0) / D, multiplied out so that it neither divides by a slope of 0 nor cancels.
 */
static double seconds_into(const struct stage *stage, double count)
{
	double slope = (stage->to - stage->from) / stage->seconds;
	double square = fmax(stage->from * stage->from + 2 * count * slope, 0);
	double divisor = stage->from + sqrt(square);

	if (count <= 0 || divisor <= 0)
		return 0;
	return fmin(2 * count / divisor, stage->seconds);
}

static double due_in_stage(const struct schedule *s, size_t i, double count)
{
	return s->starts[i] + seconds_into(&s->stages.list[i], count - s->counts[i]);
}

double schedule_due_seconds(const struct schedule *s, double count)
{
	size_t i = 0;

	/* a pause makes none: its counts are equal, and the request belongs behind it */
	while (i + 1 < s->stages.count && count >= s->counts[i + 1])
		i++;
	return due_in_stage(s, i, count);
}

/* splitmix64 gives 53 good bits in (0, 1], of which the logarithm is finite. */
static double exponential(uint64_t *state)
{
	return -log(random_share(random_next(state)));
}

int64_t schedule_next_ns(struct schedule *s)
{
	double count;

	if (s->arrivals == ARRIVALS_POISSON) {
		s->position += exponential(&s->random);
		count = s->position;
	} else {
		count = (double)s->made;
	}
	if (count >= s->counts[s->stages.count])
		return -1;
	while (count >= s->counts[s->stage + 1])
		s->stage++;
	s->made++;
	return llround(due_in_stage(s, s->stage, count) * 1e9);
}

static size_t stage_at(const struct schedule *s, double seconds)
{
	size_t i = 0;

	while (i + 1 < s->stages.count && seconds >= s->starts[i + 1])
		i++;
	return i;
}

double schedule_rate_at(const struct schedule *s, double seconds)
{
	size_t i = stage_at(s, seconds);
	const struct stage *stage = &s->stages.list[i];

	if (seconds < 0 || seconds >= s->starts[s->stages.count])
		return 0;
	return stage->from +
	       (stage->to - stage->from) * (seconds - s->starts[i]) / stage->seconds;
}

double schedule_count_at(const struct schedule *s, double seconds)
{
	size_t i = stage_at(s, seconds);
	const struct stage *stage = &s->stages.list[i];
	double into = seconds - s->starts[i];

	if (seconds <= 0)
		return 0;
	if (seconds >= s->starts[s->stages.count])
		return s->counts[s->stages.count];
	return s->counts[i] + into * stage->from +
	       into * into * (stage->to - stage->from) / stage->seconds / 2;
}

double schedule_seconds(const struct schedule *s)
{
	return s->starts[s->stages.count];
}

uint64_t schedule_total(const struct schedule *s)
{
	return (uint64_t)ceil(s->counts[s->stages.count]);
}
