#include "producer/ingest/inflate.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define IN_BYTES (256 * 1024)

enum format { FORMAT_UNKNOWN, FORMAT_PLAIN, FORMAT_GZIP, FORMAT_ZSTD };

struct inflate {
	enum format format;
	char *in;
	size_t in_used, in_at;
	bool eof;
	bool more; /* the last call filled its room: output may wait inside the library */
	bool inside; /* a gzip member or a zstd frame is open */
	z_stream gzip;
	ZSTD_DCtx *zstd;
};

struct inflate *inflate_new(void)
{
	struct inflate *f = mem_zero(1, sizeof(*f));

	f->in = mem_alloc(IN_BYTES);
	return f;
}

void inflate_free(struct inflate *f)
{
	if (!f)
		return;
	if (f->format == FORMAT_GZIP)
		inflateEnd(&f->gzip);
	ZSTD_freeDCtx(f->zstd);
	free(f->in);
	free(f);
}

bool inflate_pending(const struct inflate *f)
{
	return f->format != FORMAT_UNKNOWN && (f->in_at < f->in_used || f->more);
}

bool inflate_is_plain(const struct inflate *f)
{
	return f->format == FORMAT_PLAIN && f->in_at == f->in_used;
}

char *inflate_room(struct inflate *f, size_t *room)
{
	if (f->in_at == f->in_used)
		f->in_at = f->in_used = 0;
	*room = IN_BYTES - f->in_used;
	return f->in + f->in_used;
}

/* FORMAT_PLAIN when it is neither. */
static enum format format_of(const unsigned char *b, size_t count)
{
	if (count >= 3 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8)
		return FORMAT_GZIP;
	return count >= 4 && memcmp(b, "\x28\xb5\x2f\xfd", 4) == 0 ? FORMAT_ZSTD : FORMAT_PLAIN;
}

bool inflate_is_compressed(const unsigned char *first, size_t count)
{
	return format_of(first, count) != FORMAT_PLAIN;
}

void inflate_set_plain(struct inflate *f)
{
	f->format = FORMAT_PLAIN;
}

static void recognize(struct inflate *f)
{
	if (f->in_used < 4 && !f->eof)
		return;
	f->format = format_of((const unsigned char *)f->in, f->in_used);
	if (f->format == FORMAT_GZIP)
		inflateInit2(&f->gzip, 15 + 16);
	else if (f->format == FORMAT_ZSTD)
		f->zstd = ZSTD_createDCtx();
}

void inflate_fed(struct inflate *f, size_t count)
{
	f->in_used += count;
	f->eof = count == 0;
	if (f->format == FORMAT_UNKNOWN)
		recognize(f);
}

static int take_gzip(struct inflate *f, char *to, size_t room, size_t *got, struct errmsg *msg)
{
	int result;

	f->gzip.next_in = (unsigned char *)f->in + f->in_at;
	f->gzip.avail_in = (unsigned)(f->in_used - f->in_at);
	f->gzip.next_out = (unsigned char *)to;
	f->gzip.avail_out = (unsigned)room;
	f->inside = true;
	result = inflate(&f->gzip, Z_NO_FLUSH);
	f->in_at = f->in_used - f->gzip.avail_in;
	*got = room - f->gzip.avail_out;
	if (result == Z_STREAM_END) { /* members may follow each other */
		f->inside = false;
		inflateReset(&f->gzip);
	} else if (result != Z_OK && result != Z_BUF_ERROR) {
		return errmsg_set(msg, ERR_IO, "damaged gzip data: %s",
			f->gzip.msg ? f->gzip.msg : "unknown reason");
	}
	return 0;
}

static int take_zstd(struct inflate *f, char *to, size_t room, size_t *got, struct errmsg *msg)
{
	ZSTD_inBuffer in = {f->in, f->in_used, f->in_at};
	ZSTD_outBuffer out = {to, room, 0};
	size_t result = ZSTD_decompressStream(f->zstd, &out, &in);

	f->in_at = in.pos;
	*got = out.pos;
	if (ZSTD_isError(result))
		return errmsg_set(
			msg, ERR_IO, "damaged zstd data: %s", ZSTD_getErrorName(result));
	f->inside = result != 0;
	return 0;
}

int inflate_take(struct inflate *f, char *to, size_t room, size_t *got, struct errmsg *msg)
{
	size_t left = f->in_used - f->in_at;
	int err = 0;

	*got = 0;
	if (f->format == FORMAT_UNKNOWN)
		return 0;
	if (f->format == FORMAT_PLAIN) {
		*got = left < room ? left : room;
		memcpy(to, f->in + f->in_at, *got);
		f->in_at += *got;
		return 0;
	}
	/* behind a member's end nothing waits: a call there would open another one */
	if (left > 0 || (f->more && f->inside))
		err = f->format == FORMAT_GZIP ? take_gzip(f, to, room, got, msg)
					       : take_zstd(f, to, room, got, msg);
	f->more = *got == room;
	if (err == 0 && f->eof && f->inside && *got == 0)
		err = errmsg_set(msg, ERR_IO, "the compressed data is cut short");
	return err;
}
