#include "consumer/pool/refill.h"

#include "common/mem.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NEEDED_BEFORE  0x02020000 /* librdkafka 2.2: fetch.queue.backoff.ms */
#define ANSWER_WAIT_MS 200 /* where the library heeds it */
#define BETWEEN_MS     10 /* a fetch takes a few */

struct refill {
	rd_kafka_t *kafka;
	pthread_t thread;
	pthread_mutex_t mu;
	pthread_cond_t changed;
	const char *topic; /* under mu: of the last who asked; NULL = nobody */
	int32_t partition; /* under mu */
	bool stop; /* under mu */
};

static void *refill_main(void *arg)
{
	static const struct timespec between = {.tv_nsec = BETWEEN_MS * 1000000L};
	struct refill *refill = arg;

	pthread_mutex_lock(&refill->mu);
	while (!refill->stop) {
		const char *topic = refill->topic;
		int32_t partition = refill->partition;
		int64_t low, high;

		if (!topic) {
			pthread_cond_wait(&refill->changed, &refill->mu);
			continue;
		}
		refill->topic = NULL;
		pthread_mutex_unlock(&refill->mu);
		(void)rd_kafka_query_watermark_offsets(
			refill->kafka, topic, partition, &low, &high, ANSWER_WAIT_MS);
		nanosleep(&between, NULL);
		pthread_mutex_lock(&refill->mu);
	}
	pthread_mutex_unlock(&refill->mu);
	return NULL;
}

struct refill *refill_new(rd_kafka_t *kafka)
{
	struct refill *refill;

	if (rd_kafka_version() >= NEEDED_BEFORE)
		return NULL;
	refill = mem_zero(1, sizeof(*refill));
	refill->kafka = kafka;
	pthread_mutex_init(&refill->mu, NULL);
	pthread_cond_init(&refill->changed, NULL);
	if (pthread_create(&refill->thread, NULL, refill_main, refill) != 0) {
		perror("refill thread");
		abort();
	}
	return refill;
}

void refill_ask(struct refill *refill, const char *topic, int32_t partition)
{
	pthread_mutex_lock(&refill->mu);
	refill->topic = topic;
	refill->partition = partition;
	pthread_cond_signal(&refill->changed);
	pthread_mutex_unlock(&refill->mu);
}

bool refill_free(struct refill *refill)
{
	struct timespec until;

	if (!refill)
		return true;
	pthread_mutex_lock(&refill->mu);
	refill->stop = true;
	pthread_cond_signal(&refill->changed);
	pthread_mutex_unlock(&refill->mu);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (ANSWER_WAIT_MS + BETWEEN_MS) * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	if (pthread_timedjoin_np(refill->thread, NULL, &until) != 0)
		return false;
	pthread_mutex_destroy(&refill->mu);
	pthread_cond_destroy(&refill->changed);
	free(refill);
	return true;
}
