/*
 * http_reply: one HTTP/1.x answer out of a byte stream, in pieces of any size. Strict: what is no
 * HTTP is REPLY_MALFORMED, never a guess. Bodies by Content-Length, chunked, or up to the end of
 * the connection. The body is kept up to body_max, the rest only counted.
 * init -> reset before each answer -> feed... -> release. One thread's.
 */
#ifndef LOADGEN_HTTP_REPLY_H
#define LOADGEN_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reply_state {
	REPLY_MORE, /* feed more */
	REPLY_DONE,
	REPLY_MALFORMED,
};

struct http_reply {
	/* of the answer, from REPLY_DONE on */
	int status;
	bool keep_alive;
	char *body; /* NUL-terminated behind body_bytes; owned by this struct */
	size_t body_bytes; /* kept */
	uint64_t body_total;

	/* parser's own */
	int step;
	bool no_body, has_length, chunked, old_version;
	uint64_t left; /* of the body or the chunk */
	size_t header_bytes, line_used, body_room, body_max;
	char line[4096];
};

void http_reply_init(struct http_reply *r, size_t body_max);
void http_reply_release(struct http_reply *r);
/* For the next answer; `no_body` when the request was a HEAD. */
void http_reply_reset(struct http_reply *r, bool no_body);
/* *used = how much of `data` belongs to this answer. */
enum reply_state http_reply_feed(
	struct http_reply *r, const char *data, size_t bytes, size_t *used);
/* The connection ended: DONE if the body ran up to it, MORE if no byte had come, else MALFORMED. */
enum reply_state http_reply_end(struct http_reply *r);

#endif
