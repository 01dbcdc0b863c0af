/*
 * script_server: an HTTP server that behaves in one chosen way, acknowledging like the producer or
 * making some kind of trouble, and answers GET /status like the consumer. A thread per connection.
 */
#ifndef TESTS_SCRIPT_SERVER_H
#define TESTS_SCRIPT_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum manner {
	ACKNOWLEDGE,
	RESET, /* reads the request, then RST */
	SILENT,
	GARBAGE,
	HALF, /* half an answer, then the end */
	BUSY_503,
	CLOSING, /* a good answer with Connection: close */
	SAYS_CLOSE, /* the same, but leaves closing to the client and reads no more */
	DRIP, /* a good answer byte by byte */
	STALL, /* good, but everything stands still for a second */
	SAME_OFFSET,
};

#define STALL_MS 1000

struct script_server {
	enum manner manner;
	int listener, port;
	pthread_t thread;
	_Atomic int64_t next_offset; /* of partition 0 */
	_Atomic int64_t applied_behind; /* what /status says is not committed */
	_Atomic int status_unknown, status_broken;
	_Atomic int64_t first_ms;
	_Atomic int requests;
};

/* On a free port of 127.0.0.1. Never freed: a client's thread may outlive the test. */
struct script_server *script_server_start(enum manner manner);
/* Listens no more. */
void script_server_stop(struct script_server *s);

#endif
