/* batch_compact: as many rows as keys, and no record behind them; see batch.h. */
#include "consumer/pipeline/batch.h"

#include <string.h>

/* A larger record is kept where it is: to copy it would cost more than to hold it. */
#define COPIED_BYTES 4096

static bool lies_in(const char *text, const void *data, size_t bytes)
{
	uintptr_t at = (uintptr_t)text, from = (uintptr_t)data;

	return data && at >= from && at < from + bytes;
}

static bool is_borrowed(const struct cell *cell, const rd_kafka_message_t *record)
{
	return cell->kind == CELL_TEXT &&
	       (lies_in(cell->text, record->payload, record->len) ||
		       lies_in(cell->text, record->key, record->key_len));
}

/* Two columns may have the same text, so they can be more than the record. */
static size_t borrowed_bytes(
	const struct batch *batch, const struct row *row, const rd_kafka_message_t *record)
{
	size_t bytes = 0;

	for (int i = 0; i < batch->route->column_count; i++) {
		if (is_borrowed(&row->cells[i], record))
			bytes += row->cells[i].length;
	}
	return bytes;
}

static void own_texts(struct batch *batch, struct row *row, const rd_kafka_message_t *record)
{
	size_t bytes = borrowed_bytes(batch, row, record);
	const char *key = row->sort_key;
	char *at;

	if (row->texts_room <= bytes) { /* an empty text is one, too */
		row->texts_room = (uint32_t)(bytes + bytes / 8 + 1);
		row->texts = arena_alloc(&batch->arena, row->texts_room);
	}
	at = row->texts;
	for (int i = 0; i < batch->route->column_count; i++) {
		struct cell *cell = &row->cells[i];

		if (!is_borrowed(cell, record))
			continue;
		memcpy(at, cell->text, cell->length);
		if (cell->text == key)
			row->sort_key = at;
		cell->text = at;
		at += cell->length;
	}
}

static void let_go(struct batch *batch, struct row *row)
{
	rd_kafka_message_t *record = batch->records[row->record];

	if (record->len + record->key_len > COPIED_BYTES)
		return;
	own_texts(batch, row, record);
	batch_forget(batch, row->record);
}

/* The last row moves to the earlier one's place; what that one had is for the next. */
static struct row *overtake(struct batch *batch, struct row *earlier)
{
	struct row *last = &batch->rows[--batch->row_count], was = *earlier;

	if (batch->records[was.record])
		batch_forget(batch, was.record);
	*earlier = *last;
	earlier->texts = was.texts;
	earlier->texts_room = was.texts_room;
	batch->spare_cells = was.cells;
	return earlier;
}

void batch_compact(struct batch *batch)
{
	size_t last = batch->row_count - 1, place;
	struct row *row = &batch->rows[last];

	if (batch->keys.size == 0)
		key_index_begin(&batch->keys);
	place = key_index_put(&batch->keys, batch->rows, last);
	if (place != last) {
		row = overtake(batch, &batch->rows[place]);
		batch->overtaken++;
	}
	let_go(batch, row);
}
