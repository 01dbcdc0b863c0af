/*
 * naive: what a pool that takes the words literally does. Six threads, each with its own consumer on
 * one partition and its own connections; for every record one autocommitted upsert, one SET, and one
 * synchronous commit of the offset.
 *
 *	KAFKA_BROKERS=... naive TOPIC GROUP --seconds=5
 *
 * A handle per thread is the kindest form: on one shared handle the commits queue up. Each thread
 * starts at the beginning of its partition. Prints "RECORDS n SECONDS s".
 */
#include "common/clock.h"
#include "common/json_reader.h"
#include "tests/bench/bench_rows.h"
#include "tests/bench/bench_stores.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const char *topic_name, *group_name;
static int64_t seconds;
static atomic_long applied;

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char text[256];

	if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
		bench_fail("kafka: %s", text);
}

static rd_kafka_t *open_kafka(int32_t partition)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char text[256];
	rd_kafka_t *kafka;

	set(conf, "bootstrap.servers", bench_env("KAFKA_BROKERS"));
	set(conf, "group.id", group_name);
	set(conf, "enable.auto.commit", "false");
	kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
	if (!kafka)
		bench_fail("kafka: %s", text);
	rd_kafka_poll_set_consumer(kafka);
	rd_kafka_topic_partition_list_add(list, topic_name, partition)->offset =
		RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_assign(kafka, list);
	rd_kafka_topic_partition_list_destroy(list);
	return kafka;
}

/* The values of {"id","name","age","occupation"} in the order they come in. */
static void write_mysql(MYSQL_STMT *stmt, const rd_kafka_message_t *record)
{
	struct json_value key, values[4];
	struct json_reader r;
	MYSQL_BIND binds[4];
	int64_t age = 0;
	int count = 0;

	if (json_object_begin(&r, record->payload, record->len) == 0) {
		while (count < 4 && json_object_next(&r, &key, &values[count]) > 0)
			count++;
	}
	if (count < 4 || !json_number_int64(&values[2], &age))
		bench_fail("a record of another run");
	memset(binds, 0, sizeof(binds));
	for (int i = 0; i < 4; i++) {
		binds[i].buffer_type = i == 2 ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_STRING;
		binds[i].buffer = i == 2 ? (void *)&age : (void *)(uintptr_t)values[i].text;
		binds[i].buffer_length = i == 2 ? sizeof(age) : values[i].length;
		binds[i].length = &binds[i].buffer_length;
	}
	bench_stmt_ok(stmt, mysql_stmt_bind_param(stmt, binds), "bind");
	bench_stmt_ok(stmt, mysql_stmt_execute(stmt), "upsert");
}

static void write_redis(redisContext *redis, const rd_kafka_message_t *record)
{
	redisReply *reply = redisCommand(redis, "SET user:%b %b", record->key, record->key_len,
		record->payload, record->len);

	if (!reply || reply->type == REDIS_REPLY_ERROR)
		bench_fail("redis: %s", reply ? reply->str : redis->errstr);
	freeReplyObject(reply);
}

static void *run(void *arg)
{
	rd_kafka_t *kafka = open_kafka(*(int32_t *)arg);
	MYSQL *mysql = (mysql_thread_init(), bench_mysql_open());
	MYSQL_STMT *stmt = bench_upsert(mysql, 1);
	redisContext *redis = bench_redis_open();
	int64_t end = 0;

	while (!end || clock_mono_ms() < end) {
		rd_kafka_message_t *record = rd_kafka_consumer_poll(kafka, 100);

		if (!record)
			continue;
		if (!end) /* the clock starts with the first record */
			end = clock_mono_ms() + seconds * 1000;
		if (!record->err) {
			write_mysql(stmt, record);
			write_redis(redis, record);
			if (rd_kafka_commit_message(kafka, record, 0))
				bench_fail("kafka: the commit failed");
			atomic_fetch_add(&applied, 1);
		}
		rd_kafka_message_destroy(record);
	}
	rd_kafka_consumer_close(kafka);
	rd_kafka_destroy(kafka);
	mysql_thread_end();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[BENCH_PARTITIONS];
	int32_t partitions[BENCH_PARTITIONS];

	if (argc < 3)
		bench_fail("usage: naive TOPIC GROUP [--seconds=N]");
	topic_name = argv[1];
	group_name = argv[2];
	seconds = bench_option(argc, argv, "seconds", 5);
	for (int32_t i = 0; i < BENCH_PARTITIONS; i++) {
		partitions[i] = i;
		pthread_create(&threads[i], NULL, run, &partitions[i]);
	}
	for (int i = 0; i < BENCH_PARTITIONS; i++)
		pthread_join(threads[i], NULL);
	printf("RECORDS %ld SECONDS %lld\n", atomic_load(&applied), (long long)seconds);
	return 0;
}
