/*
 * consumer/pool: watchdog, with a Kafka that is made up: who is held because he waits, and how long a
 * broker that does not answer may hold up the rest of the pool.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <unistd.h>

#include "common/clock.h"
#include "consumer/pool/pool_impl.h"

#define COUNT	   4
#define HOLD_BYTES 1000

static struct {
	int paused[COUNT];
	int questions;
	int32_t asked; /* the last one */
} kafka;

rd_kafka_resp_err_t rd_kafka_pause_partitions(
	rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list)
{
	(void)handle;
	kafka.paused[list->elems[0].partition]++;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

size_t rd_kafka_queue_length(rd_kafka_queue_t *queue)
{
	(void)queue;
	return 10;
}

/* It never answers. */
rd_kafka_resp_err_t rd_kafka_query_watermark_offsets(rd_kafka_t *handle, const char *topic,
	int32_t partition, int64_t *low, int64_t *high, int timeout_ms)
{
	(void)handle;
	(void)topic;
	(void)low;
	(void)high;
	kafka.asked = partition;
	kafka.questions++;
	usleep((unsigned)timeout_ms * 1000);
	return RD_KAFKA_RESP_ERR__TIMED_OUT;
}

struct world {
	struct mapping users;
	struct meters meters;
	struct pipeline pipeline;
	struct pool pool;
	struct pool_partition items[COUNT];
};

static void start(struct world *world)
{
	mapping_init_users(&world->users, "users");
	meters_init(&world->meters);
	atomic_store(&world->meters.taken_bytes, 5000);
	world->pipeline = (struct pipeline){.meters = &world->meters};
	world->pool = (struct pool){.pipeline = &world->pipeline,
		.partitions = world->items,
		.partition_count = COUNT};
	world->pool.config.hold_bytes = HOLD_BYTES;
	world->pool.config.watchdog_ms = 1000;
	kafka.questions = 0;
	for (int i = 0; i < COUNT; i++) {
		kafka.paused[i] = 0;
		world->items[i] =
			(struct pool_partition){.p = partition_new(&world->users.routes[0], i)};
		atomic_store(&world->items[i].p->taken_mark, 5000);
	}
}

static void end(struct world *world)
{
	for (int i = 0; i < COUNT; i++)
		partition_free(world->items[i].p);
	meters_release(&world->meters);
	mapping_release(&world->users);
}

static void who_waits_while_others_take_much_is_held(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	atomic_store(&world.items[0].p->taken_mark, 5000 - HOLD_BYTES);
	atomic_store(&world.items[1].p->taken_mark, 5001 - HOLD_BYTES);
	pool_hold(&world.pool);
	pool_hold(&world.pool);
	assert_int_equal(kafka.paused[0], 1);
	assert_int_equal(kafka.paused[1], 0);
	end(&world);
}

/* Its worker took something between two looks of this thread. */
static void who_took_something_just_now_is_not_held(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	atomic_store(&world.items[2].p->taken_mark, 5100);
	pool_hold(&world.pool);
	assert_int_equal(kafka.paused[2], 0);
	end(&world);
}

static void a_silent_broker_is_asked_once_at_a_time(void **state)
{
	struct world world;
	int64_t start_ms;

	(void)state;
	start(&world);
	for (int i = 0; i < COUNT; i++) {
		world.items[i].worker =
			(struct worker *)(uintptr_t)&world; /* not looked into */
		atomic_store(&world.items[i].p->progress_ms, clock_mono_ms() - 10000);
	}
	start_ms = clock_mono_ms();
	pool_watch(&world.pool);
	assert_int_equal(kafka.questions, 1);
	assert_int_equal(kafka.asked, 0);
	atomic_store(&world.items[0].p->progress_ms, 0);
	world.items[0].looked_ms = 0; /* due again, but it is the next one's turn */
	pool_watch(&world.pool);
	assert_int_equal(kafka.questions, 2);
	assert_int_equal(kafka.asked, 1);
	assert_true(clock_mono_ms() - start_ms >= 2000);
	pool_drain(&world.pool);
	pool_watch(&world.pool);
	assert_in_range(kafka.questions, 2, 3);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits_while_others_take_much_is_held),
		cmocka_unit_test(who_took_something_just_now_is_not_held),
		cmocka_unit_test(a_silent_broker_is_asked_once_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
