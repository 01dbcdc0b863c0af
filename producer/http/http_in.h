/*
 * http_in: a request's body -> the record that goes to Kafka. Pure; one thread's.
 *
 *	http_in_read(&record, body, length, &problem)	checks every field against the table
 *	http_in_set_id(&record, ...)			when the body had none, or the path has one
 *	http_in_write(&record, to)			the canonical JSON, id first
 */
#ifndef PRODUCER_HTTP_IN_H
#define PRODUCER_HTTP_IN_H

#include "common/err.h"
#include "common/json_reader.h"

#include <stdbool.h>

#define RECORD_ID_CHARS	  64
#define RECORD_ID_BYTES	  (RECORD_ID_CHARS * 4)
#define RECORD_VALUE_ROOM 7168 /* every field at its longest, every character escaped */

enum record_field { FIELD_ID, FIELD_NAME, FIELD_AGE, FIELD_OCCUPATION, FIELDS };

struct http_in {
	struct json_value fields[FIELDS]; /* borrowed from the body; .text NULL = absent */
	int64_t age;
	char key[RECORD_ID_BYTES]; /* the id's plain bytes */
	size_t key_length;
	char id_json[RECORD_ID_BYTES * 6 + 2]; /* the id as JSON, with its quotes */
	size_t id_json_length;
};

/* Why a body is refused: words for `detail`, and members for the problem document. */
struct http_in_problem {
	struct errmsg msg;
	char members[96]; /* "\"position\":17" or "\"field\":\"age\"", or "" */
};

/* 0 or ERR_INVALID. Without an id in the body key_length is 0. */
int http_in_read(struct http_in *record, const char *body, size_t length,
	struct http_in_problem *problem);
/* The same checks for an id from elsewhere, as plain bytes (a path, already decoded). Copied. */
int http_in_set_id(
	struct http_in *record, const char *id, size_t length, struct http_in_problem *problem);
/* "%41b" -> "Ab". ERR_INVALID for a broken escape or an id that is too long. */
int http_in_decode_path(char *to, size_t room, const char *path, size_t length, size_t *used);
/* What http_in_write() will write, at most. */
size_t http_in_length(const struct http_in *record);
/* Writes at most RECORD_VALUE_ROOM bytes; returns how many. */
size_t http_in_write(const struct http_in *record, char *to);

#endif
