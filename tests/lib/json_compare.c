#include "tests/lib/json_compare.h"

#include "common/json_reader.h"
#include "common/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *wrong(const char *what, const struct json_value *value)
{
	static char words[300];

	snprintf(words, sizeof(words), "%s: %.*s", what,
		(int)(value->length > 200 ? 200 : value->length), value->text);
	return words;
}

/* ---- everything asked for, so that a sanitizer sees every path ------------------------------------ */

static int walk_value(const struct json_value *value, const char **error, size_t *position)
{
	int64_t integer;
	double number;
	char *plain;

	switch (value->kind) {
	case JSON_KIND_OBJECT:
	case JSON_KIND_ARRAY:
		return json_walk(value->text, value->length, error, position);
	case JSON_KIND_STRING:
		plain = mem_alloc(value->length + 1);
		json_unescape(value, plain);
		free(plain);
		return 0;
	case JSON_KIND_NUMBER:
		(void)json_number_int64(value, &integer);
		(void)json_number_double(value, &number);
		return 0;
	case JSON_KIND_NULL:
	case JSON_KIND_TRUE:
	case JSON_KIND_FALSE:
		break;
	}
	return 0;
}

int json_walk(const char *text, size_t length, const char **error, size_t *position)
{
	struct json_value key, value;
	struct json_reader r;
	bool object = true;
	int more;

	if (json_object_begin(&r, text, length) != 0) {
		object = false;
		json_array_begin(&r, text, length);
	}
	while ((more = object ? json_object_next(&r, &key, &value)
			      : json_array_next(&r, &value)) > 0) {
		if (object && walk_value(&key, error, position) != 0)
			return -1;
		if (walk_value(&value, error, position) != 0)
			return -1;
	}
	*error = r.error;
	*position = r.position;
	return more;
}

/* ---- values --------------------------------------------------------------------------------------- */

static const char *compare_value(const struct json_value *value, json_t *theirs);

static bool same_text(const struct json_value *value, const char *text, size_t length)
{
	char *plain = mem_alloc(value->length + 1);
	size_t count = json_unescape(value, plain);
	bool same = count == length && memcmp(plain, text, length) == 0 &&
		    json_string_is(value, text, length);

	free(plain);
	return same;
}

static const char *compare_object(const struct json_value *value, json_t *theirs)
{
	struct json_value key, member;
	struct json_reader r;
	const char *result = NULL;
	size_t count = 0;

	json_object_begin(&r, value->text, value->length);
	while (json_object_next(&r, &key, &member) > 0)
		count++;
	if (count != json_object_size(theirs)) /* repeated names: jansson kept the last */
		return count < json_object_size(theirs) ? wrong("members lost", value) : NULL;
	json_object_begin(&r, value->text, value->length);
	while (!result && json_object_next(&r, &key, &member) > 0) {
		char *plain = mem_alloc(key.length + 1);
		json_t *found;

		plain[json_unescape(&key, plain)] = 0;
		found = json_object_get(theirs, plain);
		if (found)
			result = compare_value(&member, found);
		else if (strlen(plain) == json_unescape(&key, plain))
			result = wrong("another name", &key);
		free(plain);
	}
	return result;
}

static const char *compare_array(const struct json_value *value, json_t *theirs)
{
	struct json_value member;
	struct json_reader r;
	const char *result = NULL;
	size_t count = 0;

	json_array_begin(&r, value->text, value->length);
	while (!result && json_array_next(&r, &member) > 0)
		result = compare_value(&member, json_array_get(theirs, count++));
	if (!result && count != json_array_size(theirs))
		return wrong("another length", value);
	return result;
}

static const char *compare_number(const struct json_value *value, json_t *theirs)
{
	int64_t integer;
	double number;

	if (json_is_integer(theirs) &&
		(!json_number_int64(value, &integer) || integer != json_integer_value(theirs)))
		return wrong("another integer", value);
	if (value->length <= 400 &&
		(!json_number_double(value, &number) || number != json_number_value(theirs)))
		return wrong("another number", value);
	if (json_is_real(theirs) && json_number_int64(value, &integer) &&
		(double)integer != json_real_value(theirs))
		return wrong("an integer that it is not", value);
	return NULL;
}

static const char *compare_value(const struct json_value *value, json_t *theirs)
{
	static const json_type types[] = {JSON_NULL, JSON_TRUE, JSON_FALSE, JSON_REAL,
		JSON_STRING, JSON_OBJECT, JSON_ARRAY};

	if (!theirs)
		return wrong("not there", value);
	if (value->kind == JSON_KIND_NUMBER)
		return json_is_number(theirs) ? compare_number(value, theirs)
					      : wrong("no number", value);
	if (json_typeof(theirs) != types[value->kind])
		return wrong("another kind", value);
	if (value->kind == JSON_KIND_STRING)
		return same_text(value, json_string_value(theirs), json_string_length(theirs))
			       ? NULL
			       : wrong("another text", value);
	if (value->kind == JSON_KIND_OBJECT)
		return compare_object(value, theirs);
	return value->kind == JSON_KIND_ARRAY ? compare_array(value, theirs) : NULL;
}

/* ---- verdict -------------------------------------------------------------------------------------- */

static const char *compare(const char *text, size_t length)
{
	static char words[300];
	struct json_value whole = {.text = text, .length = length};
	json_error_t json_error = {.text = ""};
	size_t position = 0, start = strspn(text, " \n\r\t");
	const char *error = NULL, *result = NULL;
	int ours = json_walk(text, length, &error, &position);
	json_t *theirs = json_loadb(text, length, JSON_ALLOW_NUL, &json_error);

	if ((ours == 0) == (theirs != NULL)) {
		whole.kind = text[start] == '{' ? JSON_KIND_OBJECT : JSON_KIND_ARRAY;
		result = theirs ? compare_value(&whole, theirs) : NULL;
	} else if (theirs && !strstr(error, "deeply") && !memchr(text, 0, length)) {
		snprintf(words, sizeof(words), "refused at %zu (%s), jansson takes it",
			position, error);
		result = words;
	} else if (!theirs && json_error_code(&json_error) != json_error_numeric_overflow &&
		   json_error_code(&json_error) != json_error_null_byte_in_key) {
		snprintf(words, sizeof(words), "taken, jansson says: %s", json_error.text);
		result = words;
	}
	if (ours != 0 && (!error || position > length))
		result = "refused without words or outside the text";
	json_decref(theirs);
	return result;
}

const char *json_compare(const void *text, size_t length)
{
	/* strspn() above must end: the copy that ends with a NUL is for that alone */
	char *copy = mem_alloc(length + 1), *exact = mem_alloc(length ? length : 1);
	const char *error, *result;
	size_t position;

	memcpy(copy, text, length);
	copy[length] = 0;
	memcpy(exact, text, length);
	(void)json_walk(exact, length, &error, &position);
	result = compare(copy, length);
	free(exact);
	free(copy);
	return result;
}
