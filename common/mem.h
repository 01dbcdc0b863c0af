/*
 * mem: allocation that never answers NULL. Running out of the bounded memory this product uses is
 * not a state it can act on, so it is the one outside event that aborts.
 */
#ifndef COMMON_MEM_H
#define COMMON_MEM_H

#include <stddef.h>

void *mem_alloc(size_t bytes);
void *mem_zero(size_t count, size_t bytes);
/* Room for `count` elements; the old block is gone. */
void *mem_resize(void *block, size_t count, size_t bytes);
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t length);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
