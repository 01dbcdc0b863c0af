/*
 * produce_memory: the yardstick of bulk producing. Lines of a file, read into memory before the
 * clock starts, go to Kafka as fast as librdkafka takes them: the batch call, one explicit
 * partition at a time in turn, acks=all, idempotent, no copy. Prints records, seconds from the
 * first call to the last acknowledgement, and CPU seconds: "RECORDS n SECONDS s CPU s".
 *
 *	produce_memory BROKERS TOPIC FILE [KEY=VALUE...]
 */
#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 1000

static long acknowledged;

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	(void)rk;
	(void)opaque;
	if (m->err) {
		fprintf(stderr, "not delivered: %s\n", rd_kafka_err2str(m->err));
		exit(1);
	}
	acknowledged++;
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *read_whole(const char *path, size_t *bytes)
{
	FILE *f = fopen(path, "rb");
	char *text;

	if (!f || fseek(f, 0, SEEK_END) != 0) {
		perror(path);
		exit(1);
	}
	*bytes = (size_t)ftell(f);
	rewind(f);
	text = malloc(*bytes + 1);
	if (!text || fread(text, 1, *bytes, f) != *bytes)
		exit(1);
	fclose(f);
	return text;
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
	char why[256];

	if (rd_kafka_conf_set(conf, key, value, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
		fprintf(stderr, "%s\n", why);
		exit(64);
	}
}

static void produce(rd_kafka_t *rk, rd_kafka_topic_t *topic, int partition,
	rd_kafka_message_t *messages, int count)
{
	while (count > 0) {
		int sent = rd_kafka_produce_batch(topic, partition, 0, messages, count);

		messages += sent; /* a full queue refuses the tail */
		count -= sent;
		rd_kafka_poll(rk, count > 0 ? 50 : 0);
	}
}

int main(int argc, char **argv)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	const struct rd_kafka_metadata *meta;
	rd_kafka_message_t messages[BATCH];
	rd_kafka_topic_t *topic;
	size_t bytes;
	char *text, *end;
	long records = 0;
	int count = 0, turn = 0, partitions;
	double start, cpu;
	rd_kafka_t *rk;

	if (argc < 4)
		return 64;
	text = read_whole(argv[3], &bytes);
	end = text + bytes;
	set(conf, "bootstrap.servers", argv[1]);
	set(conf, "enable.idempotence", "true");
	set(conf, "queue.buffering.max.messages", "500000");
	for (int i = 4; i < argc; i++) {
		char *equals = strchr(argv[i], '=');

		*equals = 0;
		set(conf, argv[i], equals + 1);
	}
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
	topic = rd_kafka_topic_new(rk, argv[2], NULL);
	if (rd_kafka_metadata(rk, 0, topic, &meta, 10000) || meta->topics[0].partition_cnt == 0)
		return 69;
	partitions = meta->topics[0].partition_cnt;
	rd_kafka_metadata_destroy(meta);
	start = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (char *at = text; at < end; records++) {
		char *stop = memchr(at, '\n', (size_t)(end - at));

		stop = stop ? stop : end;
		messages[count++] =
			(rd_kafka_message_t){.payload = at, .len = (size_t)(stop - at)};
		at = stop + 1;
		if (count == BATCH || at >= end) {
			produce(rk, topic, turn++ % partitions, messages, count);
			count = 0;
		}
	}
	while (acknowledged < records) {
		rd_kafka_flush(rk, 0);
		rd_kafka_poll(rk, 10);
	}
	start = seconds(CLOCK_MONOTONIC) - start;
	printf("RECORDS %ld SECONDS %.6f CPU %.6f\n", records, start,
		seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	return 0;
}
