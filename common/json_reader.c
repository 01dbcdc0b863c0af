#include "common/json_reader.h"

#include "common/json_string.h"

#include <string.h>

static int fail(struct json_reader *r, const char *at, const char *error)
{
	r->position = (size_t)(at - r->start);
	r->error = error;
	return -1;
}

static inline const char *skip_space(const char *at, const char *end)
{
	if (at < end && (unsigned char)*at > ' ') /* nearly always */
		return at;
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

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/*
 * The first byte of a string that needs a look: quote, backslash, control character, not ASCII.
 * Eight at a time: each test puts a byte's top bit where it hits. A borrow may spoil bytes behind
 * the first hit, never before it.
 */
static const char *skip_plain(const char *at, const char *end)
{
	const uint64_t ones = 0x0101010101010101, tops = ones << 7;

	for (; end - at >= 8; at += 8) {
		uint64_t bytes, quote, backslash, hits;

		memcpy(&bytes, at, sizeof(bytes));
		quote = bytes ^ ones * '"';
		backslash = bytes ^ ones * '\\';
		hits = ((bytes - ones * 0x20) | (quote - ones) | (backslash - ones) | bytes) &
		       tops;
		if (hits)
			return at + (__builtin_ctzll(hits) >> 3);
	}
	return at;
}
#else
static const char *skip_plain(const char *at, const char *end)
{
	(void)end;
	return at;
}
#endif

/* From behind the opening quote to behind the closing one; NULL after fail(). */
static const char *take_string(struct json_reader *r, const char *at, struct json_value *value)
{
	value->kind = JSON_KIND_STRING;
	value->escaped = false;
	value->text = at;
	while ((at = skip_plain(at, r->end)) < r->end) {
		unsigned char c = (unsigned char)*at;
		size_t length = 1;

		if (c == '"') {
			value->length = (size_t)(at - value->text);
			return at + 1;
		}
		if (c == '\\') {
			value->escaped = true;
			length = json_escape_length(at, r->end);
			if (!length)
				return fail(r, at, "bad escape in a string"), NULL;
		} else if (c < 0x20) {
			return fail(r, at, "control character in a string"), NULL;
		} else if (c >= 0x80) {
			length = json_utf8_length(at, r->end);
			if (!length)
				return fail(r, at, "not UTF-8"), NULL;
		}
		at += length;
	}
	return fail(r, at, "unfinished string"), NULL;
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
static inline int next(struct json_reader *r, char closing)
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

static int take_member(struct json_reader *r, struct json_value *key, struct json_value *value)
{
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

/* Eight or four bytes at a time, the last ones overlapping: a call of memcmp costs more. */
static inline bool begins_with(const char *at, const char *end, const char *text, size_t length)
{
	uint64_t a, b;
	uint32_t a4[2], b4[2];

	if ((size_t)(end - at) < length)
		return false;
	if (length < 8) { /* two quotes and a colon make three, and no name is empty */
		memcpy(&a4[0], at, 4);
		memcpy(&b4[0], text, 4);
		memcpy(&a4[1], at + length - 4, 4);
		memcpy(&b4[1], text + length - 4, 4);
		return a4[0] == b4[0] && a4[1] == b4[1];
	}
	for (size_t i = 0; i + 8 < length; i += 8) {
		memcpy(&a, at + i, 8);
		memcpy(&b, text + i, 8);
		if (a != b)
			return false;
	}
	memcpy(&a, at + length - 8, 8);
	memcpy(&b, text + length - 8, 8);
	return a == b;
}

int json_object_next_guess(struct json_reader *r, const char *member, size_t length,
	struct json_value *key, struct json_value *value)
{
	int more = r->error ? -1 : next(r, '}');

	if (more != 1)
		return more;
	if (begins_with(r->at, r->end, member, length)) {
		r->at = take_value(r, r->at + length, value, 1);
		return r->at ? 2 : -1;
	}
	return take_member(r, key, value);
}

int json_object_next(struct json_reader *r, struct json_value *key, struct json_value *value)
{
	int more = r->error ? -1 : next(r, '}');

	return more == 1 ? take_member(r, key, value) : more;
}

int json_array_next(struct json_reader *r, struct json_value *value)
{
	int more = r->error ? -1 : next(r, ']');

	if (more != 1)
		return more;
	r->at = take_value(r, r->at, value, 1);
	return r->at ? 1 : -1;
}
