/*
 * http_stream: an answer that stays open (server-sent events), on a connection of http_server. The
 * loop's thread only. It ends with its connection.
 *
 *	http_stream_start -> http_stream_write ... -> http_stream_close, or the client goes: on_closed
 */
#ifndef COMMON_HTTP_STREAM_H
#define COMMON_HTTP_STREAM_H

#include "common/http_server.h"

struct http_stream;

/*
 * Answers `request` with 200. on_closed is called exactly once, whoever ends it, and never inside
 * http_stream_start(); the stream is gone then.
 */
struct http_stream *http_stream_start(struct http_request *request, const char *content_type,
	const char *headers, void (*on_closed)(void *user), void *user);
/*
 * Copied. ERR_FULL and nothing is sent when more than `limit_bytes` would wait for a slow client:
 * leave this piece out, or close. Not after http_stream_close() or on_closed.
 */
int http_stream_write(
	struct http_stream *stream, const char *data, size_t length, size_t limit_bytes);
void http_stream_close(struct http_stream *stream);

#endif
