/*
 * 1. intake - 2. decode - 3. batch - 4. mysql - 5. redis - 6. settle
 *
 * Never the batch call: rd_kafka_consume_batch_queue loses records silently before librdkafka 2.1
 * (#4208). One record at a time with a zero timeout is faster anyway.
 */
#include "consumer/pipeline/intake.h"

#include "common/log.h"

/*
 * The queue goes on at `offset`, beyond what is expected. Within a stream that is a gap of the log
 * (compaction, control records). At its start it may be a seek that an older question of the
 * library's overtook, and records would be passed over: the claim asks the broker whether they are
 * still there and seeks again, and the gap is believed when it comes twice.
 */
static bool gap_is_real(struct partition *p, int64_t offset)
{
	if (p->sure)
		return true;
	if (p->gap_at == offset) {
		log_event(LOG_INFO, "log_gap", LOG_F("topic", LOG_STR(p->route->topic)),
			LOG_F("partition", LOG_INT(p->id)), LOG_F("from", LOG_INT(p->batch.to)),
			LOG_F("to", LOG_INT(offset)));
		p->sure = true;
		return true;
	}
	p->gap_at = offset;
	p->stream = -1; /* seek again */
	return false;
}

/* An event without a record. Returns false when the stream is lost. */
static bool take_event(struct partition *p, const rd_kafka_message_t *event, struct errmsg *msg)
{
	struct batch *batch = &p->batch;

	if (event->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		if (event->offset > batch->to && event->offset <= p->cap &&
			gap_is_real(p, event->offset)) {
			batch->to = event->offset;
			batch->has_last = false;
			p->stream = event->offset;
		}
		return true;
	}
	errmsg_set(msg, ERR_UNAVAILABLE, "kafka: %s [%d]: %s", p->route->topic, p->id,
		rd_kafka_message_errstr(event));
	p->stream = -1;
	return false;
}

/* A record. Returns false when the batch ends here: its cap, or a gap that is in doubt. */
static bool take_record(struct partition *p, rd_kafka_message_t *record)
{
	struct batch *batch = &p->batch;

	if (record->offset < batch->to) { /* applied already: the ledger says so */
		rd_kafka_message_destroy(record);
		return true;
	}
	if (record->offset > batch->to && !gap_is_real(p, record->offset)) {
		rd_kafka_message_destroy(record);
		return false;
	}
	p->sure = true;
	p->gap_at = -1;
	if (record->offset >= p->cap) { /* the cap lies in a gap of the log */
		batch->to = p->cap;
		batch->has_last = false;
		p->stream = -1;
		rd_kafka_message_destroy(record);
		return false;
	}
	p->stream = record->offset + 1;
	batch_add(batch, record);
	return true;
}

void intake_begin(struct partition *p)
{
	batch_begin(&p->batch, p->route, p->id, p->position);
	p->batch.generation = p->generation;
}

enum intake intake_fill(
	struct partition *p, size_t max_records, size_t max_bytes, struct errmsg *msg)
{
	struct batch *batch = &p->batch;
	bool more = true;

	while (more && batch->record_count < max_records && batch->record_bytes < max_bytes &&
		batch->to < p->cap) {
		rd_kafka_message_t *next = rd_kafka_consume_queue(p->queue, 0);

		if (!next)
			break;
		if (!next->err) {
			more = take_record(p, next);
			continue;
		}
		more = take_event(p, next, msg);
		rd_kafka_message_destroy(next);
		if (!more) {
			batch_clear(batch);
			return INTAKE_LOST;
		}
		more = p->stream >= 0; /* not after a gap that is in doubt */
	}
	if (batch->to > batch->from)
		return INTAKE_READY;
	return p->stream < 0 ? INTAKE_DOUBT : INTAKE_EMPTY;
}

enum log_check intake_check_log(struct partition *p, struct errmsg *msg)
{
	int64_t before = p->check_position - 1;
	rd_kafka_message_t *next;

	while ((next = rd_kafka_consume_queue(p->queue, 0)) != NULL) {
		enum log_check answer = LOG_UNKNOWN;

		if (next->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
			if (next->offset >= p->check_position)
				answer = LOG_SAME;
			p->stream = next->offset == p->check_position ? next->offset : -1;
		} else if (next->err) {
			errmsg_set(msg, ERR_UNAVAILABLE, "kafka: %s [%d]: %s", p->route->topic,
				p->id, rd_kafka_message_errstr(next));
			p->stream = -1;
			answer = LOG_LOST;
		} else if (next->offset == before) {
			answer = record_digest(next) == p->digest ? LOG_SAME : LOG_OTHER;
			p->stream = p->check_position;
		} else if (next->offset > before) { /* compacted away, or a control record */
			answer = LOG_SAME;
			p->stream = -1;
		}
		rd_kafka_message_destroy(next);
		if (answer != LOG_UNKNOWN)
			return answer;
	}
	return LOG_UNKNOWN;
}
