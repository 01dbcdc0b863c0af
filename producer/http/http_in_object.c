/*
 * Any JSON object as a record (http.record=object): its bytes go to Kafka as they came, only the
 * key is looked at; where there is none it is put in front. What the fields must be is said by the
 * consumer's mapping.
 */
#include "producer/http/http_in_parts.h"

#include "producer/http/put_text.h"

#include <string.h>

/* A whole number written as such: 42 is the key "42", 4.2e1 is not taken. */
static int take_number(struct http_in *record, const struct http_in_form *form,
	const struct json_value *value, struct http_in_problem *problem)
{
	bool minus = value->length > 0 && *value->text == '-';

	for (size_t i = minus; i < value->length; i++) {
		if (value->text[i] < '0' || value->text[i] > '9')
			return http_in_refuse_field(
				problem, form->key, "must be a string or a whole number");
	}
	if (value->length > RECORD_ID_CHARS || (minus && value->text[1] == '0'))
		return http_in_refuse_field(problem, form->key, "is no key");
	memcpy(record->key, value->text, value->length);
	memcpy(record->id_json, value->text, value->length);
	record->key_length = record->id_json_length = value->length;
	return 0;
}

static int take_key(struct http_in *record, const struct http_in_form *form,
	const struct json_value *value, struct http_in_problem *problem)
{
	bool text = value->kind == JSON_KIND_STRING;

	if (record->key_length > 0)
		return http_in_refuse_field(problem, form->key, "is there twice");
	if (!text && value->kind != JSON_KIND_NUMBER)
		return http_in_refuse_field(
			problem, form->key, "must be a string or a whole number");
	record->id_inside = true;
	record->id_at = (size_t)(value->text - record->body) - text;
	return text ? http_in_take_id(record, form->key, value, problem)
		    : take_number(record, form, value, problem);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void trim(const char **body, size_t *length)
{
	while (*length > 0 && is_space(**body)) {
		++*body;
		--*length;
	}
	while (*length > 0 && is_space((*body)[*length - 1]))
		--*length;
}

int http_in_read_object(struct http_in *record, const struct http_in_form *form,
	const char *body, size_t length, struct http_in_problem *problem)
{
	struct json_reader reader;
	struct json_value key, value;
	int more, err = 0;

	if (json_object_begin(&reader, body, length) != 0)
		return http_in_refuse_json(problem, reader.position, "not a JSON object");
	record->form = form;
	record->body = body;
	record->body_length = length;
	trim(&record->body, &record->body_length);
	record->id_inside = false;
	record->id_at = form->opening_length;
	/* A malformed rest is the better complaint, so the wrong key waits for it. */
	while ((more = json_object_next(&reader, &key, &value)) > 0) {
		if (err == 0 && json_string_is(&key, form->key, form->key_length))
			err = take_key(record, form, &value, problem);
	}
	if (more < 0)
		return http_in_refuse_json(problem, reader.position, reader.error);
	return err;
}

/* What follows the key that is put in front: the members, or the end. */
static const char *rest(const struct http_in *record, size_t *length)
{
	const char *at = record->body + 1;
	const char *end = record->body + record->body_length;

	while (is_space(*at))
		at++;
	*length = (size_t)(end - at);
	return at;
}

size_t http_in_object_length(const struct http_in *record)
{
	size_t length;
	bool empty;

	if (record->id_inside)
		return record->body_length;
	empty = *rest(record, &length) == '}';
	return record->form->opening_length + record->id_json_length + !empty + length;
}

void http_in_object_write(const struct http_in *record, char *to)
{
	const char *members;
	size_t length;

	if (record->id_inside) {
		memcpy(to, record->body, record->body_length);
		return;
	}
	members = rest(record, &length);
	to = put(to, record->form->opening, record->form->opening_length);
	to = put(to, record->id_json, record->id_json_length);
	if (*members != '}')
		to = PUT(to, ",");
	put(to, members, length);
}
