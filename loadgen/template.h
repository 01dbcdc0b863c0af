/*
 * template: text with fields, compiled once and filled in per request. A field's value depends on
 * the seed and the request's number only, so a run can be repeated.
 *
 *	{{seq}} {{key}} {{uuid}} {{time}} {{string:12}} {{int:18-90}} {{choice:a*3|b|c}}
 *
 * time = milliseconds since 1970 (this one is not reproducible); choice weights default to 1.
 * compile -> render... -> release; rendering is read-only.
 */
#ifndef LOADGEN_TEMPLATE_H
#define LOADGEN_TEMPLATE_H

#include "common/err.h"
#include "loadgen/http_out.h"

struct template_part;

struct template
{
	struct template_part *parts;
	size_t count;
};

/* What one request brings; the key is borrowed. */
struct template_values {
	uint64_t seed, sequence;
	const char *key;
	size_t key_bytes;
};

/* ERR_CONFIG names the field. The text is copied. */
int template_compile(struct template *t, const char *text, struct errmsg *msg);
void template_render(
	const struct template *t, const struct template_values *values, struct http_text *out);
void template_release(struct template *t);

#endif
