/*
 * http_get: one blocking GET, for verbs that ask a running program for its figures. Any thread; no
 * state. Not for strangers' servers: no TLS, no redirects, answers of at most 16 MiB.
 */
#ifndef COMMON_HTTP_GET_H
#define COMMON_HTTP_GET_H

#include "common/err.h"

#include <stddef.h>

/*
 * `address` is "HOST:PORT" or "[::1]:PORT". 0 and the body of a 200, NUL-terminated; caller frees
 * with free(). ERR_CONFIG: no such address; ERR_UNAVAILABLE: nobody there, or another answer.
 */
int http_get(const char *address, const char *path, int timeout_ms, char **body, size_t *length,
	struct errmsg *msg);

#endif
