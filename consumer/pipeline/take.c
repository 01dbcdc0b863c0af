/*
 * 1. intake - 2. decode - 3. batch - 4. mysql - 5. redis - 6. settle
 *
 * In rounds, each as large as the rows that are still free: so a batch never has more rows than it
 * may, and the clock is looked at once a round.
 */
#include "consumer/pipeline/take.h"

#include "common/clock.h"
#include "common/log.h"
#include "consumer/pipeline/decode.h"

#include <stdio.h>

#define COMPACTED_FROM 64 /* of a smaller batch all is kept: nothing to gain */
#define WHOLE_BATCHES  10 /* after a refusal */

/* Once for each partition. */
static void say_key_mismatch(struct partition *p)
{
	if (p->key_mismatch_said)
		return;
	p->key_mismatch_said = true;
	log_event(LOG_WARN, "key_mismatch", LOG_F("topic", LOG_STR(p->route->topic)),
		LOG_F("partition", LOG_INT(p->id)),
		LOG_F("offset", LOG_INT(p->batch.key_mismatch_at)),
		LOG_F("field", LOG_STR(p->route->columns[p->route->keys[0]].field)),
		LOG_F("means",
			LOG_STR("a record's Kafka key is not its row's key: records of one row "
				"in two partitions have no order; see key.mismatch")));
}

static void put_aside(struct partition *p, size_t record, const char *reason, const char *text)
{
	if (p->batch.records[record]->offset >= p->told_until)
		dead_records_add(&p->batch.dead, record, reason, "decode", text);
}

/* The last row's key is not its record's. In a catch-up MySQL has it already, whatever the rule was. */
static void refuse_row(struct partition *p, size_t record)
{
	const struct route *route = p->route;
	char text[256];

	if (route->key_mismatch != KEY_MISMATCH_DEADLETTER ||
		atomic_load(&p->mode) == MODE_CATCH_UP)
		return;
	snprintf(text, sizeof(text), "the record's key is not its field '%s'",
		route->columns[route->keys[0]].field);
	p->batch.rows[p->batch.row_count - 1].dead = true;
	p->batch.key_mismatches--;
	put_aside(p, record, "key_mismatch", text);
}

static void decode_from(struct partition *p, size_t first, bool compact)
{
	struct batch *batch = &p->batch;
	struct decode_error why;

	for (size_t i = first; i < batch->record_count; i++) {
		size_t mismatches = batch->key_mismatches;

		if (decode_record(batch, i, &why) == DECODE_DEAD) {
			put_aside(p, i, why.reason, why.msg.text);
			continue;
		}
		if (batch->key_mismatches > mismatches)
			refuse_row(p, i);
		if (compact && !batch->rows[batch->row_count - 1].dead)
			batch_compact(batch);
	}
}

/* What the next round may take; few free rows, or bytes, are not worth one. */
struct room {
	size_t records, bytes;
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static struct room room_left(const struct pipeline *pipeline, const struct batch *batch)
{
	size_t rows = pipeline->batch_records, bytes = pipeline->batch_bytes;
	size_t held = batch->held_bytes + batch->arena.given;
	struct room room = {rows * pipeline->batch_compact - batch->record_count,
		bytes * pipeline->batch_compact - batch->record_bytes};

	if (rows - batch->row_count <= rows / 16 || held >= bytes - bytes / 16 ||
		batch->record_bytes >= bytes * pipeline->batch_compact)
		return (struct room){0};
	return (struct room){
		least(room.records, rows - batch->row_count), least(room.bytes, bytes - held)};
}

static bool may_compact(const struct pipeline *pipeline, const struct partition *p)
{
	return pipeline->batch_compact > 1 && p->route->mode == ROUTE_UPSERT &&
	       p->position >= p->whole_until && p->batch.record_count >= COMPACTED_FROM;
}

static int64_t since_ns(int64_t *then)
{
	int64_t now = clock_mono_ns(), took = now - *then;

	*then = now;
	return took;
}

enum intake take_batch(const struct pipeline *pipeline, struct partition *p, struct errmsg *msg)
{
	struct batch *batch = &p->batch;
	struct room room = {pipeline->batch_records, pipeline->batch_bytes};
	bool compact = false;
	int64_t intake_ns = 0, decode_ns = 0, now = clock_mono_ns();

	intake_begin(p);
	while (room.records > 0) {
		size_t first = batch->record_count, records = first + room.records;
		size_t bytes = batch->record_bytes + room.bytes;
		enum intake got = intake_fill(p, records, bytes, msg);

		if (got != INTAKE_READY) {
			partition_drop_batch(p);
			return got;
		}
		intake_ns += since_ns(&now);
		if (first == 0)
			compact = may_compact(pipeline, p);
		decode_from(p, first, compact);
		decode_ns += since_ns(&now);
		if (!compact || (batch->record_count < records && batch->record_bytes < bytes))
			break; /* nothing more there, or the batch has its cap */
		room = room_left(pipeline, batch);
	}
	if (batch->key_mismatches > 0)
		say_key_mismatch(p);
	batch_select(batch);
	decode_ns += since_ns(&now);
	meters_stage(pipeline->meters, p->stage_us, STAGE_INTAKE, intake_ns);
	meters_stage(pipeline->meters, p->stage_us, STAGE_DECODE, decode_ns);
	return INTAKE_READY;
}

void take_again_whole(const struct pipeline *pipeline, struct partition *p)
{
	size_t records = pipeline->batch_records * pipeline->batch_compact * WHOLE_BATCHES;

	p->whole_until = p->batch.to + (int64_t)records;
	p->stream = -1; /* seek */
	partition_drop_batch(p);
}
