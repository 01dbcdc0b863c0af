#include "tests/lib/producer_kit.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct producer_kit p;

void start_cluster(void)
{
	p.rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
	p.cluster = rd_kafka_mock_cluster_new(p.rk, 1);
	assert_non_null(p.cluster);
	rd_kafka_mock_topic_create(p.cluster, "users", 6, 1);
}

static const char *program(void)
{
	static char path[512];
	const char *bin = getenv("WT_BIN");
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 64);

	assert_true(length > 0);
	path[length] = 0;
	if (bin)
		snprintf(path, sizeof(path), "%s", bin);
	else
		strcat(dirname(path), "/../../bin");
	strcat(path, "/wt-producer");
	return path;
}

void spawn(const char *const *more)
{
	const char *argv[16] = {
		program(), "--http.listen=127.0.0.1:0", "--kafka.reconnect.backoff.max.ms=200"};
	char brokers[256];
	int fds[2], count = 3;

	snprintf(brokers, sizeof(brokers), "--kafka.brokers=%s",
		rd_kafka_mock_cluster_bootstraps(p.cluster));
	argv[count++] = brokers;
	while (more && *more)
		argv[count++] = *more++;
	assert_int_equal(pipe(fds), 0);
	p.pid = fork();
	if (p.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nothing behind */
		dup2(fds[1], 2);
		close(fds[0]);
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(fds[1]);
	p.err_fd = fds[0];
}

const char *log_says(const char *words)
{
	static char text[65536];
	size_t used = 0;

	text[0] = 0;
	while (!strstr(text, words) || !strchr(strstr(text, words), '\n')) {
		struct pollfd poller = {.fd = p.err_fd, .events = POLLIN};
		ssize_t got = poll(&poller, 1, 10000) > 0
				      ? read(p.err_fd, text + used, sizeof(text) - 1 - used)
				      : -1;

		if (got <= 0)
			fail_msg("the log does not say '%s': %s", words, text);
		used += (size_t)got;
		text[used] = 0;
	}
	return strstr(text, words) + strlen(words);
}

void start(const char *const *more)
{
	start_cluster();
	spawn(more);
	p.port = atoi(log_says("event=producer_ready port="));
	fcntl(p.err_fd, F_SETFL, O_NONBLOCK);
}

int ended(void)
{
	int status;

	assert_int_equal(waitpid(p.pid, &status, 0), p.pid);
	close(p.err_fd);
	rd_kafka_mock_cluster_destroy(p.cluster);
	rd_kafka_destroy(p.rk);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int stop(void)
{
	kill(p.pid, SIGTERM);
	return ended();
}

int dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)p.port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

void post_lines(int fd, const char *body)
{
	char text[2048];
	int length = snprintf(text, sizeof(text),
		"POST /write-through HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson"
		"\r\nContent-Length: %zu\r\n\r\n%s",
		strlen(body), body);
	assert_int_equal(send(fd, text, (size_t)length, MSG_NOSIGNAL), length);
}

void post(int fd, const char *id)
{
	char body[256], text[512];

	snprintf(body, sizeof(body),
		"{\"id\":\"%s\",\"name\":\"A\",\"age\":1,\"occupation\":\"B\"}", id);
	int length = snprintf(text, sizeof(text),
		"POST /write-through HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		strlen(body), body);
	assert_int_equal(send(fd, text, (size_t)length, MSG_NOSIGNAL), length);
}

int answer(int fd, char **text)
{
	static char buf[8192];
	size_t used = 0;

	for (;;) {
		struct pollfd poller = {.fd = fd, .events = POLLIN};
		ssize_t got;

		if (poll(&poller, 1, 15000) <= 0)
			fail_msg("no answer");
		got = recv(fd, buf + used, sizeof(buf) - 1 - used, 0);
		if (got <= 0)
			return 0;
		used += (size_t)got;
		buf[used] = 0;
		if (strstr(buf, "\r\n\r\n") && buf[used - 1] == '\n' &&
			strcmp(strstr(buf, "\r\n\r\n"), "\r\n\r\n") != 0)
			break;
	}
	*text = buf;
	return atoi(buf + 9);
}

int post_once(const char *id, char **text)
{
	int fd = dial();

	post(fd, id);
	int status = answer(fd, text);
	close(fd);
	return status;
}

void has(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("'%s' is not in: %s", words, text);
}
