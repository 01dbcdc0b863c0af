/*
 * redis_link: see redis_link.h.
 *   1 resolve the name (uv_getaddrinfo)
 *   2 hiredis connects; AUTH, SELECT, PING: the PING's answer says it is up
 *   3 commands, each with its struct asked; the tick sees silence and hangs up
 * The glue between hiredis and libuv is ours: the adapter that comes with hiredis 0.14 forgets a
 * socket that polls with an error.
 */
#include "producer/http/redis_link.h"

#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "common/mem.h"

#include <hiredis/async.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS	 100
#define RETRY_MS 500

struct redis_link {
	struct redis_link_config config;
	uv_loop_t *loop;
	uv_timer_t tick;
	uv_getaddrinfo_t lookup;
	redisAsyncContext *context; /* NULL: not even connecting */
	size_t asked; /* without an answer */
	unsigned attempts; /* to connect */
	int64_t silent_since_ms, retry_at_ms;
	bool up, looking_up, closing, timer_closed, said_down;
};

/* hiredis' socket in libuv's eyes; outlives its context until libuv has let go. */
struct glue {
	uv_poll_t poll;
	redisAsyncContext *context;
	int events;
};

struct asked {
	struct redis_link *link;
	redis_link_reply on_reply;
	void *user;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct glue *glue = poll->data;

	/* hiredis finds out what is wrong with a socket by using it. */
	if (status < 0 || (events & UV_READABLE))
		redisAsyncHandleRead(glue->context);
	if (glue->context && (events & UV_WRITABLE))
		redisAsyncHandleWrite(glue->context);
}

static void watch(struct glue *glue, int events)
{
	glue->events = events;
	if (events)
		uv_poll_start(&glue->poll, events, on_poll);
	else
		uv_poll_stop(&glue->poll);
}

static void add_read(void *data)
{
	watch(data, ((struct glue *)data)->events | UV_READABLE);
}

static void del_read(void *data)
{
	watch(data, ((struct glue *)data)->events & ~UV_READABLE);
}

static void add_write(void *data)
{
	watch(data, ((struct glue *)data)->events | UV_WRITABLE);
}

static void del_write(void *data)
{
	watch(data, ((struct glue *)data)->events & ~UV_WRITABLE);
}

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void let_go(void *data)
{
	struct glue *glue = data;

	glue->context = NULL;
	uv_close((uv_handle_t *)&glue->poll, on_poll_closed);
}

static void attach(struct redis_link *link, redisAsyncContext *context)
{
	struct glue *glue = mem_zero(1, sizeof(*glue));

	glue->context = context;
	uv_poll_init(link->loop, &glue->poll, (int)context->c.fd);
	glue->poll.data = glue;
	context->ev.data = glue;
	context->ev.addRead = add_read;
	context->ev.delRead = del_read;
	context->ev.addWrite = add_write;
	context->ev.delWrite = del_write;
	context->ev.cleanup = let_go;
}

static void say_down(struct redis_link *link, const char *why)
{
	link->up = false;
	link->retry_at_ms = clock_mono_ms() + RETRY_MS;
	if (link->said_down || link->closing)
		return;
	link->said_down = true;
	log_event(LOG_WARN, "redis_down", LOG_F("host", LOG_STR(link->config.host)),
		LOG_F("port", LOG_INT(link->config.port)), LOG_F("reason", LOG_STR(why)));
}

static void hang_up(struct redis_link *link, const char *why)
{
	redisAsyncContext *context = link->context;

	link->context = NULL;
	say_down(link, why);
	if (context)
		redisAsyncFree(context); /* what was asked ends here */
}

static void on_connected(const redisAsyncContext *context, int status)
{
	struct redis_link *link = context->data;

	if (status == REDIS_OK || link->context != context)
		return;
	link->context = NULL; /* hiredis frees it */
	say_down(link, context->errstr);
}

static void on_disconnected(const redisAsyncContext *context, int status)
{
	struct redis_link *link = context->data;

	(void)status;
	if (link->context != context)
		return;
	link->context = NULL;
	say_down(link, *context->errstr ? context->errstr : "hung up");
}

static void on_answer(redisAsyncContext *context, void *answer, void *data)
{
	struct asked *asked = data;
	struct redis_link *link = asked->link;

	(void)context;
	link->asked--;
	link->silent_since_ms = clock_mono_ms();
	if (!answer)
		link->up = false; /* nothing new on a connection that ends */
	asked->on_reply(asked->user, answer);
	free(asked);
}

static void send_words(struct redis_link *link, int count, const char **words,
	const size_t *lengths, redis_link_reply on_reply, void *user)
{
	struct asked *asked = mem_alloc(sizeof(*asked));

	*asked = (struct asked){link, on_reply, user};
	if (link->asked++ == 0)
		link->silent_since_ms = clock_mono_ms();
	if (redisAsyncCommandArgv(link->context, on_answer, asked, count, words, lengths) ==
		REDIS_OK)
		return;
	link->asked--;
	free(asked);
	on_reply(user, NULL);
}

static void on_login(void *user, const redisReply *reply)
{
	struct redis_link *link = user;

	if (reply && reply->type == REDIS_REPLY_ERROR)
		say_down(link, reply->str);
}

static void on_ping(void *user, const redisReply *reply)
{
	struct redis_link *link = user;

	if (!reply)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		say_down(link, reply->str);
		redisAsyncDisconnect(link->context);
		return;
	}
	link->up = true;
	link->said_down = false;
	log_event(LOG_INFO, "redis_up", LOG_F("host", LOG_STR(link->config.host)),
		LOG_F("port", LOG_INT(link->config.port)));
}

static void log_in(struct redis_link *link)
{
	const struct redis_link_config *c = &link->config;
	const char *words[3] = {"AUTH", c->user, c->password};
	char number[16];

	if (c->password && c->user)
		send_words(link, 3, words, NULL, on_login, link);
	words[1] = c->password;
	if (c->password && !c->user)
		send_words(link, 2, words, NULL, on_login, link);
	snprintf(number, sizeof(number), "%d", c->database);
	words[0] = "SELECT";
	words[1] = number;
	/* The last of them: what it says is the verdict over all (NOAUTH stops it too). */
	send_words(link, 2, words, NULL, on_ping, link);
}

static void connect_to(struct redis_link *link, const char *ip)
{
	redisAsyncContext *context = redisAsyncConnect(ip, link->config.port);

	if (!context)
		abort();
	if (context->err) {
		say_down(link, context->errstr);
		redisAsyncFree(context);
		return;
	}
	link->context = context;
	context->data = link;
	attach(link, context);
	redisAsyncSetConnectCallback(context, on_connected);
	redisAsyncSetDisconnectCallback(context, on_disconnected);
	link->asked = 0;
	log_in(link);
}

static void finish_close(struct redis_link *link)
{
	if (link->timer_closed && !link->looking_up)
		free(link);
}

/* Each attempt takes the next address of the name: the first may be one where nobody listens. */
static const struct addrinfo *choose(struct redis_link *link, const struct addrinfo *found)
{
	const struct addrinfo *chosen = found;
	unsigned count = 0;

	for (const struct addrinfo *one = found; one; one = one->ai_next)
		count++;
	for (unsigned skip = link->attempts++ % count; skip > 0; skip--)
		chosen = chosen->ai_next;
	return chosen;
}

static void on_looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
	struct redis_link *link = lookup->data;
	const struct addrinfo *at = status == 0 ? choose(link, found) : NULL;
	char ip[64] = "";

	link->looking_up = false;
	if (at && at->ai_family == AF_INET6)
		uv_ip6_name((struct sockaddr_in6 *)(void *)at->ai_addr, ip, sizeof(ip));
	else if (at)
		uv_ip4_name((struct sockaddr_in *)(void *)at->ai_addr, ip, sizeof(ip));
	uv_freeaddrinfo(found);
	if (link->closing)
		finish_close(link);
	else if (status != 0)
		say_down(link, uv_strerror(status));
	else
		connect_to(link, ip);
}

static void look_up(struct redis_link *link)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	int err;

	link->lookup.data = link;
	link->retry_at_ms = clock_mono_ms() + RETRY_MS;
	err = uv_getaddrinfo(
		link->loop, &link->lookup, on_looked_up, link->config.host, NULL, &hints);
	link->looking_up = err == 0;
	if (err != 0)
		say_down(link, uv_strerror(err));
}

static void on_tick(uv_timer_t *timer)
{
	struct redis_link *link = timer->data;
	int64_t now = clock_mono_ms();
	int64_t limit = link->up ? link->config.io_timeout_ms : link->config.connect_timeout_ms;

	if (link->context) {
		if (link->asked > 0 && now - link->silent_since_ms >= limit)
			hang_up(link, "no answer in time");
	} else if (!link->looking_up && now >= link->retry_at_ms) {
		look_up(link);
	}
}

struct redis_link *redis_link_open(uv_loop_t *loop, const struct redis_link_config *config)
{
	struct redis_link *link = mem_zero(1, sizeof(*link));

	link->config = *config;
	link->loop = loop;
	uv_timer_init(loop, &link->tick);
	link->tick.data = link;
	uv_timer_start(&link->tick, on_tick, TICK_MS, TICK_MS);
	look_up(link);
	return link;
}

int redis_link_ask(struct redis_link *link, int count, const char **words,
	const size_t *lengths, redis_link_reply on_reply, void *user)
{
	if (!link->up || !link->context || link->closing)
		return ERR_UNAVAILABLE;
	send_words(link, count, words, lengths, on_reply, user);
	return 0;
}

bool redis_link_up(const struct redis_link *link)
{
	return link && link->up;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct redis_link *link = handle->data;

	link->timer_closed = true;
	finish_close(link);
}

void redis_link_close(struct redis_link *link)
{
	if (!link || link->closing)
		return;
	link->closing = true;
	hang_up(link, "closed");
	if (link->looking_up)
		uv_cancel((uv_req_t *)&link->lookup);
	uv_close((uv_handle_t *)&link->tick, on_timer_closed);
}
