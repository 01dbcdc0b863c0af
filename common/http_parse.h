/*
 * http_parse: the framing of an HTTP/1 request, pure and strict. What two readers could understand
 * differently (request smuggling) is refused: Content-Length with Transfer-Encoding, a repeated
 * Content-Length or Host, a line that ends in a bare LF, a folded header, blanks before a colon.
 * Everything points into the caller's data (*borrowed*).
 */
#ifndef COMMON_HTTP_PARSE_H
#define COMMON_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_method {
	HTTP_GET,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_PATCH,
	HTTP_OPTIONS,
	HTTP_OTHER, /* a valid token that is none of these */
};

struct http_text {
	const char *text;
	size_t length;
};

#define HTTP_FIELDS_MAX 64

struct http_head {
	enum http_method method; /* HEAD is GET with head_only */
	bool head_only, keep_alive, chunked, expect_continue;
	int minor; /* HTTP/1.minor */
	size_t content_length; /* 0 when there is none */
	struct http_text method_text, path, query;
	struct http_text names[HTTP_FIELDS_MAX], values[HTTP_FIELDS_MAX];
	int count;
	size_t bytes; /* of the whole head, with its empty line */
};

/*
 * 1: a head is there. 0: more bytes are needed. Else -STATUS, the answer it deserves, and *why.
 * *scanned, 0 at first, remembers what was looked at when the same data come again, longer.
 */
int http_parse_head(struct http_head *head, const char *data, size_t length, size_t *scanned,
	const char **why);
/* The nth field of this name in any case, from 0, or NULL. */
const struct http_text *http_head_field(
	const struct http_head *head, const char *name, int nth);
/* Does a comma-separated list hold `token`, alone or followed by '=', ';' or a blank? */
bool http_list_has(const char *text, size_t length, const char *token);

/* A chunked body, decoded piece by piece. Zeroed = at its start. */
struct http_chunked {
	int state;
	int digits;
	size_t left; /* of the chunk */
	size_t extra; /* bytes of extensions and trailers so far */
};

/*
 * Decodes into `to`, which has room for `length` bytes and may be `data` itself. *used: how much of
 * `data` belongs to the body; *made: bytes written. 1: the body is complete. 0: more. Else -STATUS.
 */
int http_chunked_feed(struct http_chunked *chunked, const char *data, size_t length,
	size_t *used, char *to, size_t *made, const char **why);

#endif
