/*
 * blocks: chunks that end where a record ends, cut from an input. Reader thread only.
 *
 * A read takes what is there (a block at most), so a slow pipe is passed on at once and a fast
 * file in large pieces. What stands behind the last whole record waits for the next block.
 */
#ifndef PRODUCER_INGEST_BLOCKS_H
#define PRODUCER_INGEST_BLOCKS_H

#include "producer/ingest/chunk.h"
#include "producer/ingest/input.h"

/* Where the last whole record ends, 0 when none does. `eof`: nothing comes behind. */
typedef size_t blocks_boundary(const void *arg, const char *raw, size_t used, bool eof);

/* What to do with a record that is longer than max_record_bytes. */
enum overlong { OVERLONG_SPLIT, OVERLONG_TRUNCATE, OVERLONG_REJECT, OVERLONG_FAIL };

struct blocks {
	struct input *in; /* borrowed */
	blocks_boundary *boundary;
	const void *arg;
	size_t block_bytes; /* read at once; blocks_bytes() */
	size_t max_record_bytes;
	enum overlong overlong;
	/* One line of a record whose end never came is refused, the next is tried (CSV). */
	bool refuse_first_line;

	struct position at;
	struct buf carry;
	bool open; /* a file is open */
	bool mid_line; /* the next chunk begins inside a line */
	bool skipping; /* the rest of a line is thrown away */
	uint64_t consumed;
};

/* For records at this rate: what waits for its turn need not have been read. 0: as fast as it goes. */
size_t blocks_bytes(double rate);
/* An enum input_state (INPUT_END: of the last file) or ERR_IO. `chunk` is empty. */
int blocks_read(struct blocks *b, struct chunk *chunk, struct errmsg *msg);
/* Continues behind a position (input_seek). */
int blocks_seek(struct blocks *b, const struct position *at, const struct input_file *file,
	struct errmsg *msg);
void blocks_release(struct blocks *b);

#endif
