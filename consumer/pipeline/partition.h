/*
 * partition: one assigned partition: where it stands, its batch, and what the watchers may see.
 *
 * Life: the pool makes it when the partition is assigned, gives it to one worker at a time
 * (worker_give / worker_take_back) and frees it after the revoke. Fields are grouped by who may
 * touch them.
 */
#ifndef CONSUMER_PIPELINE_PARTITION_H
#define CONSUMER_PIPELINE_PARTITION_H

#include "common/backoff.h"
#include "consumer/mapping.h"
#include "consumer/pipeline/batch.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What its worker does with it (docs/protocol: start of a partition). */
enum partition_mode {
	MODE_CLAIM, /* where do both stores stand? */
	MODE_CHECK, /* is it the same log? reads the record before the position */
	MODE_CATCH_UP, /* Redis is behind: refresh the keys of [position, cap) from MySQL */
	MODE_HEAL, /* MySQL is behind: apply [position, cap) to MySQL alone */
	MODE_RUN, /* records go through to both */
	MODE_STOPPED, /* cannot go on; the reason is in `error` */
};
const char *partition_mode_name(enum partition_mode mode);

struct partition {
	/* set before it is given to a worker */
	const struct route *route;
	int32_t id;
	rd_kafka_queue_t *queue; /* owned; not forwarded */
	int64_t committed; /* the group's offset at assignment, -1 when there was none */
	bool committed_unknown; /* Kafka did not say */
	bool from_start; /* assigned at the log's beginning; until the first claim */
	bool blank; /* pipeline.blank, in the process' first assignment; until the first claim */

	/* its worker's thread only */
	struct batch batch;
	bool batch_open; /* taken and decoded, not yet in MySQL */
	struct batch sent; /* MySQL has it, and Redis was told; empty after its answer */
	int64_t mysql_ns, redis_ns; /* what execute and telling Redis took */
	int64_t position; /* next record to take (in this mode) */
	int64_t generation; /* of the ledger, as claimed */
	int64_t cap; /* CATCH_UP, HEAL: where the mode ends; RUN: INT64_MAX */
	int64_t stream; /* offset the queue gives next; -1 = unknown, seek first */
	bool sure; /* the queue was seen to stand at `stream` */
	int64_t gap_at; /* where it stood instead, once */
	enum partition_mode next; /* MODE_CHECK: what comes after it */
	int64_t check_position; /* MODE_CHECK: the ledger's position */
	uint32_t digest; /* MODE_CHECK: what the record before it must have */
	struct backoff backoff;
	int64_t not_before_ms; /* monotonic; waits until then */
	bool error_noted; /* an error is shown and is cleared by the next success */
	bool stop_logged;
	bool key_mismatch_said;
	int64_t next_fence_look_ms;
	int64_t whole_until; /* offset: batches that begin before it are not compacted (take.h) */
	int64_t told_until; /* offset: the letters of what cannot be decoded before it were delivered,
				and are not sent again when the records are taken again */

	/* its worker writes, anybody reads */
	_Atomic int mode; /* enum partition_mode */
	_Atomic int owner; /* worker's number, -1 = none */
	_Atomic bool leave; /* the pool asks the worker to let go after its batch */
	_Atomic int64_t settled; /* both stores hold all below; -1 = not known yet */
	_Atomic int64_t progress_ms; /* monotonic time of the last step that moved something */
	_Atomic uint64_t taken_mark; /* meters.taken_bytes when it last took something */
	_Atomic bool held; /* its fetching is paused; set by log_hold, cleared by log_release */
	_Atomic uint64_t applied; /* records whose effect stands in both stores */
	_Atomic uint64_t deadlettered;
	_Atomic uint64_t errors;
	_Atomic uint32_t last_batch; /* records */
	_Atomic uint32_t stage_us[5]; /* of the last batch, by enum stage */
	_Atomic uint64_t rebuild_mark; /* of the rebuild id on its fence; 0 = none */
	_Atomic double cache_ratio; /* of a rebuild; the pool writes it */

	pthread_mutex_t mu;
	char error[512]; /* under mu: last error, "" when all is well */
	int64_t error_wall_ms; /* under mu */
};

struct partition *partition_new(const struct route *route, int32_t id);
void partition_free(struct partition *partition);

void partition_set_mode(struct partition *partition, enum partition_mode mode);
/* Drops the open batch, if any; the records come again from Kafka. */
void partition_drop_batch(struct partition *partition);
void partition_note_error(struct partition *partition, const char *text);
void partition_clear_error(struct partition *partition);
void partition_copy_error(
	struct partition *partition, char *buf, size_t bytes, int64_t *wall_ms);

#endif
