/*
 * http_server: HTTP/1.1 on a libuv loop: keep-alive, pipelining, chunked bodies, limits, time limits,
 * back-pressure, graceful drain. One loop = one thread; every function here belongs to that thread.
 *
 *	open -> the handler is called with each whole request -> http_respond*() exactly once, at once
 *	or any time later -> drain (on_drained is called) -> close -> run the loop until it is empty
 *
 * A request is answered exactly once, also when its client has gone (the answer is then dropped).
 * Answers of one connection leave in the order of its requests. What http_request_*() returns is
 * *borrowed* and valid only inside the handler's call: copy what is needed later. Handlers of a
 * HEAD request see GET; the body is left out by the server.
 * When a connection has too many unanswered requests, or does not read its answers, the server
 * stops reading it: back-pressure, no refusal. Answers that stay open: http_stream.h.
 */
#ifndef COMMON_HTTP_SERVER_H
#define COMMON_HTTP_SERVER_H

#include "common/err.h"
#include "common/http_parse.h"
#include "common/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct http_server;
struct http_request;

typedef void (*http_handler)(void *user, struct http_request *request);

/* 0 anywhere means the default that is written beside it. */
struct http_server_config {
	const char *listen; /* "HOST:PORT", "[::1]:8080", port 0 = any */
	size_t max_connections; /* 10000; one more is answered 503 and closed */
	size_t max_refused; /* 1000 that are just answered so; one more is closed at once */
	size_t max_header_bytes; /* 16 KiB; more: 431 */
	size_t max_body_bytes; /* 1 MiB; more: 413 */
	size_t max_buffered_bytes; /* 64 MiB of unfinished requests over all connections: 503 */
	size_t max_pipelined; /* 64 unanswered requests of one connection: reading stops */
	int64_t idle_ms; /* 60000 without a request: closed */
	int64_t header_ms; /* 10000 from a request's first byte to the end of its head: 408 */
	int64_t body_ms; /* 30000 for the rest of its body: 408 */
	int64_t write_ms; /* 30000 without progress in writing an answer: closed */
	http_handler handle;
	void *user; /* borrowed, handed to the handler */
};

/* Figures since the start; borrowed, read on the loop's thread. */
struct http_server_stats {
	uint64_t connections; /* open now */
	uint64_t accepted, refused, timeouts;
	uint64_t requests_open; /* handed to the handler, not answered */
	uint64_t buffered_bytes;
	uint64_t codes[600]; /* answers by status code */
	struct metric_histogram seconds; /* from a request's last byte to its answer */
};

/* `config` is copied. Listens at once. ERR_CONFIG, ERR_UNAVAILABLE (address in use). */
int http_server_open(struct http_server **server, uv_loop_t *loop,
	const struct http_server_config *config, struct errmsg *msg);
int http_server_port(const struct http_server *server);
const struct http_server_stats *http_server_stats(const struct http_server *server);
/*
 * Stops listening, answers what is in flight (the last answer of a connection says
 * "Connection: close"), then calls on_drained once. Streams are ended. Twice is harmless.
 */
void http_server_drain(struct http_server *server, void (*on_drained)(void *user), void *user);
/*
 * Closes every connection now; those whose answers were given already are closed behind them, a
 * second or two later at most. Memory is freed while the loop runs on until it is empty.
 */
void http_server_close(struct http_server *server);

/* Inside the handler only. */
enum http_method http_request_method(const struct http_request *request);
const char *http_request_method_text(const struct http_request *request, size_t *length);
/* Without the query; as it was sent, not percent-decoded. */
const char *http_request_path(const struct http_request *request, size_t *length);
bool http_request_path_is(const struct http_request *request, const char *path);
/* Behind the '?'; "" when there is none. */
const char *http_request_query(const struct http_request *request, size_t *length);
/* The first such header's value (the name in any case), or NULL. */
const char *http_request_header(
	const struct http_request *request, const char *name, size_t *length);
/* The same of the nth such header, from 0: several of a list's headers are one list. */
const char *http_request_header_nth(
	const struct http_request *request, const char *name, int nth, size_t *length);
/* True when one of the header's comma-separated members begins with this token. */
bool http_request_header_has(
	const struct http_request *request, const char *name, const char *token);
const char *http_request_body(const struct http_request *request, size_t *length);
/* "127.0.0.1:5000"; written into `text`. */
const char *http_request_peer(const struct http_request *request, char *text, size_t bytes);

/*
 * `headers`: whole lines "Name: value\r\n", or NULL. All arguments are copied. The request is gone
 * afterwards.
 */
void http_respond(struct http_request *request, int status, const char *content_type,
	const char *headers, const char *body, size_t length);
/* The same without the copy: `body` is malloc'ed and owned by the callee. */
void http_respond_owned(struct http_request *request, int status, const char *content_type,
	const char *headers, char *body, size_t length);
/*
 * application/problem+json with type, title (from the status), status, detail. `members`: more of
 * them as JSON text ("\"id\":\"x\""), or NULL. Also `headers` as above.
 */
void http_respond_problem(struct http_request *request, int status, const char *headers,
	const char *members, const char *detail, ...) __attribute__((format(printf, 5, 6)));
/* 405 with its Allow header: "GET, POST". */
void http_respond_not_allowed(struct http_request *request, const char *allow);

/* A whole JSON string with its quotes; cut where `to` ends. Returns the bytes written. */
size_t http_json_quote(char *to, size_t bytes, const char *text, size_t length);

#endif
