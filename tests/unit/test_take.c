/*
 * consumer/pipeline: take, against a made-up queue: how far a batch goes on, and that rows whose
 * records were let go have all that they need (under ASan a record that is gone cannot be read).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/pipeline/take.h"

static struct mapping users;
static struct route appending;
static struct meters meters;

#define USERS (&users.routes[0])

/* The queue: records from `at` on, up to `end`, made by `make`. */
static struct {
	int64_t at, end, lost_at;
	void (*make)(int64_t offset, char *key, char *value);
	int64_t destroyed;
} queue;

rd_kafka_message_t *rd_kafka_consume_queue(rd_kafka_queue_t *from, int timeout_ms)
{
	char key[600], value[8000];
	rd_kafka_message_t *message;

	(void)from;
	(void)timeout_ms;
	if (queue.at == queue.end)
		return NULL;
	message = calloc(1, sizeof(*message));
	assert_non_null(message);
	if (queue.at == queue.lost_at) {
		message->err = RD_KAFKA_RESP_ERR__TRANSPORT;
		return message;
	}
	queue.make(queue.at, key, value);
	message->offset = queue.at++;
	message->key = strdup(key);
	message->key_len = strlen(key);
	message->payload = value[0] ? strdup(value) : NULL; /* empty: a tombstone */
	message->len = strlen(value);
	return message;
}

void rd_kafka_message_destroy(rd_kafka_message_t *message)
{
	queue.destroyed++;
	free(message->key);
	free(message->payload);
	free(message);
}

int64_t rd_kafka_message_timestamp(
	const rd_kafka_message_t *message, rd_kafka_timestamp_type_t *type)
{
	if (type)
		*type = RD_KAFKA_TIMESTAMP_CREATE_TIME;
	return 1000 + message->offset / 10;
}

static void make_user(char *value, const char *id, int64_t age)
{
	sprintf(value,
		"{\"id\":\"%s\",\"name\":\"N%s\",\"age\":%" PRId64 ",\"occupation\":\"o\"}", id,
		id, age);
}

static void distinct(int64_t offset, char *key, char *value)
{
	sprintf(key, "k%06" PRId64, offset);
	make_user(value, key, offset % 100);
}

static void of_five_keys(int64_t offset, char *key, char *value)
{
	sprintf(key, "key-%" PRId64, offset % 5);
	make_user(value, key, offset % 100);
}

static int setup(void **state)
{
	(void)state;
	mapping_init_users(&users, "users");
	meters_init(&meters);
	appending = *USERS;
	appending.mode = ROUTE_APPEND;
	appending.key_count = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mapping_release(&users);
	meters_release(&meters);
	return 0;
}

static struct pipeline pipeline(size_t records, size_t compact)
{
	return (struct pipeline){.meters = &meters,
		.batch_records = records,
		.batch_bytes = 1 << 30,
		.batch_compact = compact};
}

static struct partition *start(
	const struct route *route, void (*make)(int64_t, char *, char *), int64_t count)
{
	struct partition *p = partition_new(route, 0);

	p->stream = 0;
	p->cap = INT64_MAX;
	partition_set_mode(p, MODE_RUN);
	queue.at = queue.destroyed = 0;
	queue.end = count;
	queue.lost_at = -1;
	queue.make = make;
	return p;
}

static enum intake take(const struct pipeline *with, struct partition *p)
{
	struct errmsg msg;

	return take_batch(with, p, &msg);
}

static void end(struct partition *p)
{
	partition_free(p);
	assert_int_equal(queue.destroyed, queue.at); /* each once, none forgotten */
}

static void a_batch_never_has_more_rows_than_it_may(void **state)
{
	struct pipeline with = pipeline(100, 8);
	struct partition *p = start(USERS, distinct, 1000);

	(void)state;
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_int_equal(p->batch.record_count, 100);
	assert_int_equal(p->batch.selected_count, 100);
	assert_int_equal(p->batch.to, 100);
	end(p);
}

static void first_five_keys(int64_t offset, char *key, char *value)
{
	(offset < 80 ? of_five_keys : distinct)(offset, key, value);
}

static void later_rounds_take_no_more_than_is_free(void **state)
{
	struct pipeline with = pipeline(100, 8);
	struct partition *p = start(USERS, first_five_keys, 1000);

	(void)state;
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_int_equal(p->batch.selected_count, 100);
	assert_int_equal(p->batch.record_count, 175);
	end(p);
}

static void records_of_the_same_keys_go_on_as_often_as_allowed(void **state)
{
	struct pipeline with = pipeline(100, 8);
	struct partition *p = start(USERS, of_five_keys, 10000);

	(void)state;
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_int_equal(p->batch.record_count, 800);
	assert_int_equal(p->batch.to, 800);
	assert_int_equal(p->batch.selected_count, 5);
	assert_int_equal(p->batch.row_count + p->batch.overtaken, 800);
	for (int i = 0; i < 5; i++) {
		const struct row *row = p->batch.selected[i];

		assert_int_equal(row->offset, 795 + i); /* the last one wins */
		assert_int_equal(row->cells[2].integer, (795 + i) % 100);
		assert_int_equal(row->cells[0].length, 5);
		assert_memory_equal(row->cells[0].text, "key-", 4);
		assert_int_equal(row->cells[0].text[4], '0' + i);
		assert_memory_equal(row->cells[1].text, "Nkey-", 5);
	}
	end(p);
}

static void without_compaction_a_batch_has_so_many_records(void **state)
{
	struct pipeline with = pipeline(100, 1);
	struct partition *p = start(USERS, of_five_keys, 10000);

	(void)state;
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_int_equal(p->batch.record_count, 100);
	assert_int_equal(p->batch.selected_count, 5);
	assert_int_equal(p->batch.let_go, 0);
	end(p);
}

static void appends_are_never_compacted(void **state)
{
	struct pipeline with = pipeline(100, 8);
	struct partition *p = start(&appending, of_five_keys, 10000);

	(void)state;
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_int_equal(p->batch.record_count, 100);
	assert_int_equal(p->batch.selected_count, 100);
	end(p);
}

static void a_batch_of_sixty_four_does_not(void **state)
{
	struct pipeline with = pipeline(100, 8);
	struct partition *p = start(USERS, of_five_keys, 64);

	(void)state;
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_int_equal(p->batch.let_go, 64);
	end(p);
}

static void a_small_batch_keeps_its_records(void **state)
{
	struct pipeline with = pipeline(100, 8);
	struct partition *p = start(USERS, of_five_keys, 63);

	(void)state;
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_int_equal(p->batch.record_count, 63);
	assert_int_equal(p->batch.let_go, 0);
	assert_int_equal(p->batch.selected_count, 5);
	end(p);
}

static void the_stamp_is_the_last_records(void **state)
{
	struct pipeline with = pipeline(100, 8), plain = pipeline(800, 1);
	struct partition *p = start(USERS, of_five_keys, 800);
	uint32_t digest;

	(void)state;
	assert_int_equal(take(&with, p), INTAKE_READY);
	digest = p->batch.last_digest;
	assert_int_equal(p->batch.last_timestamp, 1079);
	assert_int_equal(p->batch.stamp_count, 80); /* of all, also of those let go */
	end(p);
	p = start(USERS, of_five_keys, 800);
	assert_int_equal(take(&plain, p), INTAKE_READY);
	assert_int_equal(p->batch.record_count, 800);
	assert_int_equal(p->batch.last_digest, digest);
	end(p);
}

static void bytes_bound_what_is_held(void **state)
{
	struct pipeline with = pipeline(10000, 8);
	struct partition *p = start(USERS, distinct, 100000);

	(void)state;
	with.batch_bytes = 20000;
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_in_range(p->batch.record_bytes, 20000, 20100);
	end(p);
}

static void large(int64_t offset, char *key, char *value)
{
	distinct(offset, key, value);
	sprintf(value + strlen(value) - 1, ",\"more\":\"%0*d\"}", 5000, 0);
}

static void bytes_bound_large_records_which_are_held(void **state)
{
	struct pipeline with = pipeline(10000, 8);
	struct partition *p = start(USERS, large, 100000);

	(void)state;
	with.batch_bytes = 1000000;
	for (int i = 0; i < 2; i++, p->position = p->batch.to) {
		assert_int_equal(take(&with, p), INTAKE_READY);
		assert_in_range(p->batch.record_bytes, 1000000, 1006000);
		assert_int_equal(p->batch.held_bytes, p->batch.record_bytes);
		assert_int_equal(p->batch.let_go, 0);
	}
	end(p);
}

static void bytes_bound_what_was_let_go_as_the_count_does(void **state)
{
	struct pipeline with = pipeline(10000, 8);
	struct partition *p = start(USERS, of_five_keys, 100000);

	(void)state;
	with.batch_bytes = 20000;
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_in_range(p->batch.record_bytes, 8 * 20000, 8 * 20000 + 100);
	assert_int_equal(p->batch.held_bytes, 0);
	assert_int_equal(p->batch.selected_count, 5);
	end(p);
}

static void five_keys_with_escapes(int64_t offset, char *key, char *value)
{
	sprintf(key, "key-%" PRId64, offset % 5);
	sprintf(value,
		"{\"id\":\"%s\",\"name\":\"a \\\"name\\\"\",\"age\":1,\"occupation\":\"o\"}",
		key);
}

/* Each has its text written anew, and no row takes over what an overtaken one had there. */
static void bytes_bound_what_decoding_wrote(void **state)
{
	struct pipeline with = pipeline(10000, 8);
	struct partition *p = start(USERS, five_keys_with_escapes, 100000);

	(void)state;
	with.batch_bytes = 20000;
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_true(p->batch.record_bytes > 20000 && p->batch.record_bytes < 8 * 20000);
	assert_in_range(p->batch.arena.given, 18750, 40000);
	end(p);
}

static void some_rubbish(int64_t offset, char *key, char *value)
{
	of_five_keys(offset, key, value);
	if (offset % 50 == 7)
		strcpy(value, "rubbish");
}

static void what_cannot_be_decoded_is_kept_for_its_letter(void **state)
{
	struct pipeline with = pipeline(100, 4);
	struct partition *p = start(USERS, some_rubbish, 400);

	(void)state;
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_int_equal(p->batch.record_count, 400);
	assert_int_equal(p->batch.dead.count, 8);
	for (size_t i = 0; i < p->batch.dead.count; i++) {
		const rd_kafka_message_t *record =
			p->batch.records[p->batch.dead.items[i].record];

		assert_int_equal(record->offset, 50 * i + 7);
		assert_memory_equal(record->payload, "rubbish", 7);
	}
	end(p);
}

static void what_is_taken_again_is_whole_and_sends_no_letter_twice(void **state)
{
	struct pipeline with = pipeline(100, 4);
	struct partition *p = start(USERS, some_rubbish, 100000);

	(void)state;
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_true(p->batch.let_go > 0);
	p->told_until = p->batch.to; /* letters.c, before MySQL refuses anything */
	take_again_whole(&with, p);
	assert_int_equal(p->stream, -1);
	assert_int_equal(p->batch.dead.count, 0);
	queue.destroyed -= queue.at;
	queue.at = p->stream = p->position; /* the seek */
	for (int64_t from = 0; from < 4400; from = p->position = p->batch.to) {
		assert_int_equal(take(&with, p), INTAKE_READY);
		assert_int_equal(p->batch.record_count, 100);
		assert_int_equal(p->batch.let_go, 0);
		assert_int_equal(p->batch.dead.count, from < 400 ? 0 : 2);
	}
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_int_equal(p->batch.record_count, 400); /* and then as ever */
	end(p);
}

static void a_stream_that_is_lost_on_the_way_leaves_nothing(void **state)
{
	struct pipeline with = pipeline(100, 8);
	struct partition *p = start(USERS, some_rubbish, 10000);

	(void)state;
	queue.lost_at = 230;
	assert_int_equal(take(&with, p), INTAKE_LOST);
	assert_int_equal(p->batch.record_count, 0);
	assert_int_equal(p->batch.dead.count, 0);
	partition_free(p);
	assert_int_equal(queue.destroyed, 231); /* the error, too */
}

/* Deletes, keys that come later, rows that grow, long texts, escapes, records too large to be copied. */
static void mixed(int64_t offset, char *key, char *value)
{
	size_t extra = (size_t)(offset * 7919 % 13) * 400;
	char *at;

	sprintf(key, "%.*s%" PRId64, (int)(offset % 3 * 9), "a-key-that-is-longer-than-eight",
		offset * 31 % 17 + offset / 200 * 3);
	value[0] = 0;
	if (offset % 11 == 3)
		return;
	at = value + sprintf(value, "{\"id\":\"%s\",\"name\":\"", key);
	memset(at, 'n', extra);
	sprintf(at + extra, "\",\"age\":%" PRId64 ",\"occupation\":\"%s\"}", offset % 100,
		offset % 5 ? "plain" : "esc\\u0061ped \\\"text\\\"");
}

static void assert_same_row(const struct row *a, const struct row *b)
{
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->tombstone, b->tombstone);
	assert_int_equal(a->sort_key_length, b->sort_key_length);
	assert_memory_equal(a->sort_key, b->sort_key, a->sort_key_length);
	for (int i = 0; i < USERS->column_count; i++) {
		assert_int_equal(a->cells[i].kind, b->cells[i].kind);
		assert_int_equal(a->cells[i].plain, b->cells[i].plain);
		if (a->cells[i].kind == CELL_INT)
			assert_int_equal(a->cells[i].integer, b->cells[i].integer);
		if (a->cells[i].kind != CELL_TEXT)
			continue;
		assert_int_equal(a->cells[i].length, b->cells[i].length);
		assert_memory_equal(a->cells[i].text, b->cells[i].text, a->cells[i].length);
	}
}

static void take_at(const struct pipeline *with, struct partition *p, int64_t from)
{
	queue.at = p->stream = p->position = from;
	assert_int_equal(take(with, p), INTAKE_READY);
	assert_int_equal(p->batch.record_count, 2000);
}

/* Two batches, for what the first one leaves behind is not to be in the second one. */
static void compare(const struct route *route, void (*make)(int64_t, char *, char *))
{
	struct pipeline with = pipeline(1000, 2), plain = pipeline(2000, 1);
	struct partition *p = start(route, make, 4000), *whole = start(route, make, 4000);

	for (int64_t from = 0; from < 4000; from += 2000) {
		take_at(&with, p, from);
		take_at(&plain, whole, from);
		assert_true(p->batch.let_go > 1000 && p->batch.let_go < 2000);
		assert_int_equal(p->batch.dead.count, whole->batch.dead.count);
		assert_int_equal(p->batch.live + p->batch.overtaken, whole->batch.live);
		assert_int_equal(p->batch.selected_count, whole->batch.selected_count);
		for (size_t i = 0; i < p->batch.selected_count; i++) {
			const struct row *row = p->batch.selected[i];

			assert_same_row(row, whole->batch.selected[i]);
			assert_true(route == USERS || row->tombstone || row->offset % 7 != 2);
		}
	}
	partition_free(p);
	partition_free(whole);
	assert_int_equal(queue.destroyed, 8000);
}

static void compacted_or_whole_the_same_rows_are_written(void **state)
{
	(void)state;
	compare(USERS, mixed);
}

static void some_of_another_key(int64_t offset, char *key, char *value)
{
	mixed(offset, key, value);
	if (offset % 7 == 2 && value[0])
		strcat(key, "x");
}

static void compacted_or_whole_the_same_rows_are_refused(void **state)
{
	struct route strict = *USERS;

	(void)state;
	strict.key_mismatch = KEY_MISMATCH_DEADLETTER;
	compare(&strict, some_of_another_key);
}

static void numbers_and_nothing(int64_t offset, char *key, char *value)
{
	sprintf(key, "%" PRId64, offset % 9);
	sprintf(value, "{\"id\":%s,\"name\":\"\",\"age\":1,\"occupation\":\"\"}", key);
}

static void a_row_of_empty_texts_needs_no_record_either(void **state)
{
	struct pipeline with = pipeline(100, 8);
	struct column columns[4];
	struct route numbered = *USERS;
	struct partition *p;

	(void)state;
	memcpy(columns, USERS->columns, sizeof(columns));
	columns[0].type = COLUMN_INT;
	numbered.columns = columns;
	p = start(&numbered, numbers_and_nothing, 500);
	assert_int_equal(take(&with, p), INTAKE_READY);
	assert_int_equal(p->batch.let_go, 500);
	assert_int_equal(p->batch.selected_count, 9);
	for (size_t i = 0; i < 9; i++) {
		assert_int_equal(p->batch.selected[i]->cells[0].integer, i);
		assert_int_equal(p->batch.selected[i]->cells[1].length, 0);
		assert_non_null(p->batch.selected[i]->cells[1].text);
	}
	end(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_never_has_more_rows_than_it_may),
		cmocka_unit_test(later_rounds_take_no_more_than_is_free),
		cmocka_unit_test(records_of_the_same_keys_go_on_as_often_as_allowed),
		cmocka_unit_test(without_compaction_a_batch_has_so_many_records),
		cmocka_unit_test(appends_are_never_compacted),
		cmocka_unit_test(a_small_batch_keeps_its_records),
		cmocka_unit_test(a_batch_of_sixty_four_does_not),
		cmocka_unit_test(the_stamp_is_the_last_records),
		cmocka_unit_test(bytes_bound_what_is_held),
		cmocka_unit_test(bytes_bound_large_records_which_are_held),
		cmocka_unit_test(bytes_bound_what_was_let_go_as_the_count_does),
		cmocka_unit_test(bytes_bound_what_decoding_wrote),
		cmocka_unit_test(what_cannot_be_decoded_is_kept_for_its_letter),
		cmocka_unit_test(what_is_taken_again_is_whole_and_sends_no_letter_twice),
		cmocka_unit_test(a_stream_that_is_lost_on_the_way_leaves_nothing),
		cmocka_unit_test(a_row_of_empty_texts_needs_no_record_either),
		cmocka_unit_test(compacted_or_whole_the_same_rows_are_written),
		cmocka_unit_test(compacted_or_whole_the_same_rows_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
