#include "common/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *block)
{
	if (!block) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return block;
}

void *mem_alloc(size_t bytes)
{
	return must(malloc(bytes ? bytes : 1));
}

void *mem_zero(size_t count, size_t bytes)
{
	return must(calloc(count ? count : 1, bytes ? bytes : 1));
}

void *mem_resize(void *block, size_t count, size_t bytes)
{
	return must(reallocarray(block, count ? count : 1, bytes ? bytes : 1));
}

char *mem_strdup(const char *text)
{
	return must(strdup(text));
}

char *mem_strndup(const char *text, size_t length)
{
	return must(strndup(text, length));
}

char *mem_printf(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int used;

	va_start(args, format);
	used = vasprintf(&text, format, args);
	va_end(args);
	return must(used < 0 ? NULL : text);
}
