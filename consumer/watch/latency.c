#include "consumer/watch/latency.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

/*
 * Where the share of `total` lies, straight between the bounds of its bucket. False: beyond the last
 * bound, which is then the answer.
 */
static bool percentile(const struct metric_histogram *h, const uint64_t *counts, uint64_t total,
	double share, double *value)
{
	double wanted = share * (double)total, below = 0;
	for (int i = 0; i < h->count; i++) {
		double here = (double)counts[i];
		if (here > 0 && below + here >= wanted) {
			double from = i ? h->bounds[i - 1] : 0;
			*value = from + (h->bounds[i] - from) * (wanted - below) / here;
			return true;
		}
		below += here;
	}
	*value = h->count ? h->bounds[h->count - 1] : NAN;
	return false;
}

void latency_tick(struct latency_window *window, const struct metric_histogram *histogram,
	struct latency *out)
{
	uint64_t now[METRIC_BUCKETS_MAX + 1] = {0}, counts[METRIC_BUCKETS_MAX + 1] = {0};
	int slot = window->ticks % LATENCY_TICKS;
	uint64_t *before = window->before[slot];
	*out = (struct latency){.p50 = NAN, .p99 = NAN};
	for (int i = 0; i <= histogram->count; i++) {
		now[i] = atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
		/* The first ticks count from the start: the slot is still zero. */
		counts[i] = now[i] - before[i];
		out->count += counts[i];
	}
	memcpy(before, now, sizeof(now));
	window->ticks++;
	out->window_seconds = window->ticks < LATENCY_TICKS ? window->ticks : LATENCY_TICKS;
	if (out->count) {
		out->p50_at_least = !percentile(histogram, counts, out->count, 0.50, &out->p50);
		out->p99_at_least = !percentile(histogram, counts, out->count, 0.99, &out->p99);
	}
}
