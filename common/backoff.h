/*
 * backoff: how long to wait before trying again: exponential with full jitter (each wait is drawn
 * evenly from 0 to the bound), so that workers that failed together do not return together.
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 * One thread's.
 */
#ifndef COMMON_BACKOFF_H
#define COMMON_BACKOFF_H

#include <stdint.h>

struct backoff {
	int64_t base_ms, cap_ms;
	int attempts;
	uint64_t random; /* state of its own generator */
};

void backoff_init(struct backoff *backoff, int64_t base_ms, int64_t cap_ms);
/* The next wait; the bound doubles until cap_ms. At least 1 ms. */
int64_t backoff_next_ms(struct backoff *backoff);
void backoff_reset(struct backoff *backoff);

#endif
