/*
 * consumer/pipeline: worker, with steps that are made up: a partition is let go only when Redis has
 * answered about its batch, however the pool's wish and the worker's turn meet.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/clock.h"
#include "consumer/pipeline/step.h"
#include "consumer/pipeline/worker.h"

#define PARTITIONS 5000 /* so many that the worker is mostly on its way through their flags */
#define TIMES	   300

static struct partition *behind; /* the worker's thread */
static _Atomic int let_go, let_go_behind;

void stepper_init(struct stepper *stepper, const struct pipeline *pipeline, int number)
{
	*stepper = (struct stepper){.pipeline = pipeline, .number = number};
}

void stepper_release(struct stepper *stepper)
{
	(void)stepper;
}

void stepper_settle(struct stepper *stepper)
{
	(void)stepper;
	behind = NULL;
}

void stepper_idle(struct stepper *stepper)
{
	(void)stepper;
}

bool step_partition(struct stepper *stepper, struct partition *p)
{
	(void)stepper;
	behind = p;
	return true;
}

void rd_kafka_queue_io_event_enable(
	rd_kafka_queue_t *queue, int fd, const void *payload, size_t bytes)
{
	(void)queue;
	(void)payload;
	(void)bytes;
	if (fd >= 0)
		return;
	atomic_fetch_add(&let_go, 1);
	if (behind)
		atomic_fetch_add(&let_go_behind, 1);
}

static void commit_soon(void *user)
{
	(void)user;
}

static void a_partition_is_let_go_when_its_batch_is_settled(void **state)
{
	static struct partition *partitions[PARTITIONS];
	struct pipeline pipeline = {.commit_soon = commit_soon, .commit_interval_ms = 50};
	struct mapping users;
	struct worker *worker;

	(void)state;
	mapping_init_users(&users, "users");
	worker = worker_start(&pipeline, 0);
	for (int i = 0; i < PARTITIONS; i++) {
		partitions[i] = partition_new(&users.routes[0], i);
		worker_give(worker, partitions[i]);
	}
	for (int i = 0; i < TIMES; i++) {
		struct partition *p = partitions[i % 7];

		worker_ask_back(worker, p);
		while (!worker_wait_back(worker, p, clock_mono_ms() + 1000))
			;
		worker_give(worker, p);
	}
	worker_stop(worker);
	assert_in_range(atomic_load(&let_go), TIMES, TIMES + PARTITIONS);
	assert_int_equal(atomic_load(&let_go_behind), 0);
	for (int i = 0; i < PARTITIONS; i++)
		partition_free(partitions[i]);
	mapping_release(&users);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_partition_is_let_go_when_its_batch_is_settled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
