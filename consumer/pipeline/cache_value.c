#include "consumer/pipeline/cache_value.h"

#include "common/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `length` more bytes; where they go. */
static inline char *reserve(struct text_buffer *buffer, size_t length)
{
	if (buffer->used + length > buffer->room) {
		buffer->room = (buffer->used + length) * 2 + 256;
		buffer->data = mem_resize(buffer->data, buffer->room, 1);
	}
	return buffer->data + buffer->used;
}

char *text_buffer_room(struct text_buffer *buffer, size_t length)
{
	return reserve(buffer, length);
}

/* memcpy for what is mostly short: a call costs more than such a copy. */
static inline char *put(char *to, const char *from, size_t length)
{
	if (length > 32) {
		memcpy(to, from, length);
	} else if (length >= 16) {
		memcpy(to, from, 16);
		memcpy(to + length - 16, from + length - 16, 16);
	} else if (length >= 8) {
		memcpy(to, from, 8);
		memcpy(to + length - 8, from + length - 8, 8);
	} else if (length >= 4) {
		memcpy(to, from, 4);
		memcpy(to + length - 4, from + length - 4, 4);
	} else {
		for (size_t i = 0; i < length; i++)
			to[i] = from[i];
	}
	return to + length;
}

static inline void add_byte(struct text_buffer *buffer, char byte)
{
	*reserve(buffer, 1) = byte;
	buffer->used++;
}

void text_buffer_add(struct text_buffer *buffer, const void *data, size_t length)
{
	if (length)
		memcpy(reserve(buffer, length), data, length);
	buffer->used += length;
}

void text_buffer_release(struct text_buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct text_buffer){0};
}

static void add_text(struct text_buffer *buffer, const char *text)
{
	text_buffer_add(buffer, text, strlen(text));
}

/* Plain digits; no printf on the hot path. */
static char *put_int(char *to, int64_t value)
{
	char digits[24], *at = digits + sizeof(digits);
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do {
		*--at = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (value < 0)
		*--at = '-';
	return put(to, at, (size_t)(digits + sizeof(digits) - at));
}

static void add_int(struct text_buffer *buffer, int64_t value)
{
	buffer->used = (size_t)(put_int(reserve(buffer, 24), value) - buffer->data);
}

/* The shortest decimal that reads back as the same double. */
static void add_double(struct text_buffer *buffer, double value)
{
	char text[40];

	for (int precision = 15; precision <= 17; precision++) {
		snprintf(text, sizeof(text), "%.*g", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	add_text(buffer, text);
}

static void add_base64(struct text_buffer *buffer, const char *data, size_t length)
{
	static const char all[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = (const unsigned char *)data;

	for (size_t i = 0; i < length; i += 3) {
		unsigned sum = (unsigned)in[i] << 16;
		char out[4];

		if (i + 1 < length)
			sum |= (unsigned)in[i + 1] << 8;
		if (i + 2 < length)
			sum |= in[i + 2];
		out[0] = all[sum >> 18];
		out[1] = all[sum >> 12 & 63];
		out[2] = i + 1 < length ? all[sum >> 6 & 63] : '=';
		out[3] = i + 2 < length ? all[sum & 63] : '=';
		text_buffer_add(buffer, out, 4);
	}
}

static bool needs_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

/* Is there one among these eight bytes? Each test puts a byte's top bit where it hits. */
static bool any_needs_escape(uint64_t bytes)
{
	const uint64_t ones = 0x0101010101010101, tops = ones << 7;
	uint64_t quote = bytes ^ ones * '"', backslash = bytes ^ ones * '\\';

	return (((bytes - ones * 0x20) & ~bytes) | ((quote - ones) & ~quote) |
		       ((backslash - ones) & ~backslash)) &
	       tops;
}

/* How many bytes go as they are. */
static size_t plain_length(const char *text, size_t length)
{
	size_t at = 0;
	uint64_t bytes;

	for (; at + sizeof(bytes) <= length; at += sizeof(bytes)) {
		memcpy(&bytes, text + at, sizeof(bytes));
		if (any_needs_escape(bytes))
			break;
	}
	while (at < length && !needs_escape((unsigned char)text[at]))
		at++;
	return at;
}

static void add_escape(struct text_buffer *buffer, unsigned char c)
{
	static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
	const char *known = c ? strchr(meant, c) : NULL;
	char escape[8];

	if (c == '"' || c == '\\')
		snprintf(escape, sizeof(escape), "\\%c", c);
	else if (known)
		snprintf(escape, sizeof(escape), "\\%c", letters[known - meant]);
	else
		snprintf(escape, sizeof(escape), "\\u%04x", c);
	add_text(buffer, escape);
}

static void add_json_string(struct text_buffer *buffer, const char *text, size_t length)
{
	reserve(buffer, length + 2);
	add_byte(buffer, '"');
	for (;;) {
		size_t plain = plain_length(text, length);

		text_buffer_add(buffer, text, plain);
		if (plain == length)
			break;
		add_escape(buffer, (unsigned char)text[plain]);
		text += plain + 1;
		length -= plain + 1;
	}
	add_byte(buffer, '"');
}

void cache_cell_add(
	struct text_buffer *buffer, const struct column *column, const struct cell *cell)
{
	switch (cell->kind) {
	case CELL_NULL:
		break;
	case CELL_INT:
		if (column->type == COLUMN_BOOL)
			add_text(buffer, cell->integer ? "true" : "false");
		else
			add_int(buffer, cell->integer);
		break;
	case CELL_DOUBLE:
		add_double(buffer, cell->number);
		break;
	case CELL_TEXT:
		if (column->type == COLUMN_BYTES)
			add_base64(buffer, cell->text, cell->length);
		else
			buffer->used = (size_t)(put(reserve(buffer, cell->length), cell->text,
							cell->length) -
						buffer->data);
		break;
	}
}

void cache_key_add(struct text_buffer *buffer, const struct route *route, const struct row *row)
{
	for (int i = 0; i < route->cache_key_count; i++) {
		const struct cache_key_part *part = &route->cache_key[i];

		if (part->literal)
			add_text(buffer, part->literal);
		else
			cache_cell_add(buffer, &route->columns[part->column],
				&row->cells[part->column]);
	}
}

static bool is_quoted(const struct column *column, const struct cell *cell)
{
	return cell->kind == CELL_TEXT && column->type != COLUMN_INT &&
	       (column->type != COLUMN_JSON || cell->no_json);
}

/* The usual members: a text that needs no escape, a whole number. False: nothing was added. */
static bool add_simple_member(struct text_buffer *buffer, const struct column *column,
	const struct cell *cell, char before)
{
	char *at;

	if (!column->member)
		return false;
	if (cell->kind == CELL_TEXT && cell->plain && column->type == COLUMN_STRING) {
		at = reserve(buffer, column->member_bytes + cell->length + 3);
		*at++ = before;
		at = put(at, column->member, column->member_bytes);
		*at++ = '"';
		at = put(at, cell->text, cell->length);
		*at++ = '"';
	} else if (cell->kind == CELL_INT && column->type == COLUMN_INT) {
		at = reserve(buffer, column->member_bytes + 25);
		*at++ = before;
		at = put(at, column->member, column->member_bytes);
		at = put_int(at, cell->integer);
	} else {
		return false;
	}
	buffer->used = (size_t)(at - buffer->data);
	return true;
}

void cache_json_add(
	struct text_buffer *buffer, const struct route *route, const struct row *row)
{
	for (int i = 0; i < route->column_count; i++) {
		const struct column *column = &route->columns[i];
		const struct cell *cell = &row->cells[i];

		if (add_simple_member(buffer, column, cell, i ? ',' : '{'))
			continue;
		add_byte(buffer, i ? ',' : '{');
		add_json_string(buffer, column->field, strlen(column->field));
		add_byte(buffer, ':');
		if (cell->kind == CELL_NULL) {
			add_text(buffer, "null");
		} else if (is_quoted(column, cell) && column->type != COLUMN_BYTES) {
			add_json_string(buffer, cell->text, cell->length);
		} else {
			bool quoted = is_quoted(column, cell);

			text_buffer_add(buffer, "\"", quoted);
			cache_cell_add(buffer, column, cell);
			text_buffer_add(buffer, "\"", quoted);
		}
	}
	add_byte(buffer, '}');
}
