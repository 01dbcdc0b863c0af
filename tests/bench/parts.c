/*
 * parts: what one record costs in time where nothing else goes on, step by step: produce until the
 * broker has acknowledged it, fetch what is there, one row with its own durable commit, one SET. The
 * floor under the latency of the whole (row 5).
 *
 *	KAFKA_BROKERS=... parts TOPIC [--count=1000] [--rate=1000]
 *
 * One after the other in one thread, `rate` a second. Prints "PRODUCE p FETCH p COMMIT p SET p": the
 * medians in ms. FETCH counts from the acknowledgement.
 */
#include "common/clock.h"
#include "common/mem.h"
#include "tests/bench/bench_stores.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool acknowledged;

static void on_delivery(rd_kafka_t *kafka, const rd_kafka_message_t *record, void *opaque)
{
	(void)kafka;
	(void)opaque;
	if (record->err)
		bench_fail("kafka: %s", rd_kafka_err2str(record->err));
	acknowledged = true;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char text[256];

	if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
		bench_fail("kafka: %s", text);
}

static rd_kafka_t *open_kafka(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
	char text[256];
	rd_kafka_t *kafka;

	set(conf, "bootstrap.servers", bench_env("KAFKA_BROKERS"));
	kafka = rd_kafka_new(type, conf, text, sizeof(text));
	if (!kafka)
		bench_fail("kafka: %s", text);
	return kafka;
}

static rd_kafka_t *open_producer(void)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	set(conf, "enable.idempotence", "true");
	set(conf, "linger.ms", "0");
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	return open_kafka(RD_KAFKA_PRODUCER, conf);
}

static rd_kafka_t *open_consumer(const char *topic)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *kafka;

	set(conf, "group.id", "parts");
	kafka = open_kafka(RD_KAFKA_CONSUMER, conf);
	rd_kafka_poll_set_consumer(kafka);
	rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_assign(kafka, list);
	rd_kafka_topic_partition_list_destroy(list);
	return kafka;
}

static double since_ms(int64_t start_ns)
{
	return (double)(clock_mono_ns() - start_ns) / 1e6;
}

/* Produces and reads back `count` records; the first ones, which connect, do not count. */
static void measure_kafka(const char *name, long count, long rate)
{
	double *produce = mem_alloc((size_t)count * sizeof(double));
	double *fetch = mem_alloc((size_t)count * sizeof(double));
	rd_kafka_t *producer = open_producer(), *consumer = open_consumer(name);
	rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, name, NULL);
	char value[80] =
		"{\"id\":\"1\",\"name\":\"A lone record\",\"age\":1,\"occupation\":\"nurse\"}";
	int64_t start = clock_mono_ns();

	for (long i = -10; i < count; i++) {
		int64_t sent, acked;
		rd_kafka_message_t *got;

		bench_pace(start, i + 10, rate);
		sent = clock_mono_ns();
		acknowledged = false;
		rd_kafka_produce(
			topic, 0, RD_KAFKA_MSG_F_COPY, value, strlen(value), "1", 1, NULL);
		while (!acknowledged)
			rd_kafka_poll(producer, 100);
		acked = clock_mono_ns();
		if (i >= 0)
			produce[i] = (double)(acked - sent) / 1e6;
		while (!(got = rd_kafka_consumer_poll(consumer, 100)) || got->err) {
			if (got)
				rd_kafka_message_destroy(got);
		}
		if (i >= 0)
			fetch[i] = since_ms(acked);
		rd_kafka_message_destroy(got);
	}
	printf("PRODUCE %.4f FETCH %.4f ", bench_quantile(produce, (size_t)count, 0.5),
		bench_quantile(fetch, (size_t)count, 0.5));
	rd_kafka_consumer_close(consumer);
	rd_kafka_destroy(consumer);
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(producer);
	free(produce);
	free(fetch);
}

static void commit_one(MYSQL *mysql, redisContext *redis, long i)
{
	char sql[256];

	(void)redis;
	snprintf(sql, sizeof(sql),
		"INSERT INTO users VALUES ('part-%ld','A lone record',%ld,'nurse')", i,
		i & 127);
	bench_mysql_ok(mysql, mysql_query(mysql, sql), "insert");
}

static void set_one(MYSQL *mysql, redisContext *redis, long i)
{
	redisReply *reply = redisCommand(redis, "SET user:part-%ld %s", i,
		"{\"id\":\"1\",\"name\":\"A lone record\",\"age\":1,\"occupation\":\"nurse\"}");

	(void)mysql;
	if (!reply || reply->type == REDIS_REPLY_ERROR)
		bench_fail("redis: %s", reply ? reply->str : redis->errstr);
	freeReplyObject(reply);
}

static double measure_store(void (*step)(MYSQL *, redisContext *, long), long count, long rate)
{
	double *took = mem_alloc((size_t)count * sizeof(double)), median;
	redisContext *redis = bench_redis_open();
	MYSQL *mysql = bench_mysql_open();
	int64_t start = clock_mono_ns();

	for (long i = 0; i < count; i++) {
		int64_t sent;

		bench_pace(start, i, rate);
		sent = clock_mono_ns();
		step(mysql, redis, i);
		took[i] = since_ms(sent);
	}
	median = bench_quantile(took, (size_t)count, 0.5);
	mysql_close(mysql);
	redisFree(redis);
	free(took);
	return median;
}

int main(int argc, char **argv)
{
	long count = bench_option(argc, argv, "count", 1000);
	long rate = bench_option(argc, argv, "rate", 1000);

	if (argc < 2)
		bench_fail("usage: parts TOPIC [--count=1000] [--rate=1000]");
	measure_kafka(argv[1], count, rate);
	printf("COMMIT %.4f ", measure_store(commit_one, count, rate));
	printf("SET %.4f\n", measure_store(set_one, count, rate));
	return 0;
}
