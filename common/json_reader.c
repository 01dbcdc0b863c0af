#include "common/json_reader.h"

#include <string.h>

static int fail(struct json_reader *r, const char *at, const char *error)
{
	r->position = (size_t)(at - r->start);
	r->error = error;
	return -1;
}

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	return at;
}

const char *json_kind_name(enum json_kind kind)
{
	static const char *const names[] = {
		"null", "true", "false", "a number", "a string", "an object", "an array"};

	return names[kind];
}

/* ---- strings -------------------------------------------------------------------------------- */

/* Bytes of the UTF-8 sequence at `at`, 0 when it is none (overlong, surrogate, beyond U+10FFFF). */
static size_t utf8_length(const char *at, const char *end)
{
	const unsigned char *s = (const unsigned char *)at;
	size_t room = (size_t)(end - at);

#define TAIL(i) ((s[i] & 0xc0) == 0x80)
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return room >= 2 && TAIL(1) ? 2 : 0;
	if ((s[0] & 0xf0) == 0xe0) {
		if (room < 3 || !TAIL(1) || !TAIL(2))
			return 0;
		if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0))
			return 0;
		return 3;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		if (room < 4 || !TAIL(1) || !TAIL(2) || !TAIL(3))
			return 0;
		if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
			return 0;
		return 4;
	}
#undef TAIL
	return 0;
}

bool json_is_utf8(const char *text, size_t length)
{
	const char *end = text + length;
	size_t used = 1;

	for (; text < end && used; text += used)
		used = (unsigned char)*text < 0x80 ? 1 : utf8_length(text, end);
	return used > 0;
}

static int hex4(const char *at, const char *end)
{
	int value = 0;

	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int c = at[i];

		if (c >= '0' && c <= '9')
			c -= '0';
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			c = (c | 32) - 'a' + 10;
		else
			return -1;
		value = value << 4 | c;
	}
	return value;
}

/* Bytes of the escape at the backslash `at`, 0 when it is none. */
static size_t escape_length(const char *at, const char *end)
{
	int code;

	if (end - at < 2)
		return 0;
	if (at[1] != 'u')
		return at[1] && strchr("\"\\/bfnrt", at[1]) ? 2 : 0;
	code = hex4(at + 2, end);
	if (code < 0 || (code >= 0xdc00 && code <= 0xdfff))
		return 0;
	if (code < 0xd800 || code > 0xdfff)
		return 6;
	if (end - at < 12 || at[6] != '\\' || at[7] != 'u')
		return 0;
	code = hex4(at + 8, end);
	return code >= 0xdc00 && code <= 0xdfff ? 12 : 0;
}

/* From behind the opening quote to behind the closing one; NULL after fail(). */
static const char *take_string(struct json_reader *r, const char *at, struct json_value *value)
{
	value->kind = JSON_KIND_STRING;
	value->escaped = false;
	value->text = at;
	while (at < r->end) {
		unsigned char c = (unsigned char)*at;
		size_t length = 1;

		if (c == '"') {
			value->length = (size_t)(at - value->text);
			return at + 1;
		}
		if (c == '\\') {
			value->escaped = true;
			length = escape_length(at, r->end);
			if (!length)
				return fail(r, at, "bad escape in a string"), NULL;
		} else if (c < 0x20) {
			return fail(r, at, "control character in a string"), NULL;
		} else if (c >= 0x80) {
			length = utf8_length(at, r->end);
			if (!length)
				return fail(r, at, "not UTF-8"), NULL;
		}
		at += length;
	}
	return fail(r, at, "unfinished string"), NULL;
}

static size_t put_utf8(char *out, unsigned code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* The character of the (valid) escape at `at`; *used = its bytes. */
static unsigned escape_code(const char *at, const char *end, size_t *used)
{
	static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
	const char *letter;
	unsigned code;

	*used = escape_length(at, end);
	if (at[1] != 'u') {
		letter = strchr(letters, at[1]);
		return (unsigned char)(letter ? meant[letter - letters] : at[1]);
	}
	code = (unsigned)hex4(at + 2, end);
	if (*used == 12)
		code = 0x10000 + ((code - 0xd800) << 10) +
		       ((unsigned)hex4(at + 8, end) - 0xdc00);
	return code;
}

size_t json_unescape(const struct json_value *value, char *out)
{
	const char *at = value->text, *end = value->text + value->length;
	char *to = out;

	while (at < end) {
		size_t used;

		if (*at != '\\') {
			*to++ = *at++;
			continue;
		}
		to += put_utf8(to, escape_code(at, end, &used));
		at += used;
	}
	return (size_t)(to - out);
}

bool json_string_is(const struct json_value *value, const char *text, size_t length)
{
	const char *at = value->text, *end = value->text + value->length;
	const char *stop = text + length;

	if (!value->escaped)
		return value->length == length && memcmp(value->text, text, length) == 0;
	while (at < end) {
		char plain[4];
		size_t used = 1, count = 1;

		plain[0] = *at;
		if (*at == '\\')
			count = put_utf8(plain, escape_code(at, end, &used));
		if ((size_t)(stop - text) < count || memcmp(text, plain, count) != 0)
			return false;
		text += count;
		at += used;
	}
	return text == stop;
}

/* ---- other values ----------------------------------------------------------------------------- */

static const char *take_digits(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

static const char *take_number(struct json_reader *r, const char *at, struct json_value *value)
{
	const char *digits;

	value->kind = JSON_KIND_NUMBER;
	value->escaped = false;
	value->text = at;
	at += *at == '-';
	digits = at;
	at = take_digits(at, r->end);
	if (at == digits || (*digits == '0' && at - digits > 1))
		return fail(r, digits, "bad number"), NULL;
	if (at < r->end && *at == '.') {
		digits = ++at;
		at = take_digits(at, r->end);
		if (at == digits)
			return fail(r, at, "bad number"), NULL;
	}
	if (at < r->end && (*at == 'e' || *at == 'E')) {
		at++;
		at += at < r->end && (*at == '+' || *at == '-');
		digits = at;
		at = take_digits(at, r->end);
		if (at == digits)
			return fail(r, at, "bad number"), NULL;
	}
	value->length = (size_t)(at - value->text);
	return at;
}

static const char *take_word(struct json_reader *r, const char *at, struct json_value *value)
{
	static const char *const words[] = {"null", "true", "false"};

	for (int i = 0; i < 3; i++) {
		size_t length = strlen(words[i]);

		if ((size_t)(r->end - at) >= length && memcmp(at, words[i], length) == 0) {
			*value = (struct json_value){(enum json_kind)i, false, at, length};
			return at + length;
		}
	}
	return fail(r, at, at < r->end ? "not a value" : "unfinished value"), NULL;
}

static const char *take_value(
	struct json_reader *r, const char *at, struct json_value *value, int depth);

/* The inside of an object or array behind its bracket, to behind the closing one. */
static const char *skip_nested(struct json_reader *r, const char *at, char closing, int depth)
{
	struct json_value ignored;

	if (depth >= JSON_DEPTH_MAX)
		return fail(r, at, "nested too deeply"), NULL;
	at = skip_space(at, r->end);
	if (at < r->end && *at == closing)
		return at + 1;
	for (;;) {
		if (closing == '}') {
			if (at == r->end || *at != '"')
				return fail(r, at, "a member name is missing"), NULL;
			at = take_string(r, at + 1, &ignored);
			if (!at)
				return NULL;
			at = skip_space(at, r->end);
			if (at == r->end || *at != ':')
				return fail(r, at, "':' is missing"), NULL;
			at++;
		}
		at = take_value(r, at, &ignored, depth + 1);
		if (!at)
			return NULL;
		at = skip_space(at, r->end);
		if (at < r->end && *at == closing)
			return at + 1;
		if (at == r->end || *at != ',')
			return fail(r, at, "',' or the end is missing"), NULL;
		at = skip_space(at + 1, r->end);
	}
}

static const char *take_value(
	struct json_reader *r, const char *at, struct json_value *value, int depth)
{
	const char *start;

	at = start = skip_space(at, r->end);
	if (at == r->end)
		return fail(r, at, "unfinished value"), NULL;
	if (*at == '"')
		return take_string(r, at + 1, value);
	if (*at == '-' || (*at >= '0' && *at <= '9'))
		return take_number(r, at, value);
	if (*at != '{' && *at != '[')
		return take_word(r, at, value);
	value->kind = *at == '{' ? JSON_KIND_OBJECT : JSON_KIND_ARRAY;
	value->escaped = false;
	at = skip_nested(r, at + 1, *at == '{' ? '}' : ']', depth);
	value->text = start;
	value->length = at ? (size_t)(at - start) : 0;
	return at;
}

/* ---- walking ------------------------------------------------------------------------------------ */

static int begin(struct json_reader *r, const char *text, size_t length, char opening)
{
	*r = (struct json_reader){.start = text, .end = text + length, .first = true};
	r->at = skip_space(text, r->end);
	if (r->at == r->end)
		return fail(r, r->at, "empty");
	if (*r->at != opening)
		return fail(r, r->at, opening == '{' ? "not an object" : "not an array");
	r->at++;
	return 0;
}

int json_object_begin(struct json_reader *r, const char *text, size_t length)
{
	return begin(r, text, length, '{');
}

int json_array_begin(struct json_reader *r, const char *text, size_t length)
{
	return begin(r, text, length, '[');
}

/* To the next member: 1 there is one, 0 the end, -1 an error. */
static int next(struct json_reader *r, char closing)
{
	r->at = skip_space(r->at, r->end);
	if (r->at < r->end && *r->at == closing) {
		r->at = skip_space(r->at + 1, r->end);
		return r->at == r->end ? 0 : fail(r, r->at, "something behind the end");
	}
	if (!r->first) {
		if (r->at == r->end || *r->at != ',')
			return fail(r, r->at, "',' or the end is missing");
		r->at = skip_space(r->at + 1, r->end);
	}
	r->first = false;
	return 1;
}

int json_object_next(struct json_reader *r, struct json_value *key, struct json_value *value)
{
	int more = r->error ? -1 : next(r, '}');

	if (more != 1)
		return more;
	if (r->at == r->end || *r->at != '"')
		return fail(r, r->at, "a member name is missing");
	r->at = take_string(r, r->at + 1, key);
	if (!r->at)
		return -1;
	r->at = skip_space(r->at, r->end);
	if (r->at == r->end || *r->at != ':')
		return fail(r, r->at, "':' is missing");
	r->at = take_value(r, r->at + 1, value, 1);
	return r->at ? 1 : -1;
}

int json_array_next(struct json_reader *r, struct json_value *value)
{
	int more = r->error ? -1 : next(r, ']');

	if (more != 1)
		return more;
	r->at = take_value(r, r->at, value, 1);
	return r->at ? 1 : -1;
}
