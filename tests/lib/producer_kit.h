/*
 * producer_kit: a wt-producer of a test's own on librdkafka's mock cluster (topic users, 6
 * partitions, one broker), and a client that speaks plain HTTP. One test program's.
 *
 *	start, or start_cluster and spawn -> dial, post ... answer -> stop, or ended
 */
#ifndef TESTS_PRODUCER_KIT_H
#define TESTS_PRODUCER_KIT_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <sys/types.h>

extern struct producer_kit {
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *cluster;
	pid_t pid;
	int err_fd, port;
} p;

void start_cluster(void);
/* Starts the program; with these further options (ended by NULL). */
void spawn(const char *const *more);
/* Reads its log until `words`; returns what stands behind them. */
const char *log_says(const char *words);
/* All of it, until it is ready. */
void start(const char *const *more);
/* SIGTERM, or waits for its end; its exit code. */
int stop(void);
int ended(void);

int dial(void);
void post(int fd, const char *id);
void post_lines(int fd, const char *body);
/* One answer whose body ends in a newline; its status, the whole in *text. */
int answer(int fd, char **text);
int post_once(const char *id, char **text);
void has(const char *text, const char *words);

#define LINE(id) "{\"id\":\"" id "\",\"name\":\"A\",\"age\":1,\"occupation\":\"B\"}\n"

#endif
