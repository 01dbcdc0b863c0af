#include "producer/ingest/codec.h"

#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

static const char *const words[] = {"none", "snappy", "gzip", "zstd", "lz4", "deflate"};

/* The part of the option that is for this sink; false when it says nothing about it. */
static bool find_word(const char *option, const char *sink, const char **word, size_t *len)
{
	size_t sink_len = strlen(sink);

	if (!option)
		return false;
	if (!strchr(option, '=')) {
		*word = option;
		*len = strlen(option);
		return true;
	}
	while (*option) {
		size_t item = strcspn(option, ",");

		if (item > sink_len && strncmp(option, sink, sink_len) == 0 &&
			option[sink_len] == '=') {
			*word = option + sink_len + 1;
			*len = item - sink_len - 1;
			return true;
		}
		option += item + (option[item] == ',');
	}
	return false;
}

int codec_word(char word[16], const char *option, const char *sink, const char *known,
	const char *fallback, struct errmsg *msg)
{
	const char *found = fallback;
	size_t len = strlen(fallback);

	find_word(option, sink, &found, &len);
	for (const char *at = known; len < 16; at++) {
		size_t n = strcspn(at, "|");

		if (n == len && strncmp(at, found, n) == 0) {
			memcpy(word, found, len);
			word[len] = 0;
			return 0;
		}
		at += n;
		if (!*at)
			break;
	}
	return errmsg_set(msg, ERR_CONFIG, "option compression: '%.*s' is not one of %s (%s)",
		(int)len, found, known, sink);
}

enum codec codec_of(const char *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], word) == 0)
			return (enum codec)i;
	}
	return CODEC_NONE;
}

static int compress_gzip(const char *bytes, size_t count, struct buf *out, struct errmsg *msg)
{
	z_stream z = {0};
	int result;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
		    Z_DEFAULT_STRATEGY) != Z_OK)
		return errmsg_set(msg, ERR_BUG, "gzip: cannot start");
	buf_room(out, deflateBound(&z, count));
	z.next_in = (unsigned char *)(uintptr_t)bytes;
	z.avail_in = (unsigned)count;
	z.next_out = (unsigned char *)out->data;
	z.avail_out = (unsigned)out->room;
	result = deflate(&z, Z_FINISH);
	out->used = z.total_out;
	deflateEnd(&z);
	return result == Z_STREAM_END ? 0 : errmsg_set(msg, ERR_BUG, "gzip: %d", result);
}

int codec_compress(
	enum codec codec, const char *bytes, size_t count, struct buf *out, struct errmsg *msg)
{
	size_t room;

	out->used = 0;
	switch (codec) {
	case CODEC_NONE:
		buf_put(out, bytes, count);
		return 0;
	case CODEC_SNAPPY:
		room = snappy_max_compressed_length(count);
		buf_room(out, room);
		if (snappy_compress(bytes, count, out->data, &room) != SNAPPY_OK)
			return errmsg_set(msg, ERR_BUG, "snappy: cannot compress");
		out->used = room;
		return 0;
	case CODEC_GZIP:
		return compress_gzip(bytes, count, out, msg);
	case CODEC_ZSTD:
		room = ZSTD_compressBound(count);
		buf_room(out, room);
		room = ZSTD_compress(out->data, room, bytes, count, 1);
		if (ZSTD_isError(room))
			return errmsg_set(msg, ERR_BUG, "zstd: %s", ZSTD_getErrorName(room));
		out->used = room;
		return 0;
	case CODEC_LZ4:
	case CODEC_DEFLATE:
		break;
	}
	return errmsg_set(msg, ERR_BUG, "this codec has no block compressor");
}
