#include "consumer/pipeline/settle.h"

#include "common/clock.h"
#include "common/fault.h"

static void count_end_to_end(struct meters *meters, const struct batch *batch)
{
	int64_t now_ms = clock_wall_ms();

	for (size_t i = 0; i < batch->stamp_count; i++) {
		const struct stamp_run *run = &batch->stamps[i];
		int64_t age_ms = now_ms > run->ms ? now_ms - run->ms : 0;

		if (run->ms > 0)
			metric_histogram_observe_many(
				&meters->end_to_end_seconds, (double)age_ms / 1000, run->count);
	}
}

void settle_batch(const struct pipeline *pipeline, struct partition *p, struct batch *batch)
{
	FAULT_POINT("settle_before");
	atomic_store(&p->settled, batch->to);
	atomic_fetch_add_explicit(
		&p->applied, batch->live + batch->overtaken, memory_order_relaxed);
	atomic_fetch_add_explicit(
		&pipeline->meters->key_mismatches, batch->key_mismatches, memory_order_relaxed);
	atomic_store_explicit(
		&p->last_batch, (uint32_t)batch->record_count, memory_order_relaxed);
	metric_histogram_observe(&pipeline->meters->batch_records, (double)batch->record_count);
	count_end_to_end(pipeline->meters, batch);
	batch_clear(batch);
	FAULT_POINT("settle_after");
}
