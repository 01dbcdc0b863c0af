/* http_in_parts: what http_in.c and http_in_object.c share. */
#ifndef PRODUCER_HTTP_IN_PARTS_H
#define PRODUCER_HTTP_IN_PARTS_H

#include "producer/http/http_in.h"

/* `name` is ours or the user's option, so it needs no care. ERR_INVALID. */
int http_in_refuse_field(struct http_in_problem *problem, const char *name, const char *what);
int http_in_refuse_json(struct http_in_problem *problem, size_t position, const char *what);
/* A string that is the id of field `name`. */
int http_in_take_id(struct http_in *record, const char *name, const struct json_value *value,
	struct http_in_problem *problem);

/* http_in_object.c: for form->object. */
int http_in_read_object(struct http_in *record, const struct http_in_form *form,
	const char *body, size_t length, struct http_in_problem *problem);
size_t http_in_object_length(const struct http_in *record);
void http_in_object_write(const struct http_in *record, char *to);

#endif
