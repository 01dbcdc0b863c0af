/*
 * consumer/pipeline: step, against a made-up log and made-up stores: what a partition comes to when a
 * step says no, and that it goes on.
 */
#include "tests/unit/made_up_stores.h"

static struct mapping users;
static struct meters meters;

static void commit_soon(void *user)
{
	(void)user;
}

/* ---- the cases ------------------------------------------------------------------------------- */

static struct pipeline pipeline = {.meters = &meters,
	.batch_records = 100,
	.batch_bytes = 1 << 30,
	.batch_compact = 8,
	.commit_soon = commit_soon,
	.group = "g"};

struct world {
	struct stepper stepper;
	struct partition *p;
};

static void start(struct world *world)
{
	rd_kafka_message_t *before = record_at(FROM - 1);

	mapping_init_users(&users, "users");
	meters_init(&meters);
	memset(letters, 0, sizeof(letters));
	kafka.at = kafka.gap_to = 0;
	kafka.silent = 0;
	memset(&mysql, 0, sizeof(mysql));
	mysql.next = redis.next = FROM;
	mysql.digest = record_digest(before);
	mysql.has_digest = true;
	mysql.generation = 1;
	rd_kafka_message_destroy(before);
	stepper_init(&world->stepper, &pipeline, 0);
	world->stepper.mysql_up = world->stepper.redis_up = true;
	world->p = partition_new(&users.routes[0], 0);
}

static void step(struct world *world)
{
	world->p->not_before_ms = 0; /* no test waits */
	step_partition(&world->stepper, world->p);
}

/* The whole log into both stores, in not more steps than it may take. */
static void drain(struct world *world)
{
	for (int steps = 0; mysql.next < END; steps++) {
		assert_in_range(steps, 0, 200);
		step(world);
	}
	stepper_settle(&world->stepper);
	assert_int_equal(redis.next, END);
}

static void end(struct world *world)
{
	partition_free(world->p);
	stepper_release(&world->stepper);
	meters_release(&meters);
	mapping_release(&users);
}

static void expect_each_letter_once(void)
{
	for (int64_t offset = 0; offset < END; offset++)
		assert_int_equal(letters[offset], offset == RUBBISH || offset == REFUSED);
}

static void a_refused_row_of_a_compacted_batch_is_one_dead_letter(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	drain(&world);
	expect_each_letter_once();
	assert_int_equal(mysql.claims, 1);
	assert_int_equal(atomic_load(&world.p->deadlettered), 2);
	assert_int_equal(atomic_load(&world.p->applied), END - FROM - 2);
	assert_int_equal(atomic_load(&meters.key_mismatches), 1);
	end(&world);
}

/* The gap has its batch claimed again, which must not have forgotten that it is to be taken whole. */
static void it_is_found_behind_a_gap_of_the_log_too(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	kafka.gap_to = FROM + 1;
	drain(&world);
	expect_each_letter_once();
	assert_int_equal(atomic_load(&world.p->applied), END - FROM - 3);
	assert_int_equal(atomic_load(&meters.key_mismatches), 1);
	end(&world);
}

static void a_stopped_partition_sends_no_letter_twice(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	mysql.fatal = 10;
	drain(&world);
	expect_each_letter_once();
	assert_in_range(mysql.claims, 11, 12);
	assert_int_equal(atomic_load(&meters.key_mismatches), 1);
	end(&world);
}

/* After a reset the same offsets may be other records. */
static void a_new_ledger_has_its_letters_sent_anew(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	drain(&world);
	mysql.next = redis.next = FROM;
	mysql.has_digest = false;
	mysql.generation = 2;
	partition_set_mode(world.p, MODE_CLAIM);
	drain(&world);
	assert_int_equal(letters[RUBBISH], 2);
	assert_int_equal(letters[REFUSED], 2);
	end(&world);
}

/* A first start of a group that another program has committed for. */
static void where_kafka_is_silent_the_committed_offset_is_asked_for_again(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	mysql.is_new = true;
	mysql.has_digest = false;
	world.p->committed_unknown = true;
	kafka.committed = 2000;
	kafka.silent = 3;
	for (int i = 0; i < 3; i++) {
		step(&world);
		assert_true(mysql.is_new);
	}
	step(&world);
	assert_int_equal(mysql.next, 2000);
	drain(&world);
	assert_int_equal(atomic_load(&world.p->applied), END - 2000);
	end(&world);
}

static void what_came_to_the_topic_since_the_start_is_not_taken(void **state)
{
	struct world world;

	(void)state;
	start(&world);
	users.routes[0].partitions = 6;
	world.p->id = 6;
	step(&world);
	assert_int_equal(atomic_load(&world.p->mode), MODE_STOPPED);
	assert_int_equal(mysql.claims, 0);
	assert_non_null(strstr(world.p->error, "6 partitions at start"));
	world.p->id = 5;
	drain(&world);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_row_of_a_compacted_batch_is_one_dead_letter),
		cmocka_unit_test(it_is_found_behind_a_gap_of_the_log_too),
		cmocka_unit_test(a_stopped_partition_sends_no_letter_twice),
		cmocka_unit_test(a_new_ledger_has_its_letters_sent_anew),
		cmocka_unit_test(where_kafka_is_silent_the_committed_offset_is_asked_for_again),
		cmocka_unit_test(what_came_to_the_topic_since_the_start_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
