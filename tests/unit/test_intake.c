/*
 * consumer/pipeline: intake, against a scripted queue. The library's calls are made up here: the
 * program's own symbols come before a shared library's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "consumer/pipeline/intake.h"
#include "consumer/pipeline/log_position.h"

#define END	       (-1) /* of what the queue has now */
#define EOF_AT(offset) (-1000 - (offset))

static struct mapping users;

/* What the queue gives after each seek, in turn; the last list again and again. */
static struct {
	const int64_t *lists[4];
	int lists_count, seeks, at;
	int64_t seek_to;
} script;

rd_kafka_error_t *rd_kafka_seek_partitions(
	rd_kafka_t *kafka, rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
	(void)kafka;
	(void)timeout_ms;
	script.seek_to = list->elems[0].offset;
	script.seeks++;
	script.at = 0;
	return NULL;
}

rd_kafka_message_t *rd_kafka_consume_queue(rd_kafka_queue_t *queue, int timeout_ms)
{
	int list = script.seeks <= script.lists_count ? script.seeks : script.lists_count;
	int64_t next = script.lists[list - 1][script.at];
	rd_kafka_message_t *message;

	(void)queue;
	(void)timeout_ms;
	if (next == END)
		return NULL;
	script.at++;
	message = calloc(1, sizeof(*message));
	message->err =
		next < END ? RD_KAFKA_RESP_ERR__PARTITION_EOF : RD_KAFKA_RESP_ERR_NO_ERROR;
	message->offset = next < END ? -1000 - next : next;
	return message;
}

void rd_kafka_message_destroy(rd_kafka_message_t *message)
{
	free(message);
}

/* A partition at `position` that reads a script as its worker does. */
static struct partition *start(int64_t position)
{
	struct partition *p = partition_new(&users.routes[0], 0);

	p->position = position;
	p->cap = INT64_MAX;
	partition_set_mode(p, MODE_RUN);
	script.seeks = script.at = 0;
	return p;
}

static enum intake fill(struct partition *p)
{
	struct errmsg msg;

	assert_int_equal(log_seek(NULL, p, p->position, 1000, &msg), 0);
	assert_int_equal(script.seek_to, p->position);
	intake_begin(p);
	return intake_fill(p, 100, 1 << 20, &msg);
}

static void script_is(const int64_t *const *lists)
{
	for (script.lists_count = 0; lists[script.lists_count]; script.lists_count++)
		script.lists[script.lists_count] = lists[script.lists_count];
}

#define SCRIPT(...) script_is((const int64_t *[]){__VA_ARGS__, NULL})
#define LIST(...)   ((const int64_t[]){__VA_ARGS__, END})

static void a_jump_at_the_start_is_asked_again_and_nothing_is_passed_over(void **state)
{
	struct partition *p = start(7);

	(void)state;
	SCRIPT(LIST(9, 10), LIST(7, 8, 9, 10));
	assert_int_equal(fill(p), INTAKE_DOUBT);
	assert_int_equal(p->batch.record_count, 0);
	assert_int_equal(fill(p), INTAKE_READY);
	assert_int_equal(script.seeks, 2);
	assert_int_equal(p->batch.record_count, 4);
	assert_int_equal(p->batch.records[0]->offset, 7);
	assert_int_equal(p->batch.to, 11);
	partition_free(p);
}

static void an_end_beyond_the_position_is_asked_again(void **state)
{
	struct partition *p = start(7);

	(void)state;
	SCRIPT(LIST(EOF_AT(9)), LIST(7, 8, EOF_AT(9)));
	assert_int_equal(fill(p), INTAKE_DOUBT);
	assert_int_equal(fill(p), INTAKE_READY);
	assert_int_equal(p->batch.record_count, 2);
	assert_int_equal(p->batch.to, 9);
	partition_free(p);
}

static void a_jump_that_comes_twice_is_a_gap_of_the_log(void **state)
{
	struct partition *p = start(7);

	(void)state;
	SCRIPT(LIST(9, 10), LIST(9, 10));
	assert_int_equal(fill(p), INTAKE_DOUBT);
	assert_int_equal(fill(p), INTAKE_READY);
	assert_int_equal(p->batch.from, 7);
	assert_int_equal(p->batch.record_count, 2);
	assert_int_equal(p->batch.to, 11);
	partition_free(p);
}

static void an_end_that_comes_twice_is_an_empty_batch(void **state)
{
	struct partition *p = start(7);

	(void)state;
	SCRIPT(LIST(EOF_AT(9)));
	assert_int_equal(fill(p), INTAKE_DOUBT);
	assert_int_equal(fill(p), INTAKE_READY);
	assert_int_equal(p->batch.record_count, 0);
	assert_int_equal(p->batch.to, 9);
	assert_false(p->batch.has_last);
	partition_free(p);
}

static void a_gap_within_a_stream_costs_no_question(void **state)
{
	struct partition *p = start(7);

	(void)state;
	SCRIPT(LIST(5, 6, 7, 9, EOF_AT(11)));
	assert_int_equal(fill(p), INTAKE_READY);
	assert_int_equal(script.seeks, 1);
	assert_int_equal(p->batch.record_count, 2);
	assert_int_equal(p->batch.to, 11);
	partition_free(p);
}

/* The doubt of one start is no proof at the next. */
static void a_jump_to_the_same_place_from_another_start_is_asked_again(void **state)
{
	struct partition *p = start(7);

	(void)state;
	SCRIPT(LIST(9), LIST(7), LIST(9), LIST(8, 9));
	assert_int_equal(fill(p), INTAKE_DOUBT);
	assert_int_equal(fill(p), INTAKE_READY);
	p->position = 8;
	p->stream = -1;
	assert_int_equal(fill(p), INTAKE_DOUBT);
	assert_int_equal(fill(p), INTAKE_READY);
	assert_int_equal(p->batch.records[0]->offset, 8);
	partition_free(p);
}

static int setup(void **state)
{
	(void)state;
	mapping_init_users(&users, "users");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mapping_release(&users);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_jump_at_the_start_is_asked_again_and_nothing_is_passed_over),
		cmocka_unit_test(an_end_beyond_the_position_is_asked_again),
		cmocka_unit_test(a_jump_that_comes_twice_is_a_gap_of_the_log),
		cmocka_unit_test(an_end_that_comes_twice_is_an_empty_batch),
		cmocka_unit_test(a_gap_within_a_stream_costs_no_question),
		cmocka_unit_test(a_jump_to_the_same_place_from_another_start_is_asked_again),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
