/*
 * consumer/pool: commit, with a Kafka that is made up: what is handed over, and again when it failed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consumer/pool/pool_impl.h"

#define TWO 2

static struct {
	int calls;
	int64_t offsets[TWO]; /* of the last call, by partition; 0: not in it */
	rd_kafka_resp_err_t err;
	rd_kafka_topic_partition_list_t *answer; /* to one that is waited for */
} kafka;

rd_kafka_resp_err_t rd_kafka_commit(
	rd_kafka_t *handle, const rd_kafka_topic_partition_list_t *list, int async)
{
	(void)handle;
	assert_true(async);
	kafka.calls++;
	kafka.offsets[0] = kafka.offsets[1] = 0;
	for (int i = 0; i < list->cnt; i++)
		kafka.offsets[list->elems[i].partition] = list->elems[i].offset;
	return kafka.err;
}

/* A drain's: it waits for the answer. */
rd_kafka_queue_t *rd_kafka_queue_new(rd_kafka_t *handle)
{
	return (rd_kafka_queue_t *)(uintptr_t)handle;
}

void rd_kafka_queue_destroy(rd_kafka_queue_t *queue)
{
	(void)queue;
}

rd_kafka_resp_err_t rd_kafka_commit_queue(rd_kafka_t *handle,
	const rd_kafka_topic_partition_list_t *list, rd_kafka_queue_t *queue,
	void (*callback)(
		rd_kafka_t *, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t *, void *),
	void *opaque)
{
	(void)queue;
	(void)callback;
	(void)opaque;
	return rd_kafka_commit(handle, list, 1);
}

/* No event: the time was up. */
rd_kafka_event_t *rd_kafka_queue_poll(rd_kafka_queue_t *queue, int timeout_ms)
{
	(void)queue;
	(void)timeout_ms;
	return (rd_kafka_event_t *)kafka.answer;
}

rd_kafka_resp_err_t rd_kafka_event_error(rd_kafka_event_t *event)
{
	(void)event;
	return RD_KAFKA_RESP_ERR_NO_ERROR; /* not all of them failed */
}

rd_kafka_topic_partition_list_t *rd_kafka_event_topic_partition_list(rd_kafka_event_t *event)
{
	(void)event;
	return kafka.answer;
}

void rd_kafka_event_destroy(rd_kafka_event_t *event)
{
	(void)event;
}

struct world {
	struct mapping users;
	struct pipeline pipeline;
	struct pool pool;
	struct pool_partition items[TWO];
};

static void start(struct world *world)
{
	mapping_init_users(&world->users, "users");
	world->pipeline = (struct pipeline){.commit_interval_ms = 50};
	world->pool = (struct pool){.pipeline = &world->pipeline,
		.partitions = world->items,
		.partition_count = TWO};
	for (int i = 0; i < TWO; i++) {
		world->items[i] =
			(struct pool_partition){.p = partition_new(&world->users.routes[0], i),
				.committed = -1,
				.acknowledged = -1};
		atomic_store(&world->items[i].p->settled, 10 + i);
	}
	kafka.calls = 0;
	kafka.err = RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void end(struct world *world)
{
	for (int i = 0; i < TWO; i++)
		partition_free(world->items[i].p);
	mapping_release(&world->users);
}

/* The broker's answer about both partitions. */
static void answer(struct world *world, rd_kafka_resp_err_t all, rd_kafka_resp_err_t of_second)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(TWO);

	for (int i = 0; i < TWO; i++) {
		rd_kafka_topic_partition_t *item =
			rd_kafka_topic_partition_list_add(list, "users", i);

		item->offset = kafka.offsets[i];
		item->err = i == 1 ? of_second : RD_KAFKA_RESP_ERR_NO_ERROR;
	}
	pool_on_commit(NULL, all, list, &world->pool);
	rd_kafka_topic_partition_list_destroy(list);
}

static void after_a_while(struct world *world)
{
	world->pool.last_commit_ms = 0;
	pool_tend_commit(&world->pool);
}

static void what_is_settled_is_committed_once(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	after_a_while(&world);
	assert_int_equal(kafka.calls, 1);
	assert_int_equal(kafka.offsets[0], 10);
	assert_int_equal(kafka.offsets[1], 11);
	after_a_while(&world); /* on its way */
	answer(&world, RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_NO_ERROR);
	after_a_while(&world);
	assert_int_equal(kafka.calls, 1);
	end(&world);
}

static void what_failed_is_committed_again_although_nothing_new_came(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	after_a_while(&world);
	answer(&world, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
		RD_KAFKA_RESP_ERR_NO_ERROR);
	pool_tend_commit(&world.pool); /* not at once */
	assert_int_equal(kafka.calls, 1);
	after_a_while(&world);
	assert_int_equal(kafka.calls, 2);
	assert_int_equal(kafka.offsets[0], 10);
	assert_int_equal(kafka.offsets[1], 11);
	answer(&world, RD_KAFKA_RESP_ERR_NO_ERROR,
		RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	after_a_while(&world);
	assert_int_equal(kafka.calls, 3);
	assert_int_equal(kafka.offsets[0], 0); /* that one was taken */
	assert_int_equal(kafka.offsets[1], 11);
	end(&world);
}

static void what_the_library_refused_is_handed_over_again(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	kafka.err = RD_KAFKA_RESP_ERR__STATE;
	after_a_while(&world);
	kafka.err = RD_KAFKA_RESP_ERR_NO_ERROR;
	after_a_while(&world);
	assert_int_equal(kafka.calls, 2);
	assert_int_equal(kafka.offsets[1], 11);
	end(&world);
}

/* Partitions that stay with us when others are given back. */
static void what_was_waited_for_in_vain_is_committed_again(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	pool_commit(&world.pool, true);
	assert_int_equal(kafka.calls, 1);
	after_a_while(&world);
	assert_int_equal(kafka.calls, 2);
	assert_int_equal(kafka.offsets[0], 10);
	end(&world);
}

static void what_failed_among_others_is_committed_again(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	kafka.answer = rd_kafka_topic_partition_list_new(TWO);
	for (int i = 0; i < TWO; i++)
		rd_kafka_topic_partition_list_add(kafka.answer, "users", i)->offset = 10 + i;
	kafka.answer->elems[1].err = RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
	pool_commit(&world.pool, true);
	after_a_while(&world);
	assert_int_equal(kafka.calls, 2);
	assert_int_equal(kafka.offsets[0], 0);
	assert_int_equal(kafka.offsets[1], 11);
	rd_kafka_topic_partition_list_destroy(kafka.answer);
	kafka.answer = NULL;
	end(&world);
}

static void a_drain_waits_for_what_is_on_its_way(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	after_a_while(&world);
	pool_commit(&world.pool, true);
	assert_int_equal(kafka.calls, 2);
	assert_int_equal(kafka.offsets[1], 11);
	after_a_while(&world);
	answer(&world, RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_NO_ERROR);
	kafka.calls = 0;
	pool_commit(&world.pool, true);
	assert_int_equal(kafka.calls, 0); /* Kafka has it */
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_settled_is_committed_once),
		cmocka_unit_test(what_failed_is_committed_again_although_nothing_new_came),
		cmocka_unit_test(what_the_library_refused_is_handed_over_again),
		cmocka_unit_test(what_was_waited_for_in_vain_is_committed_again),
		cmocka_unit_test(what_failed_among_others_is_committed_again),
		cmocka_unit_test(a_drain_waits_for_what_is_on_its_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
