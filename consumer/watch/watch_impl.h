/* watch_impl: the watch's insides, shared by watch.c (thread, tick, streams) and status_http.c. */
#ifndef CONSUMER_WATCH_WATCH_IMPL_H
#define CONSUMER_WATCH_WATCH_IMPL_H

#include "common/http_server.h"
#include "common/http_stream.h"
#include "consumer/watch/history.h"
#include "consumer/watch/picture.h"
#include "consumer/watch/story.h"

#include <uv.h>

#define WATCH_TICK_MS	1000
#define WATCH_LISTENERS 64 /* of /events at once */
#define WATCH_SLOW_BYTES                                                                       \
	(256 * 1024) /* an event is left out for a listener with more than that unread */

/* One open /events. */
struct listener {
	struct watch *watch;
	struct http_stream *stream;
	struct listener *next;
};

struct watch {
	/* set before start */
	struct watch_source source;
	char *token;
	uv_loop_t loop;
	uv_thread_t thread;
	uv_async_t stop;
	int port;
	/* watch's thread only */
	struct http_server *server;
	uv_timer_t timer;
	struct latency_window window;
	struct latency latency;
	struct history history;
	struct story story;
	struct listener *listeners;
	int listener_count;
	bool stopping, drain_asked;
};

/* The handler of every request. */
void status_http_handle(void *watch, struct http_request *request);
/* "event: status" with the present picture; caller frees with free(). */
char *watch_event_text(struct watch *watch, size_t *length);

#endif
