/* codec: which compression a sink uses, and the block compressors of Parquet pages. */
#ifndef PRODUCER_INGEST_CODEC_H
#define PRODUCER_INGEST_CODEC_H

#include "common/err.h"
#include "producer/ingest/buf.h"

#include <stdbool.h>

enum codec { CODEC_NONE, CODEC_SNAPPY, CODEC_GZIP, CODEC_ZSTD, CODEC_LZ4, CODEC_DEFLATE };

/*
 * --compression is one word for all sinks, or "parquet=zstd,kafka=lz4". Writes the word for `sink`
 * ("kafka", "avro", "parquet") or `fallback`; `known` lists what the sink understands, as
 * "none|snappy". ERR_CONFIG for another one.
 */
int codec_word(char word[16], const char *option, const char *sink, const char *known,
	const char *fallback, struct errmsg *msg);
enum codec codec_of(const char *word);

/* Replaces `out` by the compressed bytes: none, snappy, gzip or zstd. ERR_BUG when it cannot. */
int codec_compress(
	enum codec codec, const char *bytes, size_t count, struct buf *out, struct errmsg *msg);

#endif
