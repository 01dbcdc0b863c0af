/*
 * A log and stores that are made up, for step.c: the program's own symbols come before a library's.
 * MySQL refuses one row, or has no table for a while; everything else goes well. Included by one test.
 */
#ifndef TESTS_UNIT_MADE_UP_STORES_H
#define TESTS_UNIT_MADE_UP_STORES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/failure/deadletter.h"
#include "consumer/pipeline/rebuild.h"
#include "consumer/pipeline/step.h"

#define FROM	1000
#define END	5000
#define RUBBISH 1250 /* can never be a row */
#define REFUSED 1300 /* MySQL will not have it */
#define STRANGE 1100 /* its Kafka key is not its row's */

static struct {
	int64_t at; /* of the queue */
	int64_t gap_to; /* there is no record from FROM to here */
	int64_t committed; /* of the group */
	int silent; /* so many times it does not say what is committed */
} kafka;

static struct {
	int64_t next, pending;
	uint32_t digest;
	bool has_digest, is_new;
	int64_t generation;
	int fatal; /* so many times it has no table */
	int claims;
} mysql;

static struct {
	int64_t next;
} redis;

static int letters[END];

static rd_kafka_message_t *record_at(int64_t offset)
{
	rd_kafka_message_t *message = calloc(1, sizeof(*message));
	char key[32], value[200];

	assert_non_null(message);
	sprintf(key, "k%" PRId64, offset == REFUSED ? offset : offset % 5);
	sprintf(value, "{\"id\":\"%s\",\"name\":\"n\",\"age\":%d,\"occupation\":\"o\"}", key,
		offset == REFUSED ? -1 : 3);
	message->offset = offset;
	message->key = strdup(offset == STRANGE ? "other" : key);
	message->key_len = strlen(message->key);
	message->payload = strdup(offset == RUBBISH ? "rubbish" : value);
	message->len = strlen(message->payload);
	return message;
}

/* ---- librdkafka ------------------------------------------------------------------------------ */

rd_kafka_message_t *rd_kafka_consume_queue(rd_kafka_queue_t *queue, int timeout_ms)
{
	(void)queue;
	(void)timeout_ms;
	if (kafka.at >= FROM && kafka.at < kafka.gap_to)
		kafka.at = kafka.gap_to;
	return kafka.at < END ? record_at(kafka.at++) : NULL;
}

void rd_kafka_message_destroy(rd_kafka_message_t *message)
{
	free(message->key);
	free(message->payload);
	free(message);
}

int64_t rd_kafka_message_timestamp(
	const rd_kafka_message_t *message, rd_kafka_timestamp_type_t *type)
{
	(void)type;
	return message->offset;
}

rd_kafka_error_t *rd_kafka_seek_partitions(
	rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
	(void)handle;
	(void)timeout_ms;
	kafka.at = list->elems[0].offset;
	return NULL;
}

rd_kafka_resp_err_t rd_kafka_query_watermark_offsets(rd_kafka_t *handle, const char *topic,
	int32_t partition, int64_t *low, int64_t *high, int timeout_ms)
{
	(void)handle;
	(void)topic;
	(void)partition;
	(void)timeout_ms;
	*low = 0;
	*high = END;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t rd_kafka_committed(
	rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
	(void)handle;
	(void)timeout_ms;
	if (kafka.silent > 0) {
		kafka.silent--;
		return RD_KAFKA_RESP_ERR__TIMED_OUT;
	}
	list->elems[0].offset = kafka.committed;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* ---- MySQL ----------------------------------------------------------------------------------- */

struct mysql_store *mysql_store_new(const struct mysql_config *config)
{
	return (struct mysql_store *)(uintptr_t)config; /* never looked into */
}

void mysql_store_free(struct mysql_store *store)
{
	(void)store;
}

enum verdict mysql_store_position(struct mysql_store *store, const struct route *route,
	int32_t partition, struct ledger *ledger, struct store_error *error)
{
	(void)store;
	(void)route;
	(void)partition;
	(void)error;
	mysql.claims++;
	*ledger = (struct ledger){.exists = !mysql.is_new,
		.next = mysql.next,
		.last_timestamp = -1,
		.has_digest = mysql.has_digest,
		.last_digest = mysql.digest,
		.generation = mysql.generation};
	return VERDICT_DONE;
}

static enum verdict refuse(struct store_error *error, enum verdict verdict, const char *class)
{
	error->store = "mysql";
	error->class = class;
	error->row = -1;
	errmsg_set(&error->msg, ERR_REFUSED, "%s", class);
	return verdict;
}

static bool all_fit(struct row *const *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i]->offset == REFUSED)
			return false;
	}
	return true;
}

enum verdict mysql_store_start(
	struct mysql_store *store, const struct batch *batch, struct store_error *error)
{
	(void)store;
	(void)batch;
	(void)error;
	return VERDICT_DONE;
}

enum verdict mysql_store_finish(
	struct mysql_store *store, const struct batch *batch, struct store_error *error)
{
	(void)store;
	if (mysql.fatal > 0) {
		mysql.fatal--;
		return refuse(error, VERDICT_FATAL, "schema");
	}
	if (!all_fit(batch->selected, batch->selected_count))
		return refuse(error, VERDICT_POISON, "out_of_range");
	assert_int_equal(batch->from, mysql.next);
	mysql.pending = batch->to;
	mysql.digest = batch->last_digest;
	mysql.has_digest = batch->has_last;
	return VERDICT_DONE;
}

enum verdict mysql_store_execute(
	struct mysql_store *store, const struct batch *batch, struct store_error *error)
{
	return mysql_store_finish(store, batch, error);
}

enum verdict mysql_store_commit(struct mysql_store *store, struct store_error *error)
{
	(void)store;
	(void)error;
	mysql.next = mysql.pending;
	return VERDICT_DONE;
}

enum verdict mysql_store_probe(struct mysql_store *store, const struct route *route,
	struct row *const *rows, size_t count, struct store_error *error)
{
	(void)store;
	(void)route;
	return all_fit(rows, count) ? VERDICT_DONE
				    : refuse(error, VERDICT_POISON, "out_of_range");
}

enum verdict mysql_store_rollback(struct mysql_store *store, struct store_error *error)
{
	(void)store;
	(void)error;
	return VERDICT_DONE;
}

enum verdict mysql_store_connect(struct mysql_store *store, struct store_error *error)
{
	return mysql_store_rollback(store, error);
}

enum verdict mysql_store_ping(struct mysql_store *store, struct store_error *error)
{
	return mysql_store_rollback(store, error);
}

int mysql_store_at_once(const struct mysql_store *store)
{
	(void)store;
	return 0;
}

enum verdict mysql_store_snapshot_begin(struct mysql_store *store, struct store_error *error)
{
	return mysql_store_rollback(store, error);
}

enum verdict mysql_store_snapshot_end(struct mysql_store *store, struct store_error *error)
{
	return mysql_store_rollback(store, error);
}

/* The table is empty. */
enum verdict mysql_store_snapshot_scan(struct mysql_store *store, const struct route *route,
	const struct row *after, size_t limit, struct row_list *out, struct store_error *error)
{
	(void)route;
	(void)after;
	(void)limit;
	(void)out;
	return mysql_store_rollback(store, error);
}

/* ---- Redis ----------------------------------------------------------------------------------- */

struct redis_store *redis_store_new(const struct redis_config *config)
{
	return (struct redis_store *)(uintptr_t)config;
}

void redis_store_free(struct redis_store *store)
{
	(void)store;
}

enum verdict redis_store_fence(struct redis_store *store, const struct route *route,
	int32_t partition, struct fence *fence, struct store_error *error)
{
	(void)store;
	(void)route;
	(void)partition;
	(void)error;
	*fence = (struct fence){.exists = !mysql.is_new,
		.next = redis.next,
		.seen = redis.next,
		.generation = mysql.generation};
	return VERDICT_DONE;
}

void redis_store_prepare(struct redis_store *store, const struct batch *batch)
{
	(void)store;
	(void)batch;
}

enum verdict redis_store_send(
	struct redis_store *store, const struct batch *batch, struct store_error *error)
{
	(void)store;
	(void)error;
	assert_int_equal(batch->from, redis.next);
	return VERDICT_DONE;
}

enum verdict redis_store_answer(
	struct redis_store *store, const struct batch *batch, struct store_error *error)
{
	(void)store;
	(void)error;
	redis.next = batch->to;
	return VERDICT_DONE;
}

enum verdict redis_store_connect(struct redis_store *store, struct store_error *error)
{
	(void)store;
	(void)error;
	return VERDICT_DONE;
}

/* ---- what no case comes to -------------------------------------------------------------------- */

/* claim.c asks it of every fence; the real one would bring the rebuild along. */
uint64_t rebuild_mark(const char *id)
{
	return strlen(id);
}

static enum verdict unexpected(const void *store, const void *route)
{
	(void)store;
	(void)route;
	fail_msg("nothing here is to be created, read back or passed over");
	return VERDICT_FATAL;
}

enum verdict mysql_store_create_position(struct mysql_store *store, const struct route *route,
	int32_t partition, int64_t next, struct store_error *error)
{
	(void)store;
	(void)route;
	(void)partition;
	(void)error;
	assert_true(mysql.is_new);
	mysql.is_new = false;
	mysql.next = redis.next = next;
	return VERDICT_DONE;
}

enum verdict mysql_store_snapshot_positions(struct mysql_store *store,
	const struct route *route, int64_t *next, int64_t *generation, int32_t count,
	struct store_error *error)
{
	(void)next;
	(void)generation;
	(void)count;
	(void)error;
	return unexpected(store, route);
}

enum verdict mysql_store_snapshot_rows(struct mysql_store *store, const struct route *route,
	struct row *const *wanted, size_t count, struct row_list *out,
	struct store_error *error)
{
	(void)wanted;
	(void)count;
	(void)out;
	(void)error;
	return unexpected(store, route);
}

enum verdict redis_store_create_fence(struct redis_store *store, const struct route *route,
	int32_t partition, const struct fence *read, const struct fence *wanted,
	struct store_error *error)
{
	(void)store;
	(void)route;
	(void)partition;
	(void)error;
	assert_false(read->exists);
	redis.next = wanted->next;
	return VERDICT_DONE;
}

enum verdict redis_store_jump(struct redis_store *store, const struct route *route,
	int32_t partition, const struct fence *read, int64_t to, const char *rebuild,
	struct store_error *error)
{
	(void)partition;
	(void)read;
	(void)to;
	(void)rebuild;
	(void)error;
	return unexpected(store, route);
}

enum verdict redis_store_refresh(
	struct redis_store *store, const struct refresh *refresh, struct store_error *error)
{
	(void)error;
	return unexpected(store, refresh);
}

/* ---- letters --------------------------------------------------------------------------------- */

int deadletters_deliver(struct deadletters *deadletters, const char *topic,
	const struct letter *items, size_t count, struct errmsg *msg)
{
	(void)deadletters;
	(void)topic;
	(void)msg;
	for (size_t i = 0; i < count; i++)
		letters[items[i].record->offset]++;
	return 0;
}

#endif
