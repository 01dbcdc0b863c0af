/* input_place: where the file of a checkpoint is by now, by its inode. Before the threads start. */
#ifndef PRODUCER_INGEST_INPUT_PLACE_H
#define PRODUCER_INGEST_INPUT_PLACE_H

#include "producer/ingest/input.h"

/*
 * *at: its place among the paths, also under another name. ERR_IO when it is not there, or when the
 * new name leaves open which of the others were read before it.
 */
int input_place_find(char *const *paths, size_t count, const struct input_file *file,
	size_t *at, struct errmsg *msg);
/*
 * The name that a followed file has by now: `path`, or a longer one. NULL: it is gone. A file that
 * took the name after it and was rotated as well is warned of: nobody reads it. Caller frees with
 * free().
 */
char *input_place_rotated(const char *path, const struct input_file *file);

#endif
