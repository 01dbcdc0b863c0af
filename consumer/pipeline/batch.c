#include "consumer/pipeline/batch.h"

#include "common/mem.h"
#include "consumer/pipeline/batch_sort.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_KEEP_BYTES (1 << 20)

void batch_begin(
	struct batch *batch, const struct route *route, int32_t partition, int64_t from)
{
	batch_clear(batch);
	batch->route = route;
	batch->partition = partition;
	batch->from = batch->to = from;
}

static void add_stamp(struct batch *batch, int64_t ms)
{
	if (batch->stamp_count > 0 && batch->stamps[batch->stamp_count - 1].ms == ms) {
		batch->stamps[batch->stamp_count - 1].count++;
		return;
	}
	if (batch->stamp_count == batch->stamp_room) {
		batch->stamp_room = batch->stamp_room ? batch->stamp_room * 2 : 16;
		batch->stamps =
			mem_resize(batch->stamps, batch->stamp_room, sizeof(*batch->stamps));
	}
	batch->stamps[batch->stamp_count++] = (struct stamp_run){ms, 1};
}

void batch_add(struct batch *batch, rd_kafka_message_t *message)
{
	if (batch->record_count == batch->record_room) {
		batch->record_room = batch->record_room ? batch->record_room * 2 : 64;
		batch->records =
			mem_resize(batch->records, batch->record_room, sizeof(*batch->records));
	}
	batch->records[batch->record_count++] = message;
	add_stamp(batch, rd_kafka_message_timestamp(message, NULL));
	batch->record_bytes += message->len + message->key_len;
	batch->held_bytes += message->len + message->key_len;
	batch->to = message->offset + 1;
	batch->has_last = true;
}

/*
 * The last record's digest is needed once a batch, not once a record: asked for when the rows are
 * selected, after the last batch_add, or before that record is let go.
 */
static void stamp(struct batch *batch)
{
	const rd_kafka_message_t *last;

	if (!batch->has_last || batch->stamped == batch->record_count)
		return;
	batch->stamped = batch->record_count;
	last = batch->records[batch->record_count - 1];
	batch->last_timestamp = batch->stamps[batch->stamp_count - 1].ms;
	batch->last_digest = record_digest(last);
}

void batch_forget(struct batch *batch, size_t record)
{
	if (record == batch->record_count - 1)
		stamp(batch);
	batch->held_bytes -= batch->records[record]->len + batch->records[record]->key_len;
	rd_kafka_message_destroy(batch->records[record]);
	batch->records[record] = NULL;
	batch->let_go++;
}

struct row *batch_add_row(struct batch *batch, size_t record)
{
	size_t cells = (size_t)batch->route->column_count;
	struct row *row;

	if (batch->row_count == batch->row_room) {
		batch->row_room = batch->row_room ? batch->row_room * 2 : 64;
		batch->rows = mem_resize(batch->rows, batch->row_room, sizeof(*batch->rows));
	}
	row = &batch->rows[batch->row_count++];
	*row = (struct row){
		.offset = batch->records[record]->offset, .record = (uint32_t)record};
	row->cells = batch->spare_cells;
	batch->spare_cells = NULL;
	if (!row->cells)
		row->cells = arena_alloc(&batch->arena, cells * sizeof(*row->cells));
	memset(row->cells, 0, cells * sizeof(*row->cells));
	return row;
}

/* Rows of one key are neighbours in offset order once they are sorted: the last one wins. */
static void select_last(struct batch *batch)
{
	struct sort_item *items;
	size_t live = 0;

	batch->live = 0;
	if (batch->row_count == 0) /* a batch of nothing but dead letters has no arrays */
		return;
	if (batch->row_count * 2 > batch->item_room) {
		batch->item_room = batch->row_room * 2;
		batch->items =
			mem_resize(batch->items, batch->item_room, sizeof(*batch->items));
	}
	items = batch->items;
	for (size_t i = 0; i < batch->row_count; i++) {
		if (!batch->rows[i].dead)
			items[live++].row = &batch->rows[i];
	}
	batch->live = live;
	batch_sort(items, items + live, live);
	for (size_t i = 0; i < live; i++) {
		if (i + 1 == live || !row_same_key(items[i].row, items[i + 1].row))
			batch->selected[batch->selected_count++] = items[i].row;
	}
}

void batch_select(struct batch *batch)
{
	static _Atomic uint64_t selections;

	stamp(batch);
	batch->selection = atomic_fetch_add_explicit(&selections, 1, memory_order_relaxed) + 1;
	if (batch->row_count > batch->selected_room) {
		batch->selected_room = batch->row_room;
		batch->selected = mem_resize(
			batch->selected, batch->selected_room, sizeof(*batch->selected));
	}
	batch->selected_count = 0;
	if (batch->route->mode == ROUTE_UPSERT) {
		select_last(batch);
		return;
	}
	for (size_t i = 0; i < batch->row_count; i++) {
		if (!batch->rows[i].dead)
			batch->selected[batch->selected_count++] = &batch->rows[i];
	}
	batch->live = batch->selected_count;
}

void batch_clear(struct batch *batch)
{
	for (size_t i = 0; i < batch->record_count; i++) {
		if (batch->records[i])
			rd_kafka_message_destroy(batch->records[i]);
	}
	batch->record_count = batch->record_bytes = batch->held_bytes = 0;
	batch->key_mismatches = 0;
	batch->let_go = batch->overtaken = batch->stamped = batch->stamp_count = 0;
	batch->row_count = batch->live = batch->selected_count = 0;
	batch->keys.size = 0;
	batch->spare_cells = NULL;
	batch->has_last = false;
	batch->last_timestamp = -1;
	batch->last_digest = 0;
	batch->to = batch->from;
	dead_records_clear(&batch->dead);
	arena_clear(&batch->arena, ARENA_KEEP_BYTES);
}

void batch_release(struct batch *batch)
{
	batch_clear(batch);
	free(batch->records);
	dead_records_release(&batch->dead);
	free(batch->stamps);
	key_index_release(&batch->keys);
	free(batch->rows);
	free(batch->selected);
	free(batch->items);
	arena_release(&batch->arena);
	*batch = (struct batch){0};
}
