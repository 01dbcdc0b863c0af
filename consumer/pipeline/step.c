/*
 * Every step of a partition answers with a verdict, and act() is the only place that decides what
 * follows:
 *
 *	claim	where do both stores stand?				     claim.c
 *	check	is it the same log?					     intake.c
 *	batch	intake - decode - batch - mysql - redis - settle   take.c, apply.c
 *
 * One batch at a time may be with Redis while the next one, of whatever partition, is taken, decoded
 * and sent to MySQL: stepper.behind. Everything else that asks Redis waits for its answer first.
 */
#include "consumer/pipeline/step.h"

#include "common/clock.h"
#include "common/log.h"
#include "consumer/pipeline/bare.h"
#include "consumer/pipeline/claim.h"
#include "consumer/pipeline/gate.h"
#include "consumer/pipeline/log_position.h"
#include "consumer/pipeline/step_connect.h"
#include "consumer/pipeline/take.h"

#include <string.h>

#define MOVED_BACKOFF_MS   5
#define SMALL_RECORD_BYTES 4096

void stepper_init(struct stepper *w, const struct pipeline *pipeline, int number)
{
	*w = (struct stepper){.pipeline = pipeline, .number = number};
	w->tools.pipeline = pipeline;
	w->tools.mysql = mysql_store_new(&pipeline->mysql);
	w->tools.redis = redis_store_new(&pipeline->redis);
	step_connect_init(w);
}

void stepper_release(struct stepper *w)
{
	mysql_store_free(w->tools.mysql);
	redis_store_free(w->tools.redis);
	row_list_release(&w->tools.rows);
}

/* ---- verdicts ------------------------------------------------------------------------------ */

static void log_trouble(
	struct stepper *w, struct partition *p, enum verdict v, const struct store_error *error)
{
	static struct log_limit limit;
	const struct log_field fields[] = {LOG_F("topic", LOG_STR(p->route->topic)),
		LOG_F("partition", LOG_INT(p->id)), LOG_F("worker", LOG_INT(w->number)),
		LOG_F("verdict", LOG_STR(verdict_name(v))),
		LOG_F("store", LOG_STR(error->store)), LOG_F("class", LOG_STR(error->class)),
		LOG_F("error", LOG_STR(error->msg.text))};
	int count = (int)(sizeof(fields) / sizeof(fields[0]));

	if (v == VERDICT_FATAL)
		log_fields(LOG_ERROR, "partition_stopped", fields, count);
	else
		log_fields_limited(&limit, LOG_WARN, "partition_trouble", fields, count);
}

static void wait_before_next(struct partition *p, int64_t ms)
{
	p->not_before_ms = clock_mono_ms() + ms;
}

/* What follows from a step's answer. */
static void act(
	struct stepper *w, struct partition *p, enum verdict v, struct store_error *error)
{
	struct meters *meters = w->pipeline->meters;

	if (v == VERDICT_DONE) {
		if (p->error_noted)
			partition_clear_error(p);
		p->error_noted = p->stop_logged = false;
		backoff_reset(&p->backoff);
		atomic_store(&p->progress_ms, clock_mono_ms());
		return;
	}
	/* A stopped partition looks again and again: it is said when it stops. */
	if (v != VERDICT_FATAL || !p->stop_logged)
		log_trouble(w, p, v, error);
	p->stop_logged = v == VERDICT_FATAL;
	partition_note_error(p, error->msg.text);
	p->error_noted = true;
	switch (v) {
	case VERDICT_DONE:
		break;
	case VERDICT_MOVED:
		meters_count(&meters->moved, error->store, "");
		partition_set_mode(p, MODE_CLAIM);
		wait_before_next(p, MOVED_BACKOFF_MS);
		break;
	case VERDICT_RETRY:
	case VERDICT_POISON: /* a store that refuses what it took before is sick, the record is not */
		meters_count(&meters->store_errors, error->store, error->class);
		wait_before_next(p, backoff_next_ms(&p->backoff));
		break;
	case VERDICT_RECONNECT:
		meters_count(&meters->store_errors, error->store, error->class);
		if (strcmp(error->store, "redis") == 0)
			w->redis_up = false;
		else
			w->mysql_up = false;
		partition_set_mode(p, MODE_CLAIM);
		break;
	case VERDICT_FATAL:
		meters_count(&meters->store_errors, error->store, error->class);
		partition_drop_batch(p);
		partition_set_mode(p, MODE_STOPPED);
		wait_before_next(p, w->pipeline->stopped_retry_ms);
		break;
	}
}

/* It is fetched for again. What the others took while it waited pins nothing of it any more. */
static void release(struct stepper *w, struct partition *p)
{
	if (log_release(w->pipeline->kafka, p))
		atomic_store(&p->taken_mark, atomic_load(&w->pipeline->meters->taken_bytes));
}

/* ---- one step of one partition -------------------------------------------------------------- */

/* The claim is through: what the stores hold may be committed, so that lag is known at once. */
static void entered(struct stepper *w, struct partition *p)
{
	enum partition_mode mode = (enum partition_mode)atomic_load(&p->mode);

	if (mode == MODE_RUN)
		atomic_store(&p->settled, p->position);
	log_event(LOG_INFO, mode == MODE_RUN ? "partition_running" : "partition_recovering",
		LOG_F("topic", LOG_STR(p->route->topic)), LOG_F("partition", LOG_INT(p->id)),
		LOG_F("worker", LOG_INT(w->number)),
		LOG_F("mode", LOG_STR(partition_mode_name(mode))),
		LOG_F("position", LOG_INT(p->position)));
}

static enum verdict step_claim(
	struct stepper *w, struct partition *p, struct store_error *error)
{
	enum verdict v;

	release(w, p);
	v = claim_partition(w->pipeline, w->tools.mysql, w->tools.redis, p, error);
	if (v == VERDICT_DONE && atomic_load(&p->mode) != MODE_CHECK)
		entered(w, p);
	return v;
}

static bool step_check(struct stepper *w, struct partition *p, struct store_error *error)
{
	if (atomic_load(&p->held)) { /* what it waits for will not come: seek again */
		partition_set_mode(p, MODE_CLAIM);
		return true;
	}
	switch (intake_check_log(p, &error->msg)) {
	case LOG_UNKNOWN:
		return false;
	case LOG_SAME:
		partition_set_mode(p, p->next);
		entered(w, p);
		act(w, p, VERDICT_DONE, error);
		return true;
	case LOG_OTHER:
		error->class = "other_log";
		errmsg_set(&error->msg, ERR_REFUSED,
			"%s [%d]: the record before the ledger's position is not the one that "
			"was "
			"applied: the topic was created anew. To go on: wt-consumer reset "
			"--group %s "
			"--topic %s --partition %d --to earliest|latest|OFFSET",
			p->route->topic, p->id, w->pipeline->group, p->route->topic, p->id);
		act(w, p, VERDICT_FATAL, error);
		return true;
	case LOG_LOST:
		partition_set_mode(p, MODE_CLAIM);
		act(w, p, VERDICT_RETRY, error);
		return true;
	}
	return false;
}

/* Puts the queue where the mode needs it; a mode that reached its end is over. */
static enum verdict place_stream(
	struct stepper *w, struct partition *p, struct store_error *error)
{
	if (p->position >= p->cap) {
		partition_set_mode(p, MODE_CLAIM);
		return VERDICT_MOVED;
	}
	release(w, p);
	if (log_seek(w->pipeline->kafka, p, p->position, w->pipeline->kafka_timeout_ms,
		    &error->msg) != 0)
		return VERDICT_RETRY;
	return VERDICT_DONE;
}

/*
 * No record comes: would anybody notice that Redis lost its data? Every few seconds the fence must
 * still stand where this partition does.
 */
static bool look_at_fence(struct stepper *w, struct partition *p, struct store_error *error)
{
	int64_t now = clock_mono_ms();
	struct fence fence;
	enum verdict v;

	if (BARE || atomic_load(&p->mode) != MODE_RUN || now < p->next_fence_look_ms)
		return false;
	p->next_fence_look_ms = now + w->pipeline->fence_look_ms;
	v = redis_store_fence(w->tools.redis, p->route, p->id, &fence, error);
	if (v == VERDICT_DONE && (!fence.exists || fence.next != p->position ||
					 fence.generation != p->generation)) {
		v = VERDICT_MOVED;
		error->store = "redis";
		error->class = "moved";
		errmsg_set(&error->msg, ERR_CLOSED,
			"the fence is gone, or not where this partition stands");
	}
	if (v == VERDICT_DONE)
		return false;
	act(w, p, v, error);
	return true;
}

/* What the others take from now on, this partition's queue may pin (log_hold). */
static void note_taken(const struct pipeline *pipeline, struct partition *p)
{
	uint64_t bytes = p->batch.record_bytes;

	bytes += atomic_fetch_add_explicit(
		&pipeline->meters->taken_bytes, bytes, memory_order_relaxed);
	atomic_store_explicit(&p->taken_mark, bytes, memory_order_relaxed);
}

/* What Redis says of the batch that it has; *of becomes NULL when it has none. */
static enum verdict hear_redis(
	struct stepper *w, struct partition **of, struct store_error *error)
{
	*error = (struct store_error){.store = "redis", .class = "stream", .row = -1};
	*of = w->behind;
	w->behind = NULL;
	return *of ? apply_answer(&w->tools, *of, error) : VERDICT_DONE;
}

/* Returns whether all is well. */
static bool settle_behind(struct stepper *w)
{
	struct store_error error;
	struct partition *of;
	enum verdict v = hear_redis(w, &of, &error);

	if (of)
		act(w, of, v, &error);
	return v == VERDICT_DONE;
}

void stepper_settle(struct stepper *w)
{
	(void)settle_behind(w);
}

/* Its rows cost the server's processors; large ones have it wait for the disk. */
static bool is_small(const struct batch *batch)
{
	return batch->record_bytes < batch->record_count * SMALL_RECORD_BYTES;
}

/*
 * The open batch into MySQL, as far as COMMIT, while Redis has the one before. Returns whether both
 * are well; if not, this one stays open for another try, unless its partition is to be claimed.
 */
static bool step_execute(struct stepper *w, struct partition *p, struct store_error *error)
{
	struct gate *gate = is_small(&p->batch) ? w->pipeline->mysql_gate : NULL;
	struct store_error heard_error;
	enum verdict v, heard;
	struct partition *of;

	if (gate)
		gate_enter(gate);
	v = apply_start(&w->tools, p, error);
	heard = hear_redis(w, &of, &heard_error);
	if (v == VERDICT_DONE)
		v = apply_finish(&w->tools, p, error);
	if (gate)
		gate_leave(gate);
	if (v == VERDICT_DONE && heard != VERDICT_DONE)
		v = apply_rollback(&w->tools, error);
	/* Only now: of the same partition it may drop the batch. */
	if (v != VERDICT_DONE)
		act(w, p, v, error);
	if (of)
		act(w, of, heard, &heard_error);
	return v == VERDICT_DONE && heard == VERDICT_DONE;
}

/* The open batch into the stores. */
static void step_apply(struct stepper *w, struct partition *p, struct store_error *error)
{
	enum verdict v;

	if (p->batch.dead.count > 0 && !settle_behind(w)) /* their delivery may take long */
		return;
	if (!step_execute(w, p, error))
		return;
	v = apply_commit(&w->tools, p, error);
	if (v == VERDICT_DONE && p->sent.to > p->sent.from)
		w->behind = p; /* Redis has it, and has not answered */
	else
		act(w, p, v, error);
}

/* The queue is low, and as far as is known the log has more than what is in it. */
static void want_more(const struct pipeline *pipeline, const struct partition *p)
{
	size_t queued = pipeline->queued_min ? rd_kafka_queue_length(p->queue) : 0;
	int64_t low, high;

	if (queued < pipeline->queued_min &&
		!rd_kafka_get_watermark_offsets(
			pipeline->kafka, p->route->topic, p->id, &low, &high) &&
		high > p->stream + (int64_t)queued)
		pipeline->fetch_soon(pipeline->pool_user, p->route->topic, p->id);
}

static bool step_batch(struct stepper *w, struct partition *p, struct store_error *error)
{
	enum verdict v;

	if (!p->batch_open) {
		v = place_stream(w, p, error);
		if (v == VERDICT_MOVED)
			return true;
		if (v != VERDICT_DONE) {
			act(w, p, v, error);
			return true;
		}
		switch (take_batch(w->pipeline, p, &error->msg)) {
		case INTAKE_EMPTY:
			if (!w->behind)
				return look_at_fence(w, p, error);
			stepper_settle(w);
			return true;
		case INTAKE_DOUBT:
			partition_set_mode(p, MODE_CLAIM);
			return true;
		case INTAKE_LOST:
			partition_set_mode(p, MODE_CLAIM);
			act(w, p, VERDICT_RETRY, error);
			return true;
		case INTAKE_READY:
			note_taken(w->pipeline, p);
			want_more(w->pipeline, p);
			break;
		}
		p->batch_open = true;
	}
	if (atomic_load(&p->mode) == MODE_CATCH_UP)
		act(w, p, apply_catch_up(&w->tools, p, error), error);
	else
		step_apply(w, p, error);
	return true;
}

bool step_partition(struct stepper *w, struct partition *p)
{
	struct store_error error = {.store = "kafka", .class = "stream", .row = -1};

	if (atomic_load(&p->mode) != MODE_RUN)
		stepper_settle(w);
	if (clock_mono_ms() < p->not_before_ms)
		return false;
	if (!step_connected(w)) {
		if (!p->error_noted)
			partition_note_error(p, w->connect_error.text);
		p->error_noted = true;
		return false;
	}
	switch ((enum partition_mode)atomic_load(&p->mode)) {
	case MODE_STOPPED: /* somebody may have mended it */
	case MODE_CLAIM:
		act(w, p, step_claim(w, p, &error), &error);
		return true;
	case MODE_CHECK:
		return step_check(w, p, &error);
	case MODE_CATCH_UP:
	case MODE_HEAL:
	case MODE_RUN:
		return step_batch(w, p, &error);
	}
	return false;
}
