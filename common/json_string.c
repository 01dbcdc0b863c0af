#include "common/json_string.h"

#include "common/json_reader.h"

#include <string.h>

size_t json_utf8_length(const char *at, const char *end)
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
		used = (unsigned char)*text < 0x80 ? 1 : json_utf8_length(text, end);
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

size_t json_escape_length(const char *at, const char *end)
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

size_t json_utf8_put(char *out, unsigned code)
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

	*used = json_escape_length(at, end);
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
		to += json_utf8_put(to, escape_code(at, end, &used));
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
			count = json_utf8_put(plain, escape_code(at, end, &used));
		if ((size_t)(stop - text) < count || memcmp(text, plain, count) != 0)
			return false;
		text += count;
		at += used;
	}
	return text == stop;
}
