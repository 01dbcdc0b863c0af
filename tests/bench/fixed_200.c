/*
 * fixed-200: the yardstick for HTTP. A libuv server on one thread that answers every request with a
 * constant and parses no more than it must: it finds the blank line and skips the Content-Length.
 *
 *	fixed-200 [HOST] PORT      (port 0: a free one; the first line on stdout is "PORT n")
 *
 * Environment: DELAY_MS answers so much later; STALL_AT_MS after the first request, STALL_MS long,
 * everything stands still, once; KEEP_ALIVE=1 says so in the answer, which ab needs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <uv.h>

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define BODY "Content-Length: 16\r\n\r\n{\"status\":\"ok\"}\n"

static const char plain[] = HEAD BODY, keeping[] = HEAD "Connection: keep-alive\r\n" BODY;
static const char *answer = plain;
static size_t answer_bytes = sizeof(plain) - 1;

#define BATCH 64

static char read_buffer[256 << 10];
static char batch_text[BATCH * (sizeof(keeping) - 1)];

struct client {
	uv_tcp_t tcp;
	char head[4096]; /* of a request that came in pieces */
	size_t head_bytes;
	size_t body_left;
	uv_timer_t timer; /* of the delay */
	int owed, handles;
};

static long delay_ms, stall_at_ms, stall_ms;

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	(void)handle;
	(void)wanted;
	*buf = uv_buf_init(read_buffer, sizeof(read_buffer));
}

static void on_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;

	if (--c->handles == 0)
		free(c);
}

static void client_close(struct client *c)
{
	if (uv_is_closing((uv_handle_t *)&c->tcp))
		return;
	uv_close((uv_handle_t *)&c->tcp, on_closed);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

static size_t body_length(const char *head, size_t bytes)
{
	static const char name[] = "\ncontent-length:";
	const size_t size = sizeof(name) - 1;

	for (const char *at = head; (at = memchr(at, '\n', bytes - (size_t)(at - head)));
		at++) {
		if ((size_t)(head + bytes - at) > size && strncasecmp(at, name, size) == 0)
			return strtoul(at + size, NULL, 10);
	}
	return 0;
}

/* How many whole requests ended in these bytes; -1: the head is too long. */
static int take(struct client *c, const char *data, size_t bytes)
{
	int whole = 0;

	while (bytes) {
		if (c->body_left) {
			size_t part = bytes < c->body_left ? bytes : c->body_left;

			c->body_left -= part;
			data += part;
			bytes -= part;
			whole += c->body_left == 0;
			continue;
		}
		const char *end = c->head_bytes ? NULL : memmem(data, bytes, "\r\n\r\n", 4);
		if (end) {
			size_t head = (size_t)(end - data) + 4;

			c->body_left = body_length(data, head);
			data += head;
			bytes -= head;
			whole += c->body_left == 0;
			continue;
		}
		if (c->head_bytes == sizeof(c->head))
			return -1;
		c->head[c->head_bytes++] = *data++;
		bytes--;
		if (c->head_bytes >= 4 &&
			memcmp(c->head + c->head_bytes - 4, "\r\n\r\n", 4) == 0) {
			c->body_left = body_length(c->head, c->head_bytes);
			c->head_bytes = 0;
			whole += c->body_left == 0;
		}
	}
	return whole;
}

/* Everything stands still, once. */
static void maybe_stall(void)
{
	static uint64_t first_ns;
	uint64_t now = uv_hrtime();
	struct timespec nap = {stall_ms / 1000, stall_ms % 1000 * 1000000};

	if (!first_ns)
		first_ns = now;
	if (stall_ms && now - first_ns >= (uint64_t)stall_at_ms * 1000000) {
		stall_ms = 0;
		nanosleep(&nap, NULL);
	}
}

static void answer_all(struct client *c, int whole)
{
	while (whole > 0) {
		int part = whole < BATCH ? whole : BATCH;
		uv_buf_t out = uv_buf_init(batch_text, (unsigned)((size_t)part * answer_bytes));

		if (uv_try_write((uv_stream_t *)&c->tcp, &out, 1) != (int)out.len) {
			client_close(c); /* a client that does not read is no yardstick */
			return;
		}
		whole -= part;
	}
}

static void on_delay(uv_timer_t *timer)
{
	struct client *c = timer->data;
	int owed = c->owed;

	c->owed = 0;
	answer_all(c, owed);
}

static void on_read(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *buf)
{
	struct client *c = stream->data;
	int whole;

	if (bytes < 0) {
		client_close(c);
		return;
	}
	whole = take(c, buf->base, (size_t)bytes);
	if (whole < 0) {
		client_close(c);
		return;
	}
	maybe_stall();
	if (delay_ms == 0) {
		answer_all(c, whole);
		return;
	}
	c->owed += whole;
	if (whole && !uv_is_active((uv_handle_t *)&c->timer))
		uv_timer_start(&c->timer, on_delay, (uint64_t)delay_ms, 0);
}

static void on_connection(uv_stream_t *server, int status)
{
	struct client *c = calloc(1, sizeof(*c));

	if (status < 0 || !c) {
		free(c);
		return;
	}
	uv_tcp_init(server->loop, &c->tcp);
	uv_timer_init(server->loop, &c->timer);
	c->tcp.data = c->timer.data = c;
	c->handles = 2;
	if (uv_accept(server, (uv_stream_t *)&c->tcp) != 0) {
		client_close(c);
		return;
	}
	uv_tcp_nodelay(&c->tcp, 1);
	uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static long setting(const char *name)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 10) : 0;
}

int main(int argc, char **argv)
{
	const char *host = argc > 2 ? argv[1] : "127.0.0.1";
	uv_loop_t *loop = uv_default_loop();
	struct sockaddr_storage name;
	struct sockaddr_in address;
	int size = sizeof(name), failed;
	uv_tcp_t server;

	if (argc < 2 || uv_ip4_addr(host, atoi(argv[argc - 1]), &address) != 0) {
		fprintf(stderr, "usage: fixed-200 [HOST] PORT\n");
		return 64;
	}
	delay_ms = setting("DELAY_MS");
	stall_at_ms = setting("STALL_AT_MS");
	stall_ms = setting("STALL_MS");
	if (setting("KEEP_ALIVE")) {
		answer = keeping;
		answer_bytes = sizeof(keeping) - 1;
	}
	for (int i = 0; i < BATCH; i++)
		memcpy(batch_text + (size_t)i * answer_bytes, answer, answer_bytes);
	uv_tcp_init(loop, &server);
	failed = uv_tcp_bind(&server, (const struct sockaddr *)&address, 0);
	if (!failed)
		failed = uv_listen((uv_stream_t *)&server, 1024, on_connection);
	if (failed) {
		fprintf(stderr, "fixed-200: %s\n", uv_strerror(failed));
		return 69;
	}
	uv_tcp_getsockname(&server, (struct sockaddr *)&name, &size);
	printf("PORT %d\n", ntohs(((struct sockaddr_in *)&name)->sin_port));
	fflush(stdout);
	return uv_run(loop, UV_RUN_DEFAULT);
}
