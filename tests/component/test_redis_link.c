/* producer/http/redis_link finds the address that answers. needs: nothing but loopback */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "producer/http/redis_link.h"

typedef int (*resolver)(
	const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* In place of libc's: the name has two addresses, and nobody listens at the first. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
	struct addrinfo **found)
{
	resolver real = (resolver)(uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo");
	int err;

	if (strcmp(name, "two.test") != 0)
		return real(name, service, hints, found);
	err = real("127.0.0.9", service, hints, found);
	return err ? err : real("127.0.0.1", service, hints, &(*found)->ai_next);
}

static int listen_somewhere(struct sockaddr_in *at)
{
	socklen_t length = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	*at = (struct sockaddr_in){.sin_family = AF_INET};
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof(*at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &length), 0);
	return fd;
}

static void on_patience_over(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

static void the_next_address_of_a_name_is_tried_after_each_failure(void **state)
{
	struct sockaddr_in at;
	int listener = listen_somewhere(&at), fd = -1;
	struct redis_link_config config = {.host = "two.test",
		.port = ntohs(at.sin_port),
		.connect_timeout_ms = 1000,
		.io_timeout_ms = 1000};
	bool over = false;
	uv_timer_t patience;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	uv_timer_init(&loop, &patience);
	patience.data = &over;
	uv_timer_start(&patience, on_patience_over, 4000, 0);
	struct redis_link *link = redis_link_open(&loop, &config);
	while (!over && (fd = accept(listener, NULL, NULL)) < 0) {
		uv_run(&loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	if (fd >= 0) /* to SELECT */
		assert_int_equal(send(fd, "+OK\r\n", 5, MSG_NOSIGNAL), 5);
	while (!over && !redis_link_up(link))
		uv_run(&loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&patience, NULL);
	redis_link_close(link);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	assert_false(over);
	close(fd);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_address_of_a_name_is_tried_after_each_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
