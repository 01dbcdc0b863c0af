/*
 * histogram: how long things took, in bounded memory. Log-linear counters as HdrHistogram's: 1 us
 * to 1 h with three significant digits (a reported value is at most 0.1 % above the recorded one).
 * About 190 KB each. One thread's; copy by histogram_merge(). new -> record... -> free.
 */
#ifndef COMMON_HISTOGRAM_H
#define COMMON_HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

struct histogram;

#define HISTOGRAM_MAX_US INT64_C(3600000000)

struct histogram *histogram_new(void);
void histogram_free(struct histogram *h);
void histogram_reset(struct histogram *h);

/* Values below 0 count as 0, above an hour as an hour. */
void histogram_record_us(struct histogram *h, int64_t value_us);
/* The same from nanoseconds, rounded up: nothing is ever reported faster than it was. */
void histogram_record_ns(struct histogram *h, int64_t value_ns);
void histogram_merge(struct histogram *into, const struct histogram *from);

uint64_t histogram_count(const struct histogram *h);
/* 0 to 100; the value at or below which that share of the records lies; 0 when empty. */
int64_t histogram_percentile_us(const struct histogram *h, double percentile);
int64_t histogram_min_us(const struct histogram *h);
int64_t histogram_max_us(const struct histogram *h);
double histogram_mean_us(const struct histogram *h);
double histogram_stddev_us(const struct histogram *h);
/* How many records are <= value_us (to the histogram's precision). */
uint64_t histogram_count_up_to(const struct histogram *h, int64_t value_us);

/*
 * The points of the percentile distribution, five per halving of what remains, as HdrHistogram
 * walks it. visit(ctx, value_us, percentile 0..100, records at or below).
 */
typedef void histogram_visit(void *ctx, int64_t value_us, double percentile, uint64_t count);
void histogram_walk(const struct histogram *h, histogram_visit *visit, void *ctx);

/* The .hgrm text that HdrHistogram's plotter reads; values in milliseconds. */
void histogram_write_hgrm(const struct histogram *h, FILE *out);

#endif
