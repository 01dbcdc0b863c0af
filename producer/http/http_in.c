#include "producer/http/http_in_parts.h"

#include "common/http_server.h"
#include "producer/http/put_text.h"

#include <stdio.h>
#include <string.h>

/* What a record is made of. A string's bounds are in characters, a number's in value. */
static const struct {
	const char *name;
	bool text, required;
	int64_t min, max;
} rules[FIELDS] = {
	[FIELD_ID] = {"id", true, false, 1, RECORD_ID_CHARS},
	[FIELD_NAME] = {"name", true, true, 1, 255},
	[FIELD_AGE] = {"age", false, true, 0, INT32_MAX},
	[FIELD_OCCUPATION] = {"occupation", true, true, 1, 255},
};

#define LONGEST_FIELD_BYTES 3072 /* 255 characters as two \u escapes each */

int http_in_refuse_field(struct http_in_problem *problem, const char *name, const char *what)
{
	snprintf(problem->members, sizeof(problem->members), "\"field\":\"%s\"", name);
	return errmsg_set(&problem->msg, ERR_INVALID, "field '%s' %s", name, what);
}

static int64_t count_chars(const char *text, size_t length)
{
	int64_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

static int check_id(
	const char *name, const char *text, size_t length, struct http_in_problem *problem)
{
	if (length == 0)
		return http_in_refuse_field(problem, name, "is empty");
	if (count_chars(text, length) > RECORD_ID_CHARS)
		return http_in_refuse_field(problem, name, "is longer than 64 characters");
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return http_in_refuse_field(problem, name, "holds a control character");
	}
	if (text[0] == ' ' || text[length - 1] == ' ')
		return http_in_refuse_field(problem, name, "begins or ends with a space");
	return 0;
}

int http_in_take_id(struct http_in *record, const char *name, const struct json_value *value,
	struct http_in_problem *problem)
{
	const char *text = value->text;
	size_t length = value->length;
	char plain[RECORD_ID_BYTES * 6];
	int err;

	if (length > sizeof(plain))
		return http_in_refuse_field(problem, name, "is longer than 64 characters");
	if (value->escaped) {
		length = json_unescape(value, plain);
		text = plain;
	}
	err = check_id(name, text, length, problem);
	if (err != 0)
		return err;
	memcpy(record->key, text, length);
	record->key_length = length;
	record->id_json[0] = '"';
	memcpy(record->id_json + 1, value->text, value->length);
	record->id_json[value->length + 1] = '"';
	record->id_json_length = value->length + 2;
	return 0;
}

static int check_text(enum record_field field, const struct json_value *value,
	struct http_in_problem *problem)
{
	char plain[LONGEST_FIELD_BYTES], words[64];
	int64_t chars;

	snprintf(
		words, sizeof(words), "must be 1 to %d characters long", (int)rules[field].max);
	if (value->length > sizeof(plain))
		return http_in_refuse_field(problem, rules[field].name, words);
	if (value->escaped)
		chars = count_chars(plain, json_unescape(value, plain));
	else
		chars = count_chars(value->text, value->length);
	if (chars < rules[field].min || chars > rules[field].max)
		return http_in_refuse_field(problem, rules[field].name, words);
	return 0;
}

static int take_field(struct http_in *record, enum record_field field,
	const struct json_value *value, struct http_in_problem *problem)
{
	const char *name = rules[field].name;

	if (record->fields[field].text)
		return http_in_refuse_field(problem, name, "is there twice");
	record->fields[field] = *value;
	if (rules[field].text && value->kind != JSON_KIND_STRING)
		return http_in_refuse_field(problem, name, "must be a string");
	if (!rules[field].text &&
		(value->kind != JSON_KIND_NUMBER || !json_number_int64(value, &record->age) ||
			record->age < rules[field].min || record->age > rules[field].max))
		return http_in_refuse_field(
			problem, name, "must be a whole number from 0 to 2147483647");
	if (field == FIELD_ID)
		return http_in_take_id(record, name, value, problem);
	return rules[field].text ? check_text(field, value, problem) : 0;
}

int http_in_refuse_json(struct http_in_problem *problem, size_t position, const char *what)
{
	snprintf(problem->members, sizeof(problem->members), "\"position\":%zu", position);
	return errmsg_set(
		&problem->msg, ERR_INVALID, "invalid JSON at byte %zu: %s", position, what);
}

static int refuse_unknown(struct http_in_problem *problem, const struct json_value *key)
{
	int shown = key->length > 64 ? 64 : (int)key->length;

	/* Not cut inside a character. */
	while (shown > 0 && shown < (int)key->length &&
		((unsigned char)key->text[shown] & 0xc0) == 0x80)
		shown--;
	return errmsg_set(&problem->msg, ERR_INVALID,
		"unknown field '%.*s'; known are id, name, age, occupation", shown, key->text);
}

int http_in_form(struct http_in_form *form, bool object, const char *key, struct errmsg *msg)
{
	size_t length = strlen(key);
	bool plain = true;

	*form = (struct http_in_form){.object = object, .key = key, .key_length = length};
	if (!object && strcmp(key, "id") != 0)
		return errmsg_set(msg, ERR_CONFIG,
			"option key.field=%s: the key of http.record=users is id; "
			"http.record=object takes any field",
			key);
	for (size_t i = 0; i < length; i++)
		plain = plain && (unsigned char)key[i] >= 0x20 && !strchr("\"\\", key[i]);
	if (!plain || length == 0 || length > KEY_NAME_BYTES || !json_is_utf8(key, length))
		return errmsg_set(msg, ERR_CONFIG,
			"option key.field: '%s' is not a plain name of 1 to %d bytes", key,
			KEY_NAME_BYTES);
	form->opening_length =
		(size_t)snprintf(form->opening, sizeof(form->opening), "{\"%s\":", key);
	return 0;
}

int http_in_read(struct http_in *record, const struct http_in_form *form, const char *body,
	size_t length, struct http_in_problem *problem)
{
	struct json_reader reader;
	struct json_value key, value;
	int more = -1, field, err = 0;

	problem->members[0] = 0;
	record->key_length = 0;
	record->body = NULL;
	if (form->object)
		return http_in_read_object(record, form, body, length, problem);
	memset(record->fields, 0, sizeof(record->fields));
	record->id_at = form->opening_length;
	if (json_object_begin(&reader, body, length) != 0)
		return http_in_refuse_json(problem, reader.position, "not a JSON object");
	/* A malformed rest is the better complaint, so the first wrong field waits for it. */
	while ((more = json_object_next(&reader, &key, &value)) > 0) {
		for (field = 0; field < FIELDS; field++) {
			if (json_string_is(&key, rules[field].name, strlen(rules[field].name)))
				break;
		}
		if (err == 0 && field == FIELDS)
			err = refuse_unknown(problem, &key);
		else if (err == 0)
			err = take_field(record, (enum record_field)field, &value, problem);
	}
	if (more < 0)
		return http_in_refuse_json(problem, reader.position, reader.error);
	for (field = 0; err == 0 && field < FIELDS; field++) {
		if (rules[field].required && !record->fields[field].text)
			err = http_in_refuse_field(problem, rules[field].name, "is missing");
	}
	return err;
}

int http_in_set_id(struct http_in *record, const struct http_in_form *form, const char *id,
	size_t length, struct http_in_problem *problem)
{
	char list[RECORD_ID_BYTES * 6 + 4] = "[";
	struct json_reader reader;
	struct json_value value;
	int err;

	if (length > RECORD_ID_BYTES)
		return http_in_refuse_field(problem, form->key, "is longer than 64 characters");
	err = check_id(form->key, id, length, problem);
	if (err != 0)
		return err;
	record->id_json_length =
		http_json_quote(record->id_json, sizeof(record->id_json), id, length);
	/* The JSON reader knows what UTF-8 is. */
	memcpy(list + 1, record->id_json, record->id_json_length);
	list[record->id_json_length + 1] = ']';
	if (json_array_begin(&reader, list, record->id_json_length + 2) != 0 ||
		json_array_next(&reader, &value) != 1)
		return http_in_refuse_field(problem, form->key, "is not UTF-8");
	memcpy(record->key, id, length);
	record->key_length = length;
	return 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return -1;
}

int http_in_decode_path(char *to, size_t room, const char *path, size_t length, size_t *used)
{
	*used = 0;
	for (size_t i = 0; i < length; i++) {
		char c = path[i];

		if (*used == room)
			return ERR_INVALID;
		if (c == '%') {
			if (i + 2 >= length || hex(path[i + 1]) < 0 || hex(path[i + 2]) < 0)
				return ERR_INVALID;
			c = (char)(hex(path[i + 1]) << 4 | hex(path[i + 2]));
			i += 2;
		}
		to[(*used)++] = c;
	}
	return 0;
}

static size_t digits(int64_t number)
{
	size_t count = 1;

	while (number /= 10)
		count++;
	return count;
}

size_t http_in_length(const struct http_in *record)
{
	static const char frame[] = "{\"id\":,\"name\":\"\",\"age\":,\"occupation\":\"\"}";

	if (record->body)
		return http_in_object_length(record);
	return sizeof(frame) - 1 + record->id_json_length + record->fields[FIELD_NAME].length +
	       record->fields[FIELD_OCCUPATION].length + digits(record->age);
}

void http_in_write(const struct http_in *record, char *to)
{
	const struct json_value *name = &record->fields[FIELD_NAME];
	const struct json_value *occupation = &record->fields[FIELD_OCCUPATION];

	if (record->body) {
		http_in_object_write(record, to);
		return;
	}
	to = PUT(to, "{\"id\":");
	to = put(to, record->id_json, record->id_json_length);
	to = PUT(to, ",\"name\":\"");
	to = put(to, name->text, name->length);
	to = PUT(to, "\",\"age\":");
	to = put_number(to, record->age);
	to = PUT(to, ",\"occupation\":\"");
	to = put(to, occupation->text, occupation->length);
	PUT(to, "\"}");
}
