/* input_paths: which files are meant, and can they be read. Before the threads start. */
#ifndef PRODUCER_INGEST_INPUT_PATHS_H
#define PRODUCER_INGEST_INPUT_PATHS_H

#include "common/conf.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

struct input_paths {
	char **names; /* caller frees each and the array with free(), also after an error */
	size_t count;
	uint64_t bytes; /* sum of the regular files' sizes */
};

/* Paths and globs, "-" as it is; each is opened once. ERR_IO, ERR_CONFIG (none, or over `limit`). */
int input_paths_find(struct input_paths *in, const struct conf_list *wanted, size_t limit,
	struct errmsg *msg);

#endif
