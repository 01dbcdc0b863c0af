#include "common/histogram.h"

#include "common/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Values below 2048 have a counter each; every doubling above has 1024 counters, so that the
 * widest counter is 1/1024 of its value.
 */
#define HALF_BITS 10
#define HALF	  (1 << HALF_BITS)
#define SLOTS	  ((22 + 1) * HALF)

struct histogram {
	uint64_t total;
	int64_t min, max;
	double sum;
	uint64_t slots[SLOTS];
};

static int slot_of(int64_t value)
{
	int shift =
		63 - __builtin_clzll((unsigned long long)value | (2 * HALF - 1)) - HALF_BITS;

	return (shift << HALF_BITS) + (int)(value >> shift);
}

/* The highest value that lands in the slot. */
static int64_t slot_top(int slot)
{
	int shift = slot < 2 * HALF ? 0 : (slot >> HALF_BITS) - 1;
	int64_t part = slot - ((int64_t)shift << HALF_BITS);

	return ((part + 1) << shift) - 1;
}

struct histogram *histogram_new(void)
{
	struct histogram *h = mem_alloc(sizeof(*h));

	histogram_reset(h);
	return h;
}

void histogram_free(struct histogram *h)
{
	free(h);
}

void histogram_reset(struct histogram *h)
{
	memset(h, 0, sizeof(*h));
	h->min = INT64_MAX;
}

void histogram_record_us(struct histogram *h, int64_t value_us)
{
	if (value_us < 0)
		value_us = 0;
	if (value_us > HISTOGRAM_MAX_US)
		value_us = HISTOGRAM_MAX_US;
	h->slots[slot_of(value_us)]++;
	h->total++;
	h->sum += (double)value_us;
	if (value_us < h->min)
		h->min = value_us;
	if (value_us > h->max)
		h->max = value_us;
}

void histogram_record_ns(struct histogram *h, int64_t value_ns)
{
	histogram_record_us(h, value_ns <= 0 ? 0 : (value_ns - 1) / 1000 + 1);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (int i = 0; i < SLOTS; i++)
		into->slots[i] += from->slots[i];
	into->total += from->total;
	into->sum += from->sum;
	if (from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
}

uint64_t histogram_count(const struct histogram *h)
{
	return h->total;
}

static int64_t capped(const struct histogram *h, int64_t value)
{
	return value > h->max ? h->max : value;
}

int64_t histogram_percentile_us(const struct histogram *h, double percentile)
{
	double share = fmin(fmax(percentile, 0), 100) / 100;
	/* ceil, less a whisker: 0.99 * 100 must be the 99th value and not the 100th */
	uint64_t rank = (uint64_t)ceil(share * (double)h->total - 1e-9);
	uint64_t seen = 0;

	if (h->total == 0)
		return 0;
	if (rank < 1)
		rank = 1;
	for (int i = 0; i < SLOTS; i++) {
		seen += h->slots[i];
		if (seen >= rank)
			return capped(h, slot_top(i));
	}
	return h->max;
}

int64_t histogram_min_us(const struct histogram *h)
{
	return h->total ? h->min : 0;
}

int64_t histogram_max_us(const struct histogram *h)
{
	return h->max;
}

double histogram_mean_us(const struct histogram *h)
{
	return h->total ? h->sum / (double)h->total : 0;
}

double histogram_stddev_us(const struct histogram *h)
{
	double mean = histogram_mean_us(h), squares = 0;

	for (int i = 0; i < SLOTS; i++) {
		if (h->slots[i]) {
			double d = (double)capped(h, slot_top(i)) - mean;

			squares += d * d * (double)h->slots[i];
		}
	}
	return h->total ? sqrt(squares / (double)h->total) : 0;
}

uint64_t histogram_count_up_to(const struct histogram *h, int64_t value_us)
{
	uint64_t seen = 0;

	if (value_us < 0)
		return 0;
	if (value_us >= HISTOGRAM_MAX_US)
		return h->total;
	for (int i = 0; i <= slot_of(value_us); i++)
		seen += h->slots[i];
	return seen;
}

/* HdrHistogram's step: five points for each halving of the share that is left. */
static double next_tick(double percentile)
{
	double halvings = floor(log2(100 / (100 - percentile))) + 1;

	return percentile + 100 / (5 * pow(2, halvings));
}

void histogram_walk(const struct histogram *h, histogram_visit *visit, void *ctx)
{
	double tick = 0;
	uint64_t seen = 0;

	for (int i = 0; i < SLOTS && seen < h->total; i++) {
		double reached;

		if (h->slots[i] == 0)
			continue;
		seen += h->slots[i];
		reached = 100 * (double)seen / (double)h->total;
		while (seen < h->total && tick <= reached && tick < 100) {
			visit(ctx, capped(h, slot_top(i)), tick, seen);
			tick = next_tick(tick);
		}
	}
	if (h->total)
		visit(ctx, h->max, 100, h->total);
}

static void write_point(void *ctx, int64_t value_us, double percentile, uint64_t count)
{
	FILE *out = ctx;
	double share = percentile / 100;

	fprintf(out, "%12.3f %2.12f %10llu", (double)value_us / 1000, share,
		(unsigned long long)count);
	if (share < 1)
		fprintf(out, " %14.2f\n", 1 / (1 - share));
	else
		fprintf(out, "%15s\n", "inf");
}

void histogram_write_hgrm(const struct histogram *h, FILE *out)
{
	fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
		"1/(1-Percentile)");
	histogram_walk(h, write_point, out);
	fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n",
		histogram_mean_us(h) / 1000, histogram_stddev_us(h) / 1000);
	fprintf(out, "#[Max     = %12.3f, Total count    = %12llu]\n", (double)h->max / 1000,
		(unsigned long long)h->total);
	fprintf(out, "#[Buckets = %12d, SubBuckets     = %12d]\n", SLOTS / HALF, 2 * HALF);
}
