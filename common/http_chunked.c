/* The chunked half of http_parse. */
#include "common/http_parse.h"

#include <string.h>

enum {
	SIZE,
	EXTENSION,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_START,
	TRAILER,
	TRAILER_LF,
	END_LF
};

#define EXTRA_MAX 4096 /* chunk extensions and trailers are thrown away, but not for ever */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return -1;
}

/* A digit of the size, or what ends it. 0, or -STATUS. */
static int size_step(struct http_chunked *chunked, char c)
{
	int digit = hex(c);

	if (digit >= 0) {
		if (++chunked->digits > 12)
			return -413;
		chunked->left = chunked->left * 16 + (size_t)digit;
		return 0;
	}
	if (chunked->digits == 0)
		return -400;
	if (c == '\r')
		chunked->state = SIZE_LF;
	else if (c == ';' || c == ' ' || c == '\t')
		chunked->state = EXTENSION;
	else
		return -400;
	return 0;
}

/* One byte outside the data. 1: the body is complete; 0; or -STATUS. */
static int step(struct http_chunked *chunked, char c)
{
	switch (chunked->state) {
	case SIZE:
		return size_step(chunked, c);
	case EXTENSION:
	case TRAILER:
		if (c == '\r')
			chunked->state = chunked->state == TRAILER ? TRAILER_LF : SIZE_LF;
		else if (++chunked->extra > EXTRA_MAX || ((unsigned char)c < 0x20 && c != '\t'))
			return -400;
		return 0;
	case SIZE_LF:
		if (c != '\n')
			return -400;
		chunked->state = chunked->left ? DATA : TRAILER_START;
		return 0;
	case DATA_CR:
		chunked->state = DATA_LF;
		return c == '\r' ? 0 : -400;
	case DATA_LF:
		chunked->state = SIZE;
		chunked->digits = 0;
		return c == '\n' ? 0 : -400;
	case TRAILER_START:
		chunked->state = c == '\r' ? END_LF : TRAILER;
		return (unsigned char)c < 0x20 && c != '\r' ? -400 : 0;
	case TRAILER_LF:
		chunked->state = TRAILER_START;
		return c == '\n' ? 0 : -400;
	default: /* END_LF */
		return c == '\n' ? 1 : -400;
	}
}

int http_chunked_feed(struct http_chunked *chunked, const char *data, size_t length,
	size_t *used, char *to, size_t *made, const char **why)
{
	size_t in = 0, out = 0;
	int got = 0;

	while (in < length && got == 0) {
		if (chunked->state == DATA) {
			size_t piece =
				length - in < chunked->left ? length - in : chunked->left;

			memmove(to + out, data + in, piece);
			in += piece;
			out += piece;
			chunked->left -= piece;
			if (chunked->left == 0)
				chunked->state = DATA_CR;
		} else {
			got = step(chunked, data[in++]);
		}
	}
	*used = in;
	*made = out;
	if (got < 0)
		*why = got == -413 ? "a chunk beyond all bounds" : "a malformed chunk";
	return got;
}
