/*
 * lifecycle: the signals of a program with a libuv loop. SIGTERM or SIGINT: stop in good order; a
 * second one: stop now. SIGPIPE is ignored: a write says what happened.
 *
 *	start -> on_stop, on_now (loop's thread) -> close -> run the loop until it is empty
 */
#ifndef COMMON_LIFECYCLE_H
#define COMMON_LIFECYCLE_H

#include <uv.h>

struct lifecycle {
	uv_signal_t term, interrupt;
	int signals;
	void (*on_stop)(void *user);
	void (*on_now)(void *user);
	void *user;
};

/* The callbacks and `user` are set by the caller; the struct stays where it is. */
void lifecycle_start(struct lifecycle *lifecycle, uv_loop_t *loop);
void lifecycle_close(struct lifecycle *lifecycle);

#endif
