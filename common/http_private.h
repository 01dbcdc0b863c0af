/*
 * http_private: the inside of http_server, shared by its files only.
 *
 *	http_server.c	listening, drain, close (http_limit.c: time limits)
 *	http_conn.c	a connection from accept to close; http_feed.c: its bytes become requests
 *	http_answer.c	answers; http_flush.c: written in order, one write per turn
 *
 * A connection's life: open -> (closing: no more requests) -> lingering (all is said, the client's
 * last bytes are read and dropped so that our answer is not lost in a reset) -> closed.
 */
#ifndef COMMON_HTTP_PRIVATE_H
#define COMMON_HTTP_PRIVATE_H

#include "common/http_limit.h"
#include "common/http_server.h"
#include "common/http_stream.h"

#define HTTP_READ_BYTES	   65536
#define HTTP_INLINE_BYTES  512
#define HTTP_LINGER_MS	   1000
#define HTTP_TICK_MS	   200
#define HTTP_PENDING_BYTES (256 * 1024) /* of unsent answers: reading stops */

/* In a connection's FIFO from its arrival to the write of its answer; pooled. */
struct http_request {
	struct http_server *server;
	struct http_conn *conn; /* NULL: the client is gone */
	struct http_request *next; /* in the FIFO, or in the pool */
	int64_t started_ns;
	const char *text; /* head and maybe body; inline_text or owned */
	char *owned_text, *owned_body;
	size_t text_bytes, body_bytes;
	struct http_stream *stream;
	bool ready, close, head_only, says_keep_alive;
	char inline_text[HTTP_INLINE_BYTES];
};

struct http_stream {
	struct http_request *request;
	char *text; /* waits to be written */
	size_t used, room;
	bool started, ended;
	void (*on_closed)(void *user);
	void *user;
};

struct http_conn {
	uv_tcp_t tcp;
	struct http_server *server;
	struct http_conn *prev, *next; /* all connections */
	struct http_conn *limit_prev, *limit_next;
	struct http_conn *dirty_next; /* also: the pool */
	int64_t deadline_ms;
	enum http_limit limit;
	unsigned unanswered;
	struct http_request *first, *last;
	/* The unfinished request: its head, then its body as far as it came; or what is left over. */
	char *buf;
	size_t used, room, scanned, head_bytes, body_bytes, body_left;
	struct http_chunked chunked;
	size_t pending_bytes; /* in the one uv_write under way */
	size_t ready_bytes; /* of answers that were not given to the socket yet */
	size_t unsent_bytes; /* http_conn_unsent() when progress was last looked for */
	bool in_body, is_chunked, paused, closing, lingering, eof, dirty, writing, closed,
		want_continue;
};

struct http_server {
	uv_loop_t *loop;
	struct http_server_config config;
	uv_tcp_t listener;
	uv_timer_t tick;
	uv_prepare_t prepare;
	uv_check_t check;
	int handles; /* ours that are not closed */
	int port;
	bool draining, drained, closed; /* closed: what was answered is still written */
	void (*on_drained)(void *user);
	void *drained_user;
	struct http_conn *conns, *conn_pool, *dirty;
	struct http_request *request_pool;
	int conns_pooled, requests_pooled;
	struct http_limit_list limits[HTTP_LIMITS];
	struct http_server_stats stats;
	/* The request in the handler's hands. */
	struct http_request *current;
	const struct http_head *head;
	const char *body;
	size_t body_bytes;
	int64_t date_s;
	char date[40];
	char input[HTTP_READ_BYTES]; /* one for all connections */
};

/* http_server.c */
void http_server_unref(struct http_server *server);
void http_server_lost(struct http_server *server); /* a connection has gone */

/* http_feed.c */
void http_conn_feed(struct http_conn *conn, const char *data, size_t length);
void http_conn_forget(struct http_conn *conn); /* the unfinished request */
/* Answers without the handler, and hangs up. */
void http_conn_refuse(struct http_conn *conn, int status, const char *why);
bool http_conn_is_full(const struct http_conn *conn);

/* http_conn.c */
void http_conn_accept(struct http_server *server);
void http_conn_close(struct http_conn *conn);
void http_conn_expired(struct http_conn *conn); /* its time limit has passed */
void http_conn_resume(struct http_conn *conn); /* there is room for answers again */
void http_conn_rest(struct http_conn *conn); /* choose the time limit that fits the state */

/* http_answer.c */
struct http_request *http_request_take(struct http_server *server, struct http_conn *conn);
void http_request_drop(struct http_request *request);
size_t http_conn_unsent(struct http_conn *conn); /* with what the kernel still holds */
void http_conn_touch(struct http_conn *conn); /* to be flushed at the end of this turn */
void http_server_flush(struct http_server *server);

#endif
