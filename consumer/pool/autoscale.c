#include "consumer/pool/autoscale.h"

#include <math.h>
#include <stdio.h>

#define PATIENCE_MAX 16

const struct autoscale_limits autoscale_limits_default = {
	.up_seconds = 1,
	.far_seconds = 10,
	.calm_seconds = 0.5,
	.up_hold_ms = 2000,
	.down_hold_ms = 60000,
	.cooldown_ms = 5000,
};

int autoscale_useful_above(int partitions, int count)
{
	for (int next = count + 1; next <= partitions; next++) {
		if (partitions % next == 0)
			return next;
	}
	return count;
}

int autoscale_useful_below(int partitions, int count)
{
	for (int next = count - 1; next >= 1; next--) {
		if (partitions % next == 0)
			return next;
	}
	return count;
}

void autoscale_init(struct autoscale *scale, const struct autoscale_limits *limits)
{
	*scale = (struct autoscale){.limits = *limits,
		.behind_since_ms = -1,
		.calm_since_ms = -1,
		.changed_ms = -1,
		.patience = 1};
}

static int clamp(const struct autoscale_input *in, int count)
{
	int most = in->max < in->partitions ? in->max : in->partitions;

	if (count > most)
		count = most;
	return count < in->min ? in->min : count;
}

/* Since when has `now_true` held without a break? */
static void note_since(int64_t *since_ms, bool now_true, int64_t now_ms)
{
	if (!now_true)
		*since_ms = -1;
	else if (*since_ms < 0)
		*since_ms = now_ms;
}

static bool held(int64_t since_ms, int64_t now_ms, int64_t hold_ms)
{
	return since_ms >= 0 && now_ms - since_ms >= hold_ms;
}

/* Up again soon after a step down: that step was wrong. Much later it is another surge. */
static void learn(struct autoscale *scale, int64_t now_ms)
{
	int64_t hold_ms = scale->limits.down_hold_ms * scale->patience;

	if (now_ms - scale->changed_ms >= hold_ms)
		scale->patience = 1;
	else if (scale->patience < PATIENCE_MAX)
		scale->patience *= 2;
}

static void changed(struct autoscale *scale, int64_t now_ms, bool down)
{
	if (!down && scale->went_down)
		learn(scale, now_ms);
	scale->went_down = down;
	scale->changed_ms = now_ms;
	scale->behind_since_ms = scale->calm_since_ms = -1;
}

int autoscale_decide(
	struct autoscale *scale, const struct autoscale_input *in, char *reason, size_t bytes)
{
	const struct autoscale_limits *limits = &scale->limits;
	bool known = !isnan(in->lag_seconds) && !in->trouble;
	bool shrinking = !isnan(in->slope) && in->slope < 0;
	bool far = known && in->lag_seconds > limits->far_seconds;
	int count = in->workers;

	note_since(&scale->behind_since_ms,
		known && in->lag_seconds > limits->up_seconds && (!shrinking || far),
		in->now_ms);
	note_since(&scale->calm_since_ms, known && in->lag_seconds < limits->calm_seconds,
		in->now_ms);
	if (scale->changed_ms >= 0 && in->now_ms - scale->changed_ms < limits->cooldown_ms)
		return in->workers;
	if (held(scale->behind_since_ms, in->now_ms, limits->up_hold_ms)) {
		count = clamp(in, far ? in->partitions
				      : autoscale_useful_above(in->partitions, in->workers));
		snprintf(reason, bytes, "%.1f s behind%s", in->lag_seconds,
			far ? ", far" : " and not catching up");
	} else if (held(scale->calm_since_ms, in->now_ms,
			   limits->down_hold_ms * scale->patience)) {
		count = clamp(in, autoscale_useful_below(in->partitions, in->workers));
		snprintf(reason, bytes, "calm for %lld s",
			(long long)(in->now_ms - scale->calm_since_ms) / 1000);
	}
	if (count != in->workers)
		changed(scale, in->now_ms, count < in->workers);
	return count;
}
