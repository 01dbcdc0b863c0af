/* buf: a growing block of bytes, one thread's. buf_room() before raw writes behind `used`. */
#ifndef PRODUCER_INGEST_BUF_H
#define PRODUCER_INGEST_BUF_H

#include "common/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct buf {
	char *data;
	size_t used, room;
};

/* Room for `bytes` more; earlier pointers into data are gone. */
static inline char *buf_room(struct buf *b, size_t bytes)
{
	if (b->room - b->used < bytes) {
		size_t room = b->room * 2 < b->used + bytes ? b->used + bytes : b->room * 2;

		b->data = mem_resize(b->data, room, 1);
		b->room = room;
	}
	return b->data + b->used;
}

static inline void buf_put(struct buf *b, const void *bytes, size_t count)
{
	if (count > 0)
		memcpy(buf_room(b, count), bytes, count);
	b->used += count;
}

static inline void buf_byte(struct buf *b, int byte)
{
	*buf_room(b, 1) = (char)byte;
	b->used++;
}

static inline void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

#endif
