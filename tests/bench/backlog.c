/*
 * backlog: makes the records of a run and puts them into Kafka, each where its key belongs.
 *
 *	KAFKA_BROKERS=... backlog TOPIC --records=N [--keys=N] [--first=N] [--rate=N]
 *		[--hot=PERCENT] [--value-bytes=N]
 *
 * Prints "RECORDS n BYTES b" (keys and values). With --rate so many a second, else as fast as it goes.
 */
#include "common/clock.h"
#include "common/mem.h"
#include "tests/bench/bench_rows.h"
#include "tests/bench/bench_stores.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t undelivered;

static void on_delivery(rd_kafka_t *kafka, const rd_kafka_message_t *record, void *opaque)
{
	(void)kafka;
	(void)opaque;
	undelivered += record->err != 0;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char text[256];

	if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
		bench_fail("kafka: %s", text);
}

static rd_kafka_t *open_kafka(void)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[256];
	rd_kafka_t *kafka;

	set(conf, "bootstrap.servers", bench_env("KAFKA_BROKERS"));
	set(conf, "enable.idempotence", "true");
	set(conf, "linger.ms", "5");
	set(conf, "queue.buffering.max.messages", "200000");
	set(conf, "queue.buffering.max.kbytes", "131072");
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
	if (!kafka)
		bench_fail("kafka: %s", text);
	return kafka;
}

static void produce(rd_kafka_t *kafka, rd_kafka_topic_t *topic, const struct bench_row *row,
	char *json, size_t bytes)
{
	while (rd_kafka_produce(topic, bench_row_partition(row), RD_KAFKA_MSG_F_COPY, json,
		bytes, row->id, row->id_length, NULL)) {
		if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			bench_fail("kafka: %s", rd_kafka_err2str(rd_kafka_last_error()));
		rd_kafka_poll(kafka, 10);
	}
}

static void wait_until(rd_kafka_t *kafka, int64_t due_ns)
{
	int64_t left;

	while ((left = due_ns - clock_mono_ns()) > 0) {
		struct timespec nap = {.tv_nsec = left < 1000000 ? left : 1000000};

		rd_kafka_poll(kafka, 0);
		nanosleep(&nap, NULL);
	}
}

int main(int argc, char **argv)
{
	uint64_t records = (uint64_t)bench_option(argc, argv, "records", 300000);
	struct bench_shape shape = bench_shape_of(argc, argv);
	char *json = mem_alloc(shape.value_bytes + 256);
	uint64_t first = (uint64_t)bench_option(argc, argv, "first", 0), bytes = 0;
	long rate = bench_option(argc, argv, "rate", 0);
	int64_t start = clock_mono_ns();
	rd_kafka_topic_t *topic;
	rd_kafka_t *kafka;

	if (argc < 2)
		bench_fail("usage: backlog TOPIC --records=N ...");
	kafka = open_kafka();
	topic = rd_kafka_topic_new(kafka, argv[1], NULL);
	for (uint64_t i = 0; i < records; i++) {
		struct bench_row row;
		size_t length;

		if (rate)
			wait_until(kafka, start + (int64_t)i * 1000000000 / rate);
		bench_row_make(&row, first + i, &shape);
		length = bench_row_json(&row, json, shape.value_bytes + 256);
		bytes += length + row.id_length;
		produce(kafka, topic, &row, json, length);
		if (i % 1024 == 0)
			rd_kafka_poll(kafka, 0);
	}
	if (rd_kafka_flush(kafka, 60000) || undelivered)
		bench_fail("kafka: not all records were delivered");
	printf("RECORDS %llu BYTES %llu\n", (unsigned long long)records,
		(unsigned long long)bytes);
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(kafka);
	free(json);
	return 0;
}
