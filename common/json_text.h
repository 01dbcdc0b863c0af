/*
 * json_text: a JSON string of a text that others wrote: a server's error, a client's name, a header.
 * Not all of it is UTF-8, and what was cut to fit may end within a character. Pure.
 */
#ifndef COMMON_JSON_TEXT_H
#define COMMON_JSON_TEXT_H

#include <jansson.h>

/* A new reference, never NULL; U+FFFD stands for each byte that is not UTF-8. */
json_t *json_text(const char *text);

#endif
