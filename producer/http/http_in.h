/*
 * http_in: a request's body -> the record that goes to Kafka. Pure; one thread's.
 *
 *	http_in_read(&record, form, body, length, &problem)	checks it: the table of fields, or any object
 *	http_in_set_id(&record, ...)			when the body had none, or the path has one
 *	http_in_write(&record, to)			the table's: canonical JSON, id first; an object as it came
 */
#ifndef PRODUCER_HTTP_IN_H
#define PRODUCER_HTTP_IN_H

#include "common/err.h"
#include "common/json_reader.h"

#include <stdbool.h>

#define RECORD_ID_CHARS 64
#define RECORD_ID_BYTES (RECORD_ID_CHARS * 4)
#define KEY_NAME_BYTES	64 /* of key.field */

enum record_field { FIELD_ID, FIELD_NAME, FIELD_AGE, FIELD_OCCUPATION, FIELDS };

/* What bodies are, and the name of the field that is the key. Made once. */
struct http_in_form {
	bool object; /* any JSON object (http_in_object.c); otherwise the table of fields, key "id" */
	const char *key; /* borrowed */
	size_t key_length;
	char opening[KEY_NAME_BYTES + 5]; /* {"key": */
	size_t opening_length;
};

struct http_in {
	const char *body; /* an object's bytes, borrowed; NULL: the table's fields */
	size_t body_length;
	const struct http_in_form *form; /* of an object */
	struct json_value fields[FIELDS]; /* borrowed from the body; .text NULL = absent */
	int64_t age;
	char key[RECORD_ID_BYTES]; /* the id's plain bytes */
	size_t key_length;
	char id_json[RECORD_ID_BYTES * 6 + 2]; /* the id as JSON, with its quotes */
	size_t id_json_length;
	size_t id_at; /* where it stands in what is written */
	bool id_inside; /* an object's: it came with the body */
};

/* Why a body is refused: words for `detail`, and members for the problem document. */
struct http_in_problem {
	struct errmsg msg;
	char members[96]; /* "\"position\":17" or "\"field\":\"age\"", or "" */
};

/* ERR_CONFIG: the key's name is too long, or another one than "id" without `object`. */
int http_in_form(struct http_in_form *form, bool object, const char *key, struct errmsg *msg);
/* 0 or ERR_INVALID. Without an id in the body key_length is 0. */
int http_in_read(struct http_in *record, const struct http_in_form *form, const char *body,
	size_t length, struct http_in_problem *problem);
/* The same checks for an id from elsewhere, as plain bytes (a path, already decoded). Copied. */
int http_in_set_id(struct http_in *record, const struct http_in_form *form, const char *id,
	size_t length, struct http_in_problem *problem);
/* "%41b" -> "Ab". ERR_INVALID for a broken escape or an id that is too long. */
int http_in_decode_path(char *to, size_t room, const char *path, size_t length, size_t *used);
/* How many bytes http_in_write() will write. */
size_t http_in_length(const struct http_in *record);
void http_in_write(const struct http_in *record, char *to);

#endif
