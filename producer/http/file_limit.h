/*
 * file_limit: how many connections fit into the files that the process may have open, so that its
 * own sockets, to the brokers and the stores, never run out. Called once at start.
 */
#ifndef PRODUCER_FILE_LIMIT_H
#define PRODUCER_FILE_LIMIT_H

#include <stddef.h>

struct file_limit_share {
	size_t connections; /* at least 1 */
	size_t refused; /* beyond them, open while they are told 503; at least 1 */
};

/* Raises the process's soft limit to its hard one. What it is then; SIZE_MAX: without a bound. */
size_t file_limit_raise(void);

/* `reserve` of the `files` are for others; `wanted` connections are given if there is room. */
struct file_limit_share file_limit_share(size_t files, size_t reserve, size_t wanted);

#endif
