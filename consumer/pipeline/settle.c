#include "consumer/pipeline/settle.h"

#include "common/clock.h"
#include "common/fault.h"

static void count_end_to_end(struct meters *meters, const struct batch *batch)
{
	int64_t now_ms = clock_wall_ms(), run_ms = -1;
	uint64_t run = 0;

	/* neighbours were often sent in the same millisecond */
	for (size_t i = 0; i <= batch->record_count; i++) {
		int64_t sent_ms = i < batch->record_count
					  ? rd_kafka_message_timestamp(batch->records[i], NULL)
					  : -1;

		if (sent_ms != run_ms || i == batch->record_count) {
			if (run_ms > 0)
				metric_histogram_observe_many(&meters->end_to_end_seconds,
					(double)(now_ms > run_ms ? now_ms - run_ms : 0) / 1000,
					run);
			run_ms = sent_ms;
			run = 0;
		}
		run++;
	}
}

void settle_batch(const struct pipeline *pipeline, struct partition *p, struct batch *batch)
{
	FAULT_POINT("settle_before");
	atomic_store(&p->settled, batch->to);
	atomic_fetch_add_explicit(&p->applied, batch->row_count, memory_order_relaxed);
	atomic_store_explicit(
		&p->last_batch, (uint32_t)batch->record_count, memory_order_relaxed);
	metric_histogram_observe(&pipeline->meters->batch_records, (double)batch->record_count);
	count_end_to_end(pipeline->meters, batch);
	batch_clear(batch);
	FAULT_POINT("settle_after");
}
