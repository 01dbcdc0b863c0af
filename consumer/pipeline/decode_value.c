#include "consumer/pipeline/decode_value.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *bad_type(const struct column *column, const struct json_value *value,
	const char *wanted, struct errmsg *why)
{
	errmsg_set(why, ERR_INVALID, "field '%s' must be %s, not %s", column->field, wanted,
		json_kind_name(value->kind));
	return "bad_type";
}

static const char *bad_value(
	const struct column *column, const char *wanted, struct errmsg *why)
{
	errmsg_set(why, ERR_INVALID, "field '%s' must be %s", column->field, wanted);
	return "bad_value";
}

/* A string's plain text: the record's own bytes unless there were escapes. */
static void take_text(const struct json_value *value, struct arena *arena, struct cell *cell)
{
	cell->kind = CELL_TEXT;
	cell->plain = !value->escaped; /* it came out of JSON as it is, so it goes in again */
	if (!value->escaped) {
		cell->text = value->text;
		cell->length = (uint32_t)value->length;
	} else {
		char *plain = arena_alloc(arena, value->length);

		cell->length = (uint32_t)json_unescape(value, plain);
		cell->text = plain;
	}
}

/* Exactly `count` digits at text[at]; -1 when they are not there. */
static int digits(const char *text, size_t length, size_t at, int count)
{
	int sum = 0;

	for (int i = 0; i < count; i++, at++) {
		if (at >= length || text[at] < '0' || text[at] > '9')
			return -1;
		sum = sum * 10 + (text[at] - '0');
	}
	return sum;
}

static bool valid_date(int year, int month, int day)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return year >= 1 && month >= 1 && month <= 12 && day >= 1 &&
	       day <= days[month - 1] + (month == 2 && leap);
}

/* "Z", "", "+hh:mm", "-hhmm": seconds east of UTC; false when it is none of them. */
static bool zone_seconds(const char *text, size_t length, size_t at, int *seconds)
{
	int hours, minutes;

	*seconds = 0;
	if (at == length || (at + 1 == length && (text[at] | 32) == 'z'))
		return true;
	if (text[at] != '+' && text[at] != '-')
		return false;
	hours = digits(text, length, at + 1, 2);
	minutes = digits(text, length, at + 3 + (at + 3 < length && text[at + 3] == ':'), 2);
	if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59)
		return false;
	if (length != at + 5 + (text[at + 3] == ':'))
		return false;
	*seconds = (hours * 3600 + minutes * 60) * (text[at] == '-' ? -1 : 1);
	return true;
}

/* ISO 8601 -> milliseconds since 1970 UTC. */
static bool parse_datetime(const char *text, size_t length, int64_t *ms)
{
	struct tm tm = {.tm_year = digits(text, length, 0, 4) - 1900,
		.tm_mon = digits(text, length, 5, 2) - 1,
		.tm_mday = digits(text, length, 8, 2)};
	size_t at = 19;
	int zone, part = 100;

	if (length < 10 || text[4] != '-' || text[7] != '-' ||
		!valid_date(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday))
		return false;
	*ms = 0;
	if (length == 10) {
		*ms = (int64_t)timegm(&tm) * 1000;
		return true;
	}
	tm.tm_hour = digits(text, length, 11, 2);
	tm.tm_min = digits(text, length, 14, 2);
	tm.tm_sec = digits(text, length, 17, 2);
	if (((text[10] | 32) != 't' && text[10] != ' ') || length < 19 || text[13] != ':' ||
		text[16] != ':' || tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 ||
		tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 59)
		return false;
	if (at < length && text[at] == '.') {
		if (digits(text, length, ++at, 1) < 0)
			return false;
		for (; at < length && text[at] >= '0' && text[at] <= '9'; at++, part /= 10)
			*ms += (text[at] - '0') * part;
	}
	if (!zone_seconds(text, length, at, &zone))
		return false;
	*ms += ((int64_t)timegm(&tm) - zone) * 1000;
	return true;
}

#define YEAR_1_MS     (-62135596800000)
#define YEAR_10000_MS 253402300800000

static const char *datetime(const struct column *column, const struct json_value *value,
	struct arena *arena, struct cell *cell, struct errmsg *why)
{
	static const char wanted[] = "an ISO 8601 time, or milliseconds since 1970";
	char *text = arena_alloc(arena, 40);
	int64_t ms, day_ms;
	time_t seconds;
	struct tm tm;

	if (value->kind == JSON_KIND_NUMBER ? !json_number_int64(value, &ms)
					    : value->kind != JSON_KIND_STRING)
		return bad_type(column, value, wanted, why);
	if (value->kind == JSON_KIND_STRING) {
		take_text(value, arena, cell); /* some encoders escape the "+" of a zone */
		if (!parse_datetime(cell->text, cell->length, &ms))
			return bad_value(column, wanted, why);
	}
	/* MySQL's DATETIME ends with the year 9999 */
	if (ms < YEAR_1_MS || ms >= YEAR_10000_MS)
		return bad_value(column, "a time between the years 1 and 9999", why);
	day_ms = ms % 1000 < 0 ? ms % 1000 + 1000 : ms % 1000;
	seconds = (time_t)((ms - day_ms) / 1000);
	gmtime_r(&seconds, &tm);
	cell->plain = false;
	cell->kind = CELL_TEXT;
	cell->length = (uint32_t)snprintf(text, 40, "%04d-%02d-%02d %02d:%02d:%02d.%03d",
		tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		(int)day_ms);
	cell->text = text;
	return NULL;
}

static int base64_digit(unsigned char c)
{
	static const char all[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(all, c) : NULL;

	return at ? (int)(at - all) : -1;
}

/* RFC 4648, padded. */
static const char *bytes(const struct column *column, const struct json_value *value,
	struct arena *arena, struct cell *cell, struct errmsg *why)
{
	unsigned char *out;
	size_t used = 0, length, padding = 0;
	unsigned sum = 0;

	if (value->kind != JSON_KIND_STRING)
		return bad_type(column, value, "base64 text", why);
	take_text(value, arena, cell);
	cell->plain = false;
	length = cell->length;
	while (padding < 2 && padding < length && cell->text[length - padding - 1] == '=')
		padding++;
	if (length % 4)
		return bad_value(column, "base64 text (padded)", why);
	out = arena_alloc(arena, length / 4 * 3 + 1);
	for (size_t i = 0; i < length; i++) {
		int digit =
			i >= length - padding ? 0 : base64_digit((unsigned char)cell->text[i]);

		if (digit < 0)
			return bad_value(column, "base64 text", why);
		sum = sum << 6 | (unsigned)digit;
		if (i % 4 == 3) {
			out[used++] = (unsigned char)(sum >> 16);
			out[used++] = (unsigned char)(sum >> 8);
			out[used++] = (unsigned char)sum;
		}
	}
	cell->text = (const char *)out;
	cell->length = (uint32_t)(used - padding);
	return NULL;
}

static const char *number(const struct column *column, const struct json_value *value,
	struct cell *cell, struct errmsg *why)
{
	bool whole = column->type == COLUMN_INT;

	if (value->kind != JSON_KIND_NUMBER)
		return bad_type(column, value, whole ? "a whole number" : "a number", why);
	cell->kind = whole ? CELL_INT : CELL_DOUBLE;
	if (whole ? json_number_int64(value, &cell->integer)
		  : json_number_double(value, &cell->number)) {
		if (!whole)
			cell->number += 0.0; /* of -0 makes 0: MariaDB keeps no -0 */
		return NULL;
	}
	errmsg_set(why, ERR_INVALID, "field '%s' must be %s", column->field,
		whole ? "a whole number of 64 bits" : "a number that a double can hold");
	return "out_of_range";
}

const char *decode_value(const struct column *column, const struct json_value *value,
	struct arena *arena, struct cell *cell, struct errmsg *why)
{
	*cell = (struct cell){.kind = CELL_NULL};
	if (value->kind == JSON_KIND_NULL && column->type != COLUMN_JSON)
		return NULL;
	switch (column->type) {
	case COLUMN_STRING:
		if (value->kind != JSON_KIND_STRING)
			return bad_type(column, value, "a string", why);
		take_text(value, arena, cell);
		return NULL;
	case COLUMN_INT:
	case COLUMN_DOUBLE:
		return number(column, value, cell, why);
	case COLUMN_BOOL:
		if (value->kind != JSON_KIND_TRUE && value->kind != JSON_KIND_FALSE)
			return bad_type(column, value, "true or false", why);
		cell->kind = CELL_INT;
		cell->integer = value->kind == JSON_KIND_TRUE;
		return NULL;
	case COLUMN_DATETIME:
		return datetime(column, value, arena, cell, why);
	case COLUMN_JSON:
		cell->kind = CELL_TEXT;
		cell->text = value->kind == JSON_KIND_STRING ? value->text - 1 : value->text;
		cell->length =
			(uint32_t)(value->length + (value->kind == JSON_KIND_STRING ? 2 : 0));
		return NULL;
	case COLUMN_BYTES:
		return bytes(column, value, arena, cell, why);
	}
	return "bad_type";
}

/* Of valid UTF-8: the bytes that begin a character. */
static size_t characters(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

/*
 * What a server takes for a blank: C's white space; MySQL also the no-break space of Latin-1 and others;
 * MariaDB, which looks at our bytes as if they were the column's, in UTF-16LE a blank and a NUL.
 */
static bool ends_blank(const struct cell *cell)
{
	const char *end = cell->text + cell->length;
	unsigned char last = (unsigned char)end[-1];

	return last == ' ' || (last >= '\t' && last <= '\r') || last == 0 ||
	       (last == 0xa0 && end[-2] == '\xc2'); /* it is longer than one byte */
}

bool decode_value_is_cut(const struct column *column, const struct cell *cell)
{
	if (column->max_chars == 0 || cell->kind != CELL_TEXT ||
		cell->length <= column->max_chars || !ends_blank(cell))
		return false;
	return cell->length > column->max_bytes ||
	       characters(cell->text, cell->length) > column->max_chars;
}
