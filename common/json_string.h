/*
 * json_string: what may stand between a string's quotes; json_reader's other half, and the text that
 * an escaped string means (json_unescape, json_string_is are declared there). Pure.
 */
#ifndef COMMON_JSON_STRING_H
#define COMMON_JSON_STRING_H

#include <stddef.h>

/* Bytes of the UTF-8 sequence at `at`, 0 when it is none (overlong, surrogate, beyond U+10FFFF). */
size_t json_utf8_length(const char *at, const char *end);
/* A code point, at most 4 bytes; returns how many. */
size_t json_utf8_put(char *out, unsigned code);
/* Bytes of the escape at the backslash `at`, 0 when it is none. */
size_t json_escape_length(const char *at, const char *end);

#endif
