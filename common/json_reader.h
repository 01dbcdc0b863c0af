/*
 * json_reader: a strict pull parser (RFC 8259) over borrowed bytes: nothing is allocated, values
 * are spans of the text. One object or array is walked member by member; a nested one comes as a
 * span that was checked to the end and can be opened by a reader of its own.
 *
 *	json_object_begin(&r, text, length);
 *	while ((more = json_object_next(&r, &key, &value)) > 0)
 *		...
 *	if (more < 0)
 *		fprintf(stderr, "byte %zu: %s\n", r.position, r.error);
 *
 * Refused: what is not UTF-8, lone surrogates, control characters in strings, depth beyond
 * JSON_DEPTH_MAX, anything behind the value. Repeated member names are the caller's matter.
 * One thread's.
 */
#ifndef COMMON_JSON_READER_H
#define COMMON_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 64

enum json_kind {
	JSON_KIND_NULL,
	JSON_KIND_TRUE,
	JSON_KIND_FALSE,
	JSON_KIND_NUMBER,
	JSON_KIND_STRING,
	JSON_KIND_OBJECT,
	JSON_KIND_ARRAY,
};
const char *json_kind_name(enum json_kind kind);

/* A span of the text: a string without its quotes, still escaped if `escaped`; the rest whole. */
struct json_value {
	enum json_kind kind;
	bool escaped;
	const char *text;
	size_t length;
};

struct json_reader {
	const char *start, *at, *end;
	bool first;
	size_t position; /* of the error, in bytes from the start */
	const char *error; /* constant words, NULL = none */
};

/* 0, or -1 when the text is no object (array). */
int json_object_begin(struct json_reader *reader, const char *text, size_t length);
int json_array_begin(struct json_reader *reader, const char *text, size_t length);
/* 1: a member; 0: the end, and nothing but white space behind it; -1: error and position are set. */
int json_object_next(
	struct json_reader *reader, struct json_value *key, struct json_value *value);
/*
 * The same, where the caller guesses the next member: `member` is its name in quotes and the colon
 * ("id": with the quotes; four bytes at least), plain. 2: it is that one, and `key` was not set.
 */
int json_object_next_guess(struct json_reader *reader, const char *member, size_t length,
	struct json_value *key, struct json_value *value);
int json_array_next(struct json_reader *reader, struct json_value *value);

/* Writes the plain text of an escaped string; `out` has room for value->length bytes. */
size_t json_unescape(const struct json_value *value, char *out);
/* The rule for strings, for bytes from elsewhere. */
bool json_is_utf8(const char *text, size_t length);
/* Does a string (perhaps escaped) spell these bytes? */
bool json_string_is(const struct json_value *value, const char *text, size_t length);

/*
 * A number's value. Whole: exact, also "1.0" and "2e3"; false when it has a fraction or leaves
 * int64. Double: nearest; false when it overflows. Numbers of more than 400 characters have no
 * value here.
 */
bool json_number_int64(const struct json_value *value, int64_t *out);
bool json_number_double(const struct json_value *value, double *out);

#endif
