#include "loadgen/http_reply.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADER_BYTES_MAX (64 << 10)

enum step {
	STATUS_LINE,
	HEADERS,
	BODY,
	BODY_TO_END,
	CHUNK_SIZE,
	CHUNK,
	CHUNK_END,
	TRAILERS,
	DONE
};

void http_reply_init(struct http_reply *r, size_t body_max)
{
	memset(r, 0, sizeof(*r));
	r->body_max = body_max;
}

void http_reply_release(struct http_reply *r)
{
	free(r->body);
	r->body = NULL;
}

void http_reply_reset(struct http_reply *r, bool no_body)
{
	r->status = 0;
	r->keep_alive = true;
	r->body_bytes = 0;
	r->body_total = 0;
	r->step = STATUS_LINE;
	r->no_body = no_body;
	r->has_length = r->chunked = r->old_version = false;
	r->left = 0;
	r->header_bytes = 0;
	r->line_used = 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 202 Accepted"; the reason may be missing. */
static bool status_line(struct http_reply *r, const char *line, size_t length)
{
	if (length < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
		return false;
	if (line[7] != '1' && line[7] != '0')
		return false;
	if (!is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]))
		return false;
	if (length > 12 && line[12] != ' ')
		return false;
	r->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
	r->old_version = line[7] == '0';
	r->keep_alive = !r->old_version;
	return r->status >= 100 && r->status <= 599;
}

static bool name_is(const char *line, size_t length, const char *name)
{
	return strlen(name) == length && strncasecmp(line, name, length) == 0;
}

/* Does the comma-separated list hold the word? */
static bool has_word(const char *value, size_t length, const char *word)
{
	size_t size = strlen(word);

	for (size_t i = 0; i + size <= length; i++) {
		bool starts = i == 0 || strchr(", \t", value[i - 1]);
		bool ends = i + size == length || strchr(", \t;", value[i + size]);

		if (starts && ends && strncasecmp(value + i, word, size) == 0)
			return true;
	}
	return false;
}

static bool content_length(struct http_reply *r, const char *value, size_t length)
{
	uint64_t sum = 0;

	if (length == 0 || length > 18)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_digit(value[i]))
			return false;
		sum = sum * 10 + (uint64_t)(value[i] - '0');
	}
	if (r->has_length && sum != r->left)
		return false; /* two that differ: somebody between us disagrees about the end */
	r->has_length = true;
	r->left = sum;
	return true;
}

static bool header(struct http_reply *r, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length), *value;
	size_t name = colon ? (size_t)(colon - line) : 0, size;

	if (name == 0 || line[name - 1] == ' ' || line[0] == ' ' || line[0] == '\t')
		return false;
	value = colon + 1;
	size = length - name - 1;
	while (size && (*value == ' ' || *value == '\t'))
		value++, size--;
	while (size && (value[size - 1] == ' ' || value[size - 1] == '\t'))
		size--;
	if (name_is(line, name, "content-length"))
		return content_length(r, value, size);
	if (name_is(line, name, "transfer-encoding")) {
		r->chunked = has_word(value, size, "chunked");
		return r->chunked;
	}
	if (name_is(line, name, "connection")) {
		if (has_word(value, size, "close"))
			r->keep_alive = false;
		else if (has_word(value, size, "keep-alive"))
			r->keep_alive = true;
	}
	return true;
}

static void headers_end(struct http_reply *r)
{
	if (r->status < 200 && r->status != 101) {
		bool no_body = r->no_body;

		http_reply_reset(
			r, no_body); /* 100 Continue and the like: the answer follows */
	} else if (r->no_body || r->status == 204 || r->status == 304) {
		r->step = DONE;
	} else if (r->chunked) {
		r->step = CHUNK_SIZE;
	} else if (r->has_length) {
		r->step = r->left ? BODY : DONE;
	} else {
		r->keep_alive = false;
		r->step = BODY_TO_END;
	}
}

static bool chunk_size(struct http_reply *r, const char *line, size_t length)
{
	uint64_t size = 0;
	size_t i = 0;

	for (; i < length; i++) {
		char c = line[i] | 0x20;

		if (is_digit(line[i]))
			size = size * 16 + (uint64_t)(line[i] - '0');
		else if (c >= 'a' && c <= 'f')
			size = size * 16 + (uint64_t)(c - 'a') + 10;
		else
			break;
	}
	if (i == 0 || i > 15 || (i < length && line[i] != ';' && line[i] != ' '))
		return false;
	r->left = size;
	r->step = size ? CHUNK : TRAILERS;
	return true;
}

static bool take_line(struct http_reply *r, const char *line, size_t length)
{
	if (length && line[length - 1] == '\r')
		length--;
	switch ((enum step)r->step) {
	case STATUS_LINE:
		r->step = HEADERS;
		return status_line(r, line, length);
	case HEADERS:
		if (length)
			return header(r, line, length);
		headers_end(r);
		return true;
	case CHUNK_SIZE:
		return chunk_size(r, line, length);
	case CHUNK_END:
		r->step = CHUNK_SIZE;
		return length == 0;
	case TRAILERS:
		if (length == 0)
			r->step = DONE;
		return true;
	default:
		return false;
	}
}

static void keep_body(struct http_reply *r, const char *data, size_t bytes)
{
	size_t keep = r->body_max - r->body_bytes;

	r->body_total += bytes;
	if (keep > bytes)
		keep = bytes;
	if (r->body_bytes + keep + 1 > r->body_room) {
		r->body_room = (r->body_bytes + keep + 1) * 2;
		r->body = mem_resize(r->body, r->body_room, 1);
	}
	memcpy(r->body + r->body_bytes, data, keep);
	r->body_bytes += keep;
	r->body[r->body_bytes] = 0;
}

/* One line, or the part of it that is there. Returns bytes taken; 0 = malformed. */
static size_t feed_line(struct http_reply *r, const char *data, size_t bytes)
{
	const char *newline = memchr(data, '\n', bytes);
	size_t part = newline ? (size_t)(newline - data) : bytes;
	bool good = true;

	r->header_bytes += part + 1;
	if (r->header_bytes > HEADER_BYTES_MAX)
		return 0;
	if (r->step == STATUS_LINE && r->line_used == 0 && part && *data != 'H')
		return 0; /* garbage without a line end must not wait for one */
	if (newline && r->line_used == 0) {
		good = take_line(r, data, part);
	} else {
		if (r->line_used + part > sizeof(r->line))
			return 0;
		memcpy(r->line + r->line_used, data, part);
		r->line_used += part;
		if (newline) {
			good = take_line(r, r->line, r->line_used);
			r->line_used = 0;
		}
	}
	return good ? part + (newline != NULL) : 0;
}

static size_t feed_body(struct http_reply *r, const char *data, size_t bytes)
{
	if (r->step != BODY_TO_END) {
		if (bytes > r->left)
			bytes = (size_t)r->left;
		r->left -= bytes;
	}
	keep_body(r, data, bytes);
	if (r->left == 0 && r->step == BODY)
		r->step = DONE;
	else if (r->left == 0 && r->step == CHUNK)
		r->step = CHUNK_END;
	return bytes;
}

enum reply_state http_reply_feed(
	struct http_reply *r, const char *data, size_t bytes, size_t *used)
{
	*used = 0;
	while (*used < bytes && r->step != DONE) {
		bool body = r->step == BODY || r->step == BODY_TO_END || r->step == CHUNK;
		size_t taken = body ? feed_body(r, data + *used, bytes - *used)
				    : feed_line(r, data + *used, bytes - *used);

		if (taken == 0)
			return REPLY_MALFORMED;
		*used += taken;
	}
	return r->step == DONE ? REPLY_DONE : REPLY_MORE;
}

enum reply_state http_reply_end(struct http_reply *r)
{
	if (r->step == BODY_TO_END) {
		r->step = DONE;
		return REPLY_DONE;
	}
	if (r->step == STATUS_LINE && r->line_used == 0)
		return REPLY_MORE;
	return REPLY_MALFORMED;
}
