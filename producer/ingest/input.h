/*
 * input: the bytes of a list of files, one after the other, decompressed on the way.
 *
 * Reader thread only, except input_consumed(). A file is plain, gzip or zstd by its first bytes.
 * With `follow`, the (only) file has no end: it is read as it grows; when another file takes its
 * name the old one is read to its end first, and when it was cut it is read from its start.
 */
#ifndef PRODUCER_INGEST_INPUT_H
#define PRODUCER_INGEST_INPUT_H

#include "common/conf.h"
#include "common/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct input;

/* A file that was opened. Kept until the end: positions name it by its index. */
struct input_file {
	char *path;
	uint64_t device, inode;
};

enum input_state {
	INPUT_DATA = 1, /* bytes were read */
	INPUT_END = 0, /* of this file; input_next() opens another */
	INPUT_WAIT = 2, /* nothing yet: ask again */
};

/*
 * Paths and globs; "-" is standard input. Every file but a pipe is opened once to see that it can be
 * read: a directory, a missing file or a glob without a match is an ERR_IO.
 */
int input_open(
	struct input **out, const struct conf_list *paths, bool follow, struct errmsg *msg);
void input_close(struct input *in);

/* Bytes at `to`; an enum input_state or ERR_IO. */
int input_read(struct input *in, char *to, size_t room, size_t *got, struct errmsg *msg);
/* INPUT_DATA: another file is open, INPUT_END: there is none. */
int input_next(struct input *in, struct errmsg *msg);
/* Puts bytes back in front of what comes next. Copied. */
void input_unread(struct input *in, const char *bytes, size_t count);

/* Continues behind *offset decoded bytes of that file; ERR_IO when it is not there any more. A
   followed file that was cut meanwhile is read from its start: *offset is then 0. */
int input_seek(
	struct input *in, const struct input_file *file, uint64_t *offset, struct errmsg *msg);

/* Index of the open file; its path for messages. Any thread may look at an older index. */
uint32_t input_index(const struct input *in);
const struct input_file *input_file(const struct input *in, uint32_t index);
/* Sum of the files' sizes, 0 when it is not known; and how much of it was read. Any thread. */
uint64_t input_total_bytes(const struct input *in);
uint64_t input_consumed(const struct input *in);
/* Who waits for bytes of any input before the engine runs gives up. Any thread, also a signal's. */
void input_stop(void);
bool input_is_stopped(void);

#endif
