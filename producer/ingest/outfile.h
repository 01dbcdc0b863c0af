/*
 * outfile: a file that appears under its name only when it is whole. Until then it is PATH.part.
 * One thread's.
 */
#ifndef PRODUCER_INGEST_OUTFILE_H
#define PRODUCER_INGEST_OUTFILE_H

#include "common/err.h"
#include "producer/ingest/buf.h"

#include <stdbool.h>

struct outfile {
	char *path, *part;
	int fd; /* -1: not open */
	bool to_stdout, in_place; /* in_place: appends to PATH itself */
	bool keep_part; /* a later run continues it */
	bool append; /* PATH itself grows, and is cut back to `found` when that does not go well */
	uint64_t found; /* bytes that PATH had */
	uint64_t written; /* bytes of the file that are with the system */
	uint64_t started; /* of which the system was asked to write them to the disk */
};

/* "-" is standard output. Replaces an old .part. */
int outfile_create(struct outfile *f, const char *path, bool append, struct errmsg *msg);
/* After create with `append`: the first line of ours begins a line. */
int outfile_end_line(struct outfile *f, struct errmsg *msg);
/* Continues a .part behind its first `bytes`; what follows them is cut off. */
int outfile_resume(struct outfile *f, const char *path, uint64_t bytes, struct errmsg *msg);
int outfile_write(struct outfile *f, const void *bytes, size_t count, struct errmsg *msg);
int outfile_sync(struct outfile *f, struct errmsg *msg);
/* Gives it its name, durably. */
int outfile_finish(struct outfile *f, struct errmsg *msg);
/* Without finish before: the .part goes, unless keep_part; what was appended goes. */
void outfile_close(struct outfile *f);

#endif
