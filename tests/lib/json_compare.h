/*
 * json_compare: json_reader held against jansson, which was written by others: the same text must
 * be taken or refused by both, with the same values.
 *
 * Where they may differ: depth (64 against 2048); numbers beyond int64 or double, which jansson
 * refuses while reading and we only when they are asked for.
 */
#ifndef TESTS_LIB_JSON_COMPARE_H
#define TESTS_LIB_JSON_COMPARE_H

#include <stddef.h>

/*
 * NULL: they agree; otherwise words in a static buffer. `text` is copied to the end of a block of
 * its own, so that reading beyond it is seen by a sanitizer.
 */
const char *json_compare(const void *text, size_t length);

/* Walks the whole text with json_reader: 0, or -1 with its words and position. */
int json_walk(const char *text, size_t length, const char **error, size_t *position);

#endif
