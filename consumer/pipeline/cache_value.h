/*
 * cache_value: a row -> its cache key and its cache value. The same text whether the row came
 * from a record or from MySQL, so that verify can compare bytes. Pure.
 */
#ifndef CONSUMER_PIPELINE_CACHE_VALUE_H
#define CONSUMER_PIPELINE_CACHE_VALUE_H

#include "consumer/mapping.h"

#include <stddef.h>

/* A growing text, kept from use to use. Zero-initialised is empty. */
struct text_buffer {
	char *data;
	size_t used, room;
};
/* Room for `length` more bytes behind what is used; where they go. */
char *text_buffer_room(struct text_buffer *buffer, size_t length);
void text_buffer_add(struct text_buffer *buffer, const void *data, size_t length);
void text_buffer_release(struct text_buffer *buffer);

/* Appends the cache key by the route's template. */
void cache_key_add(
	struct text_buffer *buffer, const struct route *route, const struct row *row);
/* Appends the row as a JSON object, members named by field, in column order. */
void cache_json_add(
	struct text_buffer *buffer, const struct route *route, const struct row *row);
/* Appends one cell as plain text, for CACHE_HASH; NULL cells are left out by the caller. */
void cache_cell_add(
	struct text_buffer *buffer, const struct column *column, const struct cell *cell);

#endif
