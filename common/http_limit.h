/*
 * http_limit: who waits how long. Part of http_server. One list per kind of time limit: all its
 * members wait equally long, so it stays sorted and a coarse tick looks at its head only.
 */
#ifndef COMMON_HTTP_LIMIT_H
#define COMMON_HTTP_LIMIT_H

#include <stdint.h>

struct http_conn;

enum http_limit {
	HTTP_NO_LIMIT,
	HTTP_IDLE,
	HTTP_HEADER,
	HTTP_BODY,
	HTTP_WRITE,
	HTTP_LINGER,
	HTTP_LIMITS,
};

struct http_limit_list {
	struct http_conn *first, *last;
	int64_t ms;
};

/* The same limit again keeps its deadline: a trickle of bytes buys no time. */
void http_conn_limit(struct http_conn *conn, enum http_limit limit);
/* The next whose time is up, taken out of its list; NULL when there is none. */
struct http_conn *http_limit_expired(struct http_limit_list *list, int64_t now_ms);

#endif
