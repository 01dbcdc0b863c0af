#include "consumer/pipeline/partition.h"

#include "common/clock.h"
#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define RETRY_BASE_MS 20
#define RETRY_CAP_MS  5000

const char *partition_mode_name(enum partition_mode mode)
{
	switch (mode) {
	case MODE_CLAIM:
		return "claiming";
	case MODE_CHECK:
		return "checking";
	case MODE_CATCH_UP:
		return "catching up";
	case MODE_HEAL:
		return "healing";
	case MODE_RUN:
		return "running";
	case MODE_STOPPED:
		return "stopped";
	}
	return "?";
}

struct partition *partition_new(const struct route *route, int32_t id)
{
	struct partition *p = mem_zero(1, sizeof(*p));

	p->route = route;
	p->id = id;
	p->committed = -1;
	p->stream = -1;
	p->gap_at = -1;
	backoff_init(&p->backoff, RETRY_BASE_MS, RETRY_CAP_MS);
	p->backoff.random ^= (uint64_t)id << 32;
	atomic_init(&p->mode, MODE_CLAIM);
	atomic_init(&p->owner, -1);
	atomic_init(&p->settled, -1);
	atomic_init(&p->progress_ms, clock_mono_ms());
	pthread_mutex_init(&p->mu, NULL);
	return p;
}

void partition_free(struct partition *p)
{
	if (!p)
		return;
	batch_release(&p->batch);
	batch_release(&p->sent);
	if (p->queue)
		rd_kafka_queue_destroy(p->queue);
	pthread_mutex_destroy(&p->mu);
	free(p);
}

void partition_set_mode(struct partition *p, enum partition_mode mode)
{
	atomic_store(&p->mode, mode);
}

void partition_drop_batch(struct partition *p)
{
	batch_clear(&p->batch);
	p->batch_open = false;
}

void partition_note_error(struct partition *p, const char *text)
{
	atomic_fetch_add_explicit(&p->errors, 1, memory_order_relaxed);
	pthread_mutex_lock(&p->mu);
	snprintf(p->error, sizeof(p->error), "%s", text);
	p->error_wall_ms = clock_wall_ms();
	pthread_mutex_unlock(&p->mu);
}

void partition_clear_error(struct partition *p)
{
	pthread_mutex_lock(&p->mu);
	p->error[0] = 0;
	pthread_mutex_unlock(&p->mu);
}

void partition_copy_error(struct partition *p, char *buf, size_t bytes, int64_t *wall_ms)
{
	pthread_mutex_lock(&p->mu);
	snprintf(buf, bytes, "%s", p->error);
	*wall_ms = p->error_wall_ms;
	pthread_mutex_unlock(&p->mu);
}
