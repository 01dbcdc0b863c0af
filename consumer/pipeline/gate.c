#include "consumer/pipeline/gate.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

void gate_init(struct gate *gate, int limit)
{
	pthread_condattr_t attr;

	*gate = (struct gate){.limit = limit};
	pthread_mutex_init(&gate->mu, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&gate->left, &attr);
	pthread_condattr_destroy(&attr);
}

void gate_release(struct gate *gate)
{
	pthread_mutex_destroy(&gate->mu);
	pthread_cond_destroy(&gate->left);
}

void gate_set_limit(struct gate *gate, int limit)
{
	pthread_mutex_lock(&gate->mu);
	gate->limit = limit;
	pthread_cond_broadcast(&gate->left);
	pthread_mutex_unlock(&gate->mu);
}

static bool full(const struct gate *gate)
{
	return gate->limit > 0 && gate->inside >= gate->limit;
}

/* Until there is room, or patience is at its end. */
static void wait_for_room(struct gate *gate)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += GATE_PATIENCE_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (full(gate)) {
		if (pthread_cond_timedwait(&gate->left, &gate->mu, &until) == ETIMEDOUT)
			return;
	}
}

void gate_enter(struct gate *gate)
{
	pthread_mutex_lock(&gate->mu);
	if (full(gate))
		wait_for_room(gate);
	gate->inside++;
	pthread_mutex_unlock(&gate->mu);
}

void gate_leave(struct gate *gate)
{
	pthread_mutex_lock(&gate->mu);
	gate->inside--;
	pthread_cond_signal(&gate->left);
	pthread_mutex_unlock(&gate->mu);
}
