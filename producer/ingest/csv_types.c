#include "producer/ingest/csv_types.h"

#include <math.h>

bool csv_parse_int(const char *text, size_t len, int64_t *value)
{
	size_t i = len > 0 && text[0] == '-';
	uint64_t v = 0;
	uint64_t limit = i ? (uint64_t)INT64_MAX + 1 : INT64_MAX;

	if (len == i || len > 20 || (text[i] == '0' && len != 1))
		return false;
	for (; i < len; i++) {
		unsigned digit = (unsigned)(unsigned char)text[i] - '0';

		if (digit > 9 || v > (limit - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*value = text[0] == '-' ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

static size_t digits(const char *text, size_t len, size_t at)
{
	size_t from = at;

	while (at < len && text[at] >= '0' && text[at] <= '9')
		at++;
	return at - from;
}

/* JSON's grammar, so that the text can be copied as it is. */
static bool is_json_number(const char *text, size_t len)
{
	size_t at = len > 0 && text[0] == '-';
	size_t whole = digits(text, len, at);

	if (whole == 0 || (whole > 1 && text[at] == '0'))
		return false;
	at += whole;
	if (at < len && text[at] == '.') {
		size_t fraction = digits(text, len, at + 1);

		if (fraction == 0)
			return false;
		at += 1 + fraction;
	}
	if (at < len && (text[at] == 'e' || text[at] == 'E')) {
		size_t exponent;

		at++;
		at += at < len && (text[at] == '+' || text[at] == '-');
		exponent = digits(text, len, at);
		if (exponent == 0)
			return false;
		at += exponent;
	}
	return at == len;
}

bool csv_parse_double(const char *text, size_t len, double *value)
{
	char copy[400];

	if (len >= sizeof(copy) || !is_json_number(text, len))
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	*value = strtod(copy, NULL);
	return isfinite(*value);
}

static bool parse_bool(const char *text, size_t len, int64_t *value)
{
	*value = len == 4 && memcmp(text, "true", 4) == 0;
	return *value || (len == 5 && memcmp(text, "false", 5) == 0);
}

void csv_guess_field(struct csv_guess *guess, const char *text, size_t len)
{
	int64_t integer;
	double number;

	if (len == 0)
		return;
	guess->seen = true;
	guess->is_int = guess->is_int && csv_parse_int(text, len, &integer);
	guess->is_double = guess->is_double && csv_parse_double(text, len, &number);
	guess->is_bool = guess->is_bool && parse_bool(text, len, &integer);
}

enum column_type csv_guess_type(const struct csv_guess *guess)
{
	if (!guess->seen)
		return COLUMN_STRING;
	if (guess->is_int)
		return COLUMN_INT;
	if (guess->is_double)
		return COLUMN_DOUBLE;
	return guess->is_bool ? COLUMN_BOOL : COLUMN_STRING;
}

bool csv_cell(const struct csv_field *field, enum column_type type, const char *null_text,
	size_t null_len, struct cell *cell)
{
	bool is_text = type == COLUMN_STRING || type == COLUMN_BYTES;

	cell->text = field->text;
	cell->len = field->len;
	if (!field->quoted && field->len == null_len &&
		memcmp(field->text, null_text, null_len) == 0 && (null_len > 0 || !is_text)) {
		cell->kind = CELL_NULL;
		return true;
	}
	switch (type) {
	case COLUMN_STRING:
	case COLUMN_BYTES:
		cell->kind = CELL_TEXT;
		return true;
	case COLUMN_INT:
		cell->kind = CELL_INT;
		return csv_parse_int(field->text, field->len, &cell->integer);
	case COLUMN_DOUBLE:
		cell->kind = CELL_DOUBLE;
		return csv_parse_double(field->text, field->len, &cell->number);
	case COLUMN_BOOL:
		cell->kind = CELL_BOOL;
		return parse_bool(field->text, field->len, &cell->integer);
	}
	return false;
}
