/*
 * request: what is sent. The key of request n, and the bytes of the whole HTTP request; both depend
 * on the seed and n only. With keys = 0 a later run of the same session goes on counting: its ids are
 * new. open -> (key / render...; next_run)... -> release; read-only while a run lasts.
 */
#ifndef LOADGEN_REQUEST_H
#define LOADGEN_REQUEST_H

#include "common/conf.h"
#include "loadgen/http_url.h"
#include "loadgen/template.h"

#define REQUEST_KEY_BYTES 96

struct request_plan {
	const char *method;
	const char *body; /* a template; NULL: the record {"id","name","age","occupation"} */
	const char *body_file; /* instead: one template a line, taken in turn; or NULL */
	const struct conf_list *headers; /* "Name: value" templates */
	const char *key_prefix;
	uint64_t keys; /* distinct keys; 0: each request has its own */
	double skew; /* of Zipf's law; 0: uniform */
	uint64_t seed;
};

struct request;

/* `plan` and `url` are copied as far as needed. */
int request_open(struct request **r, const struct request_plan *plan,
	const struct http_url *url, struct errmsg *msg);
void request_close(struct request *r);

/* A run is over that made so many requests. */
void request_next_run(struct request *r, uint64_t made);

/* The number of the key of request `sequence`. */
uint64_t request_key(const struct request *r, uint64_t sequence);
/* The key as text into buf of REQUEST_KEY_BYTES; returns its length. */
size_t request_key_text(const struct request *r, uint64_t key, char *buf);
/* Appends the request. */
void request_render(
	const struct request *r, const struct http_call *call, struct http_text *out);

#endif
