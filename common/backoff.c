#include "common/backoff.h"

#include "common/clock.h"
#include "common/mix64.h"

static uint64_t next_random(uint64_t *state)
{
	return mix64(*state += MIX64_STEP);
}

void backoff_init(struct backoff *backoff, int64_t base_ms, int64_t cap_ms)
{
	*backoff = (struct backoff){
		.base_ms = base_ms,
		.cap_ms = cap_ms,
		.random = (uint64_t)clock_mono_ns() ^ (uint64_t)(uintptr_t)backoff,
	};
}

int64_t backoff_next_ms(struct backoff *backoff)
{
	int64_t bound = backoff->base_ms;

	for (int i = 0; i < backoff->attempts && bound < backoff->cap_ms; i++)
		bound *= 2;
	if (bound >= backoff->cap_ms)
		bound = backoff->cap_ms;
	else
		backoff->attempts++;
	return 1 + (int64_t)(next_random(&backoff->random) % (uint64_t)bound);
}

void backoff_reset(struct backoff *backoff)
{
	backoff->attempts = 0;
}
