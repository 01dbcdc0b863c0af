#include "producer/ingest/json_row.h"

#include <math.h>
#include <stdio.h>

#define ONES  0x0101010101010101ULL
#define HIGHS 0x8080808080808080ULL

/* A byte that cannot stand in a JSON string as it is: control, quote, backslash, not ASCII. */
static inline bool is_special(unsigned char c)
{
	return c < 0x20 || c >= 0x80 || c == '"' || c == '\\';
}

static inline uint64_t load8(const char *text)
{
	uint64_t w;

	memcpy(&w, text, 8);
	return w;
}

/* Not 0 when one of the eight bytes is special. */
static inline uint64_t specials(uint64_t w)
{
	uint64_t quote = w ^ (ONES * '"'), slash = w ^ (ONES * '\\');

	quote = (quote - ONES) & ~quote;
	slash = (slash - ONES) & ~slash;
	return (quote | slash | ((w - ONES * 0x20) & ~w) | w) & HIGHS;
}

/* Most texts need no care at all; the last eight bytes may be looked at twice. */
static inline bool all_plain(const char *text, size_t len)
{
	uint32_t head, tail;

	if (len >= 8) {
		for (size_t i = 0; i + 8 < len; i += 8) {
			if (specials(load8(text + i)))
				return false;
		}
		return !specials(load8(text + len - 8));
	}
	if (len >= 4) {
		memcpy(&head, text, 4);
		memcpy(&tail, text + len - 4, 4);
		return !specials((uint64_t)head << 32 | tail);
	}
	for (size_t i = 0; i < len; i++) {
		if (is_special((unsigned char)text[i]))
			return false;
	}
	return true;
}

/* How many leading bytes need no care: eight at a time. */
static size_t plain_prefix(const char *text, size_t len)
{
	size_t i = 0;

	while (i + 8 <= len && !specials(load8(text + i)))
		i += 8;
	while (i < len && !is_special((unsigned char)text[i]))
		i++;
	return i;
}

/* Length of the UTF-8 sequence at `s`, 0 if it is none. */
static size_t utf8_step(const unsigned char *s, size_t left)
{
	unsigned c = s[0];
	size_t n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4 || left < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f) ||
		(c == 0xf0 && s[1] < 0x90) || (c == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

bool utf8_valid(const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_step((const unsigned char *)text + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}

static char *put_escape(char *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[] = "btn?fr"; /* 8 to 13 */

	*out++ = '\\';
	if (c == '"' || c == '\\') {
		*out++ = (char)c;
	} else if (c >= 8 && c <= 13 && c != 11) {
		*out++ = letters[c - 8];
	} else {
		memcpy(out, "u00", 3);
		out[3] = hex[c >> 4];
		out[4] = hex[c & 15];
		out += 5;
	}
	return out;
}

static bool put_text(struct buf *out, const char *text, size_t len, bool lossy)
{
	size_t before = out->used;
	char *to = buf_room(out, len * 6 + 2);

	*to++ = '"';
	if (all_plain(text, len)) {
		memcpy(to, text, len);
		to[len] = '"';
		out->used += len + 2;
		return true;
	}
	for (size_t i = 0; i < len;) {
		size_t n = plain_prefix(text + i, len - i);

		memcpy(to, text + i, n);
		to += n;
		i += n;
		if (i == len)
			break;
		if ((unsigned char)text[i] < 0x80) {
			to = put_escape(to, (unsigned char)text[i++]);
			continue;
		}
		n = utf8_step((const unsigned char *)text + i, len - i);
		if (n == 0 && !lossy) {
			out->used = before;
			return false;
		}
		memcpy(to, n ? text + i : "\xef\xbf\xbd", n ? n : 3);
		to += n ? n : 3;
		i += n ? n : 1;
	}
	*to++ = '"';
	out->used = (size_t)(to - out->data);
	return true;
}

bool json_put_text(struct buf *out, const char *text, size_t len)
{
	return put_text(out, text, len, false);
}

void json_put_text_lossy(struct buf *out, const char *text, size_t len)
{
	put_text(out, text, len, true);
}

size_t format_int(char *out, int64_t value)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930"
		"31323334353637383940414243444546474849505152535455565758596061"
		"62636465666768697071727374757677787980818283848586878889909192"
		"93949596979899";
	char digits[20];
	char *at = digits + sizeof(digits);
	uint64_t v = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	size_t sign = value < 0;
	size_t n;

	while (v >= 100) {
		at -= 2;
		memcpy(at, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (v >= 10) {
		at -= 2;
		memcpy(at, pairs + v * 2, 2);
	} else {
		*--at = (char)('0' + v);
	}
	n = (size_t)(digits + sizeof(digits) - at);
	if (sign)
		*out = '-';
	memcpy(out + sign, at, n);
	return n + sign;
}

size_t format_double(char *out, double value)
{
	for (int precision = 15; precision <= 17; precision++) {
		int n = snprintf(out, 32, "%.*g", precision, value);

		if (precision == 17 || strtod(out, NULL) == value)
			return (size_t)n;
	}
	return 0;
}

size_t format_fixed(char *out, int64_t value, int decimals)
{
	int64_t scale = 1;
	int64_t rest;
	size_t n = 0;

	for (int i = 0; i < decimals; i++)
		scale *= 10;
	rest = value % scale;
	if (value < 0 && value / scale == 0)
		out[n++] = '-';
	n += format_int(out + n, value / scale);
	if (decimals == 0)
		return n;
	rest = rest < 0 ? -rest : rest;
	out[n++] = '.';
	for (int i = decimals - 1; i >= 0; i--, rest /= 10)
		out[n + (size_t)i] = (char)('0' + rest % 10);
	return n + (size_t)decimals;
}

static bool put_cell(struct buf *out, const struct cell *cell)
{
	char *to;

	switch (cell->kind) {
	case CELL_NULL:
		buf_put(out, "null", 4);
		return true;
	case CELL_TEXT:
		return json_put_text(out, cell->text, cell->len);
	case CELL_CLEAN:
	case CELL_WORD:
		to = buf_room(out, cell->len + 2);
		to[0] = '"';
		memcpy(to + 1, cell->text, cell->len);
		to[cell->len + 1] = '"';
		out->used += cell->len + 2;
		return true;
	case CELL_INT:
		if (cell->text)
			buf_put(out, cell->text, cell->len);
		else
			out->used += format_int(buf_room(out, 20), cell->integer);
		return true;
	case CELL_DOUBLE:
		if (cell->text)
			buf_put(out, cell->text, cell->len);
		else if (!isfinite(cell->number))
			buf_put(out, "null", 4); /* JSON has no infinity */
		else
			out->used += format_double(buf_room(out, 32), cell->number);
		return true;
	case CELL_BOOL:
		buf_put(out, cell->integer ? "true" : "false", cell->integer ? 4 : 5);
		return true;
	}
	return false;
}

int json_put_row(struct buf *out, const struct schema *schema, const struct cell *cells)
{
	size_t before = out->used;

	for (size_t i = 0; i < schema->count; i++) {
		buf_put(out, schema->columns[i].json_name, schema->columns[i].json_name_len);
		if (!put_cell(out, &cells[i])) {
			out->used = before;
			return (int)i;
		}
	}
	buf_byte(out, '}');
	return -1;
}
