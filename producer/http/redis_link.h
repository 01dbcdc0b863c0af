/*
 * redis_link: one connection to Redis on the libuv loop, kept up. Commands are pipelined; nothing
 * blocks, names are resolved on libuv's threads. The loop's thread only.
 *
 *	open (connects in the background) -> ask ... answers -> close, and run the loop until it is
 *	empty
 *
 * While the connection is not up, asking is refused at once: the caller has another way. A server
 * that does not answer within io_timeout_ms is hung up on, and everything asked ends without a
 * reply; then it is tried again every half second.
 */
#ifndef PRODUCER_REDIS_LINK_H
#define PRODUCER_REDIS_LINK_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct redis_link;

/* All *borrowed* until the link is closed. */
struct redis_link_config {
	const char *host, *user, *password; /* user, password: NULL for none */
	int port, database;
	int64_t connect_timeout_ms, io_timeout_ms;
};

/* `reply` is *borrowed*; NULL: the connection was lost before there was one. */
typedef void (*redis_link_reply)(void *user, const redisReply *reply);

struct redis_link *redis_link_open(uv_loop_t *loop, const struct redis_link_config *config);
/* ERR_UNAVAILABLE: not connected; `on_reply` is not called then. Words are copied. */
int redis_link_ask(struct redis_link *link, int count, const char **words,
	const size_t *lengths, redis_link_reply on_reply, void *user);
bool redis_link_up(const struct redis_link *link);
/* What is under way ends without a reply, inside this call. NULL is harmless. */
void redis_link_close(struct redis_link *link);

#endif
