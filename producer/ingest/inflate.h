/* inflate: gzip and zstd streams as plain bytes; plain files pass through. One thread's. */
#ifndef PRODUCER_INGEST_INFLATE_H
#define PRODUCER_INGEST_INFLATE_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

struct inflate;

struct inflate *inflate_new(void);
void inflate_free(struct inflate *f);

/* True when a call without new input may still make output. */
bool inflate_pending(const struct inflate *f);
/* Room for compressed bytes that are to come: read into it, then inflate_fed(). */
char *inflate_room(struct inflate *f, size_t *room);
/* `count` bytes were read there; 0 means the file's end. */
void inflate_fed(struct inflate *f, size_t count);
/* Decodes; *got may be 0 when more input is needed. ERR_IO: damaged or cut short. */
int inflate_take(struct inflate *f, char *to, size_t room, size_t *got, struct errmsg *msg);
/* True when what was fed so far is a plain file: the caller may read around this object. */
bool inflate_is_plain(const struct inflate *f);

/* Judges a file by its first (at least four) bytes. */
bool inflate_is_compressed(const unsigned char *first, size_t count);
/* The file was judged before: what comes is plain, whatever it looks like. */
void inflate_set_plain(struct inflate *f);

#endif
