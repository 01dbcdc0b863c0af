#include "common/http_stream.h"

#include "common/http_private.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

struct http_stream *http_stream_start(struct http_request *request, const char *content_type,
	const char *headers, void (*on_closed)(void *user), void *user)
{
	struct http_stream *stream = mem_zero(1, sizeof(*stream));

	stream->request = request;
	stream->on_closed = on_closed;
	stream->user = user;
	request->stream = stream;
	/* The answer has no length: it ends with its connection, so nothing can follow it. */
	request->close = true;
	if (request->conn)
		request->conn->closing = true;
	http_respond(request, 200, content_type, headers, NULL, 0);
	return stream;
}

int http_stream_write(
	struct http_stream *stream, const char *data, size_t length, size_t limit_bytes)
{
	struct http_conn *conn = stream->request->conn;

	if (stream->ended)
		return ERR_CLOSED;
	if (stream->used + conn->pending_bytes + length > limit_bytes)
		return ERR_FULL;
	if (stream->used + length > stream->room) {
		stream->room = (stream->used + length) * 2;
		stream->text = mem_resize(stream->text, stream->room, 1);
	}
	memcpy(stream->text + stream->used, data, length);
	stream->used += length;
	http_conn_touch(conn);
	return 0;
}

void http_stream_close(struct http_stream *stream)
{
	stream->ended = true;
	http_conn_touch(stream->request->conn);
}
