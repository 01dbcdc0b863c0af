/*
 * 1. intake - 2. decode - 3. batch - 4. mysql - 5. redis - 6. settle
 *
 * A walk over the record's own bytes: each member is held against the columns' paths, and what
 * matches becomes a cell. Nothing is built that is not wanted.
 */
#include "consumer/pipeline/decode.h"

#include "common/json_reader.h"
#include "consumer/pipeline/decode_value.h"
#include "consumer/pipeline/record_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct walk {
	struct batch *batch;
	const struct route *route;
	struct row *row;
	unsigned char *seen; /* per column */
	int seen_count;
	int next; /* flat: the column that the next member is likely to be */
	struct decode_error *why;
};

#define FEW_COLUMNS 64 /* their marks need no arena */

/* Does column i's path start like that of column `parent` (the object being walked)? */
static bool below(const struct column *column, const struct column *parent, int depth)
{
	if (column->path_length <= depth)
		return false;
	for (int i = 0; i < depth; i++) {
		if (strcmp(column->path[i], parent->path[i]) != 0)
			return false;
	}
	return true;
}

static bool check_length(struct walk *w, int index)
{
	const struct column *column = &w->route->columns[index];

	if (!decode_value_is_cut(column, &w->row->cells[index]))
		return true;
	errmsg_set(&w->why->msg, ERR_INVALID,
		"field '%s' is longer than its column, which would cut the blanks at its end",
		column->field);
	w->why->reason = "too_long";
	return false;
}

static bool take_leaf(struct walk *w, int index, const struct json_value *value)
{
	const struct column *column = &w->route->columns[index];
	const char *reason;

	if (w->seen[index]) {
		errmsg_set(
			&w->why->msg, ERR_INVALID, "field '%s' is there twice", column->field);
		w->why->reason = "duplicate_field";
		return false;
	}
	w->seen[index] = 1;
	w->seen_count++;
	if (column->type == COLUMN_STRING && value->kind == JSON_KIND_STRING &&
		!value->escaped) { /* nearly always; decode_value would do the same */
		w->row->cells[index] = (struct cell){.kind = CELL_TEXT,
			.plain = true,
			.length = (uint32_t)value->length,
			.text = value->text};
		return check_length(w, index);
	}
	reason = decode_value(
		column, value, &w->batch->arena, &w->row->cells[index], &w->why->msg);
	if (reason) {
		w->why->reason = reason;
		return false;
	}
	if (w->row->cells[index].kind == CELL_NULL && !column->nullable) {
		errmsg_set(&w->why->msg, ERR_INVALID, "field '%s' is null", column->field);
		w->why->reason = "null_field";
		return false;
	}
	return check_length(w, index);
}

static bool walk_object(struct walk *w, const char *text, size_t length,
	const struct column *parent, int depth);

static bool is_named(const struct json_value *key, const struct column *column, int depth)
{
	size_t bytes = column->path_bytes[depth];

	if (key->escaped)
		return json_string_is(key, column->path[depth], bytes);
	return key->length == bytes && memcmp(key->text, column->path[depth], bytes) == 0;
}

static bool take_member(struct walk *w, const struct json_value *key,
	const struct json_value *value, const struct column *parent, int depth)
{
	const struct column *nested = NULL;

	for (int i = 0; i < w->route->column_count; i++) {
		const struct column *column = &w->route->columns[i];

		if (!below(column, parent, depth) || !is_named(key, column, depth))
			continue;
		if (column->path_length > depth + 1)
			nested = column;
		else if (!take_leaf(w, i, value))
			return false;
	}
	if (nested && value->kind == JSON_KIND_OBJECT)
		return walk_object(w, value->text, value->length, nested, depth + 1);
	return true;
}

/* The next member and its cell: 1, 0 at the object's end, -1 where the reader or the cell is wrong. */
static int walk_member(
	struct walk *w, struct json_reader *r, const struct column *parent, int depth)
{
	struct json_value key, value;
	int more = json_object_next(r, &key, &value);

	if (more > 0 && !take_member(w, &key, &value, parent, depth))
		return -1;
	return more;
}

/* A producer writes its members in one order: the column behind the last is tried first. */
static int walk_flat_member(struct walk *w, struct json_reader *r)
{
	const struct column *columns = w->route->columns, *guess = &columns[w->next];
	int count = w->route->column_count, index = w->next, more;
	struct json_value key, value;

	more = guess->member ? json_object_next_guess(
				       r, guess->member, guess->member_bytes, &key, &value)
			     : json_object_next(r, &key, &value);
	if (more <= 0)
		return more;
	if (more == 1) {
		for (index = 0; index < count && !is_named(&key, &columns[index], 0); index++)
			;
	}
	if (index == count)
		return 1;
	w->next = index + 1 == count ? 0 : index + 1;
	return take_leaf(w, index, &value) ? 1 : -1;
}

static bool walk_object(
	struct walk *w, const char *text, size_t length, const struct column *parent, int depth)
{
	struct json_reader r;
	int more = json_object_begin(&r, text, length) == 0 ? 1 : -1;

	while (more > 0)
		more = w->route->flat ? walk_flat_member(w, &r)
				      : walk_member(w, &r, parent, depth);
	if (more == 0)
		return true;
	if (!r.error) /* a cell: `why` says it */
		return false;
	errmsg_set(&w->why->msg, ERR_INVALID, "not a JSON object: byte %zu: %s", r.position,
		r.error);
	w->why->reason = "not_json";
	return false;
}

static bool fill_missing(struct walk *w)
{
	if (w->seen_count == w->route->column_count)
		return true;
	for (int i = 0; i < w->route->column_count; i++) {
		const struct column *column = &w->route->columns[i];

		if (w->seen[i] || (w->row->tombstone && !column->key))
			continue;
		if (column->has_default) {
			w->row->cells[i] = column->default_cell;
		} else if (!column->nullable) {
			errmsg_set(&w->why->msg, ERR_INVALID, "field '%s' is missing",
				column->field);
			w->why->reason = w->row->tombstone ? "no_key" : "missing_field";
			return false;
		}
	}
	return true;
}

/* ---- the key ------------------------------------------------------------------------------------ */

/* Big-endian with the sign turned, so that bytes order like numbers. */
static void put_int(char *out, int64_t value)
{
	uint64_t bits = (uint64_t)value ^ 1ull << 63;

	for (int i = 0; i < 8; i++)
		out[i] = (char)(bits >> (56 - 8 * i));
}

/* Also a part of it at the text's end: with "::" between them, ("x:", "y") is ("x", ":y"). */
static bool meets_separator(const struct cell *cell, const char *separator)
{
	size_t length = strlen(separator);

	for (size_t at = 0; at < cell->length; at++) {
		size_t own = cell->length - at < length ? cell->length - at : length;

		if (memcmp(cell->text + at, separator, own) == 0 &&
			memcmp(separator, separator + own, length - own) == 0)
			return true;
	}
	return false;
}

static bool key_text_fits(
	const struct column *column, const struct cell *cell, struct decode_error *why)
{
	const char *wrong = NULL;

	if (cell->kind != CELL_TEXT || column->type != COLUMN_STRING)
		return true;
	if (cell->length == 0)
		wrong = "is empty";
	else if (cell->text[cell->length - 1] == ' ')
		wrong = "ends with a space, which SQL compares as if it were not there";
	else if (memchr(cell->text, 0, cell->length))
		wrong = "holds a NUL";
	else if (column->separator && meets_separator(cell, column->separator))
		wrong = "holds what separates the fields of the cache key";
	if (!wrong)
		return true;
	errmsg_set(&why->msg, ERR_INVALID, "key field '%s' %s", column->field, wrong);
	why->reason = "bad_key";
	return false;
}

/* One text key orders by its own bytes, where they are; anything else is put together. */
static bool set_sort_key(struct walk *w)
{
	const struct route *route = w->route;
	struct row *row = w->row;
	size_t length = 0;
	char *out;

	for (int k = 0; k < route->key_count; k++) {
		const struct cell *cell = &row->cells[route->keys[k]];

		if (!key_text_fits(&route->columns[route->keys[k]], cell, w->why))
			return false;
		length += cell->kind == CELL_TEXT ? cell->length + 5 : 9;
	}
	if (route->key_count == 1 && row->cells[route->keys[0]].kind == CELL_TEXT) {
		row->sort_key = row->cells[route->keys[0]].text;
		row->sort_key_length = row->cells[route->keys[0]].length;
		return true;
	}
	row->sort_key = out = arena_alloc(&w->batch->arena, length);
	for (int k = 0; k < route->key_count; k++) {
		const struct cell *cell = &row->cells[route->keys[k]];

		if (cell->kind == CELL_TEXT) {
			memcpy(out, cell->text, cell->length);
			out += cell->length;
			*out++ = 0;
			memcpy(out, &cell->length, 4); /* texts with NULs stay distinct */
			out += 4;
		} else {
			put_int(out, cell->integer);
			out += 8;
		}
	}
	row->sort_key_length = (uint32_t)(out - row->sort_key);
	return true;
}

/* ---- tombstones ----------------------------------------------------------------------------------- */

static bool bad_key(struct walk *w, const char *reason, const char *words)
{
	errmsg_set(&w->why->msg, ERR_INVALID, "a delete (null value): %s", words);
	w->why->reason = reason;
	return false;
}

/* Spelled just as the number is: "5.0" would be in another partition than "5". */
static bool is_plain_int(const struct json_value *value)
{
	int64_t integer;
	char again[24];
	size_t digits = 0;

	for (size_t i = 0; i < value->length; i++)
		digits += value->text[i] >= '0' && value->text[i] <= '9';
	if (digits == 0 || digits + (value->text[0] == '-') != value->length ||
		!json_number_int64(value, &integer))
		return false;
	return (size_t)snprintf(again, sizeof(again), "%" PRId64, integer) == value->length &&
	       memcmp(again, value->text, value->length) == 0;
}

/* A key of one column is the column's text; of several, a JSON object of them. */
static bool take_record_key(struct walk *w, const rd_kafka_message_t *record)
{
	const struct column *column = &w->route->columns[w->route->keys[0]];
	struct json_value value = {
		.kind = column->type == COLUMN_INT ? JSON_KIND_NUMBER : JSON_KIND_STRING,
		.text = record->key,
		.length = record->key_len};

	if (!record->key)
		return bad_key(w, "no_key", "the record has no key");
	if (w->route->key_count > 1) {
		if (walk_object(w, record->key, record->key_len, NULL, 0))
			return true;
		if (strcmp(w->why->reason, "not_json") == 0)
			w->why->reason = "no_key";
		errmsg_wrap(&w->why->msg, "a delete (null value): the record's key");
		return false;
	}
	if (column->type == COLUMN_INT && !is_plain_int(&value))
		return bad_key(w, "bad_key", "the record's key is no plain whole number");
	if (column->type != COLUMN_INT && !json_is_utf8(value.text, value.length))
		return bad_key(w, "bad_key", "the record's key is not UTF-8");
	if (!take_leaf(w, w->route->keys[0], &value))
		return false;
	w->row->cells[w->route->keys[0]].plain = false; /* a key is no JSON */
	return true;
}

/* Two partitions may hold records of one row then, and nothing orders them: the caller decides. */
static void heed_record_key(struct walk *w, const rd_kafka_message_t *record)
{
	struct batch *batch = w->batch;

	if (w->route->key_mismatch == KEY_MISMATCH_ALLOW || w->row->tombstone ||
		record_key_agrees(w->route, w->row, record))
		return;
	batch->key_mismatches++;
	batch->key_mismatch_at = record->offset;
}

static bool decode(struct walk *w, const rd_kafka_message_t *record)
{
	if (!record->payload && w->route->mode == ROUTE_APPEND) {
		errmsg_set(&w->why->msg, ERR_INVALID, "a record without a value");
		w->why->reason = "no_value";
		return false;
	}
	w->row->tombstone = !record->payload;
	if (w->row->tombstone ? !take_record_key(w, record)
			      : !walk_object(w, record->payload, record->len, NULL, 0))
		return false;
	if (!fill_missing(w))
		return false;
	if (w->route->mode == ROUTE_APPEND)
		return true;
	if (!set_sort_key(w))
		return false;
	heed_record_key(w, record);
	return true;
}

enum decode_result decode_record(struct batch *batch, size_t record, struct decode_error *why)
{
	size_t columns = (size_t)batch->route->column_count;
	unsigned char few[FEW_COLUMNS];
	struct walk w = {.batch = batch, .route = batch->route, .seen = few, .why = why};

	w.row = batch_add_row(batch, record);
	if (columns > FEW_COLUMNS)
		w.seen = arena_alloc(&batch->arena, columns);
	memset(w.seen, 0, columns);
	if (decode(&w, batch->records[record]))
		return DECODE_ROW;
	batch->row_count--;
	return DECODE_DEAD;
}
