#include "consumer/pipeline/cache_value.h"

#include "common/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_buffer_add(struct text_buffer *buffer, const void *data, size_t length)
{
	if (buffer->used + length > buffer->room) {
		buffer->room = (buffer->used + length) * 2 + 256;
		buffer->data = mem_resize(buffer->data, buffer->room, 1);
	}
	if (length)
		memcpy(buffer->data + buffer->used, data, length);
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
static void add_int(struct text_buffer *buffer, int64_t value)
{
	char digits[24], *at = digits + sizeof(digits);
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do {
		*--at = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (value < 0)
		*--at = '-';
	text_buffer_add(buffer, at, (size_t)(digits + sizeof(digits) - at));
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

static void add_json_string(struct text_buffer *buffer, const char *text, size_t length)
{
	static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
	size_t plain = 0;

	text_buffer_add(buffer, "\"", 1);
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		const char *known;
		char escape[8];

		if (!needs_escape(c))
			continue;
		text_buffer_add(buffer, text + plain, i - plain);
		plain = i + 1;
		known = c ? strchr(meant, c) : NULL;
		if (c == '"' || c == '\\')
			snprintf(escape, sizeof(escape), "\\%c", c);
		else if (known)
			snprintf(escape, sizeof(escape), "\\%c", letters[known - meant]);
		else
			snprintf(escape, sizeof(escape), "\\u%04x", c);
		add_text(buffer, escape);
	}
	text_buffer_add(buffer, text + plain, length - plain);
	text_buffer_add(buffer, "\"", 1);
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
			text_buffer_add(buffer, cell->text, cell->length);
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
	return cell->kind == CELL_TEXT && column->type != COLUMN_JSON;
}

void cache_json_add(
	struct text_buffer *buffer, const struct route *route, const struct row *row)
{
	for (int i = 0; i < route->column_count; i++) {
		const struct column *column = &route->columns[i];
		const struct cell *cell = &row->cells[i];

		text_buffer_add(buffer, i ? "," : "{", 1);
		add_json_string(buffer, column->field, strlen(column->field));
		text_buffer_add(buffer, ":", 1);
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
	text_buffer_add(buffer, "}", 1);
}
