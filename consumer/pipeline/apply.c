/*
 * 1. intake - 2. decode - 3. batch - 4. mysql - 5. redis - 6. settle, for one batch [a, b).
 *
 * The order is the protocol's: letters first, then the transaction that moves the ledger, then what
 * moves the fence. Whatever goes wrong leaves both stores at a position that claim.c
 * knows how to go on from.
 */
#include "consumer/pipeline/apply.h"

#include "common/clock.h"
#include "common/fault.h"
#include "consumer/failure/bisect.h"
#include "consumer/pipeline/refresh.h"
#include "consumer/pipeline/settle.h"
#include "consumer/pipeline/take.h"

#include <stdio.h>
#include <string.h>

static enum verdict probe_rows(
	void *context, struct row *const *rows, size_t count, struct store_error *error)
{
	struct apply_tools *tools = context;

	return mysql_store_probe(tools->mysql, tools->route, rows, count, error);
}

/* Any row of the table: it fitted once, so a well store takes it again. */
static enum verdict probe_known_row(void *context, struct store_error *error)
{
	struct apply_tools *tools = context;
	struct store_error ignored;
	enum verdict v = mysql_store_snapshot_begin(tools->mysql, error);
	struct row *known;

	row_list_clear(&tools->rows);
	if (v == VERDICT_DONE)
		v = mysql_store_snapshot_scan(
			tools->mysql, tools->route, NULL, 1, &tools->rows, error);
	(void)mysql_store_snapshot_end(tools->mysql, &ignored);
	if (v != VERDICT_DONE)
		return v;
	if (tools->rows.count == 0)
		return VERDICT_MOVED;
	known = &tools->rows.rows[0];
	v = mysql_store_probe(tools->mysql, tools->route, &known, 1, error);
	/* In append mode a table with a unique key of its own has this row already: well enough. */
	if (v == VERDICT_POISON && strcmp(error->class, "duplicate") == 0)
		v = VERDICT_DONE;
	return v;
}

/* POISON: finds the row, puts it aside as dead, and lets the batch be tried again without it. */
static enum verdict remove_culprit(
	struct apply_tools *tools, struct partition *p, struct store_error *error)
{
	struct bisect_probe probe = {probe_rows, probe_known_row, tools};
	struct batch *batch = &p->batch;
	size_t culprit = 0;
	enum verdict v;

	tools->route = p->route;
	v = bisect_find(
		&probe, batch->selected, batch->selected_count, error->row, &culprit, error);
	if (v != VERDICT_DONE)
		return v;
	batch->selected[culprit]->dead = true;
	dead_records_add(&batch->dead, batch->selected[culprit]->record, "poison", error->class,
		error->msg.text);
	batch_select(batch);
	return VERDICT_DONE;
}

enum verdict apply_start(
	struct apply_tools *tools, struct partition *p, struct store_error *error)
{
	int64_t start_ns = clock_mono_ns();
	enum verdict v = letters_deliver(tools->pipeline, p, error);

	if (v != VERDICT_DONE)
		return v;
	FAULT_POINT("mysql_before_execute");
	v = mysql_store_start(tools->mysql, &p->batch, error);
	p->mysql_ns = clock_mono_ns() - start_ns;
	if (v == VERDICT_DONE && atomic_load(&p->mode) == MODE_RUN)
		redis_store_prepare(tools->redis, &p->batch);
	return v;
}

enum verdict apply_finish(
	struct apply_tools *tools, struct partition *p, struct store_error *error)
{
	int64_t start_ns = clock_mono_ns();
	enum verdict v = mysql_store_finish(tools->mysql, &p->batch, error);

	FAULT_POINT("mysql_after_execute");
	if (v == VERDICT_POISON && p->batch.let_go > 0) {
		take_again_whole(tools->pipeline, p);
		return VERDICT_RETRY;
	}
	while (v == VERDICT_POISON) {
		v = remove_culprit(tools, p, error);
		if (v == VERDICT_DONE)
			v = letters_deliver(tools->pipeline, p, error);
		if (v != VERDICT_DONE)
			return v;
		v = mysql_store_execute(tools->mysql, &p->batch, error);
	}
	p->mysql_ns += clock_mono_ns() - start_ns;
	return v;
}

enum verdict apply_rollback(struct apply_tools *tools, struct store_error *error)
{
	return mysql_store_rollback(tools->mysql, error);
}

enum verdict apply_catch_up(
	struct apply_tools *tools, struct partition *p, struct store_error *error)
{
	struct batch *batch = &p->batch;
	struct refresh_request request = {.route = p->route,
		.partition = p->id,
		.wanted = batch->selected,
		.count = batch->selected_count,
		.advance_from = batch->from,
		.advance_to = batch->to};
	enum verdict v;

	dead_records_clear(&batch->dead); /* delivered before the ledger passed */
	v = refresh_keys(tools->mysql, tools->redis, &request, &tools->rows, error);
	if (v != VERDICT_DONE)
		return v;
	p->position = batch->to;
	partition_drop_batch(p);
	return VERDICT_DONE;
}

/* MySQL has the batch, Redis perhaps not: the claim goes on from there. */
static enum verdict claim_unless_done(struct partition *p, enum verdict v)
{
	if (v == VERDICT_RETRY || v == VERDICT_POISON)
		partition_set_mode(p, MODE_CLAIM);
	return v;
}

static enum verdict tell_redis(
	struct apply_tools *tools, struct partition *p, struct store_error *error)
{
	int64_t start_ns = clock_mono_ns();
	struct batch told = p->batch;
	enum verdict v;

	FAULT_POINT("redis_before_script");
	v = redis_store_send(tools->redis, &p->batch, error);
	if (v != VERDICT_DONE)
		return claim_unless_done(p, v);
	p->batch = p->sent;
	p->sent = told;
	partition_drop_batch(p);
	p->redis_ns = clock_mono_ns() - start_ns;
	FAULT_POINT("redis_sent");
	return VERDICT_DONE;
}

static void settle(struct apply_tools *tools, struct partition *p, struct batch *batch)
{
	int64_t start_ns = clock_mono_ns();

	settle_batch(tools->pipeline, p, batch);
	meters_stage(
		tools->pipeline->meters, p->stage_us, STAGE_SETTLE, clock_mono_ns() - start_ns);
}

enum verdict apply_commit(
	struct apply_tools *tools, struct partition *p, struct store_error *error)
{
	int64_t start_ns = clock_mono_ns();
	enum verdict v;

	FAULT_POINT("mysql_before_commit");
	v = mysql_store_commit(tools->mysql, error);
	FAULT_POINT("mysql_after_commit");
	if (v == VERDICT_RETRY) /* it may have happened all the same: only the claim can tell */
		partition_set_mode(p, MODE_CLAIM);
	if (v != VERDICT_DONE)
		return v;
	meters_stage(tools->pipeline->meters, p->stage_us, STAGE_MYSQL,
		p->mysql_ns + clock_mono_ns() - start_ns);
	p->position = p->batch.to;
	if (atomic_load(&p->mode) == MODE_RUN)
		return tell_redis(tools, p, error);
	settle(tools, p, &p->batch);
	partition_drop_batch(p);
	return VERDICT_DONE;
}

enum verdict apply_answer(
	struct apply_tools *tools, struct partition *p, struct store_error *error)
{
	int64_t start_ns = clock_mono_ns();
	enum verdict v = redis_store_answer(tools->redis, &p->sent, error);

	FAULT_POINT("redis_after_script");
	if (v != VERDICT_DONE) {
		batch_clear(&p->sent);
		return claim_unless_done(p, v);
	}
	meters_stage(tools->pipeline->meters, p->stage_us, STAGE_REDIS,
		p->redis_ns + clock_mono_ns() - start_ns);
	settle(tools, p, &p->sent);
	return VERDICT_DONE;
}
