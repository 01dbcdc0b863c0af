/* consumer/pipeline: batch (which rows are written, in what order), arena, record_digest. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/pipeline/batch_sort.h"
#include "tests/lib/records.h"

static struct mapping users;
static struct route appending;

#define USERS (&users.routes[0])

static int setup(void **state)
{
	(void)state;
	mapping_init_users(&users, "users");
	appending = *USERS;
	appending.mode = ROUTE_APPEND;
	appending.key_count = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mapping_release(&users);
	return 0;
}

static void put(struct records *records, const char *id, int age)
{
	char value[200];

	snprintf(value, sizeof(value),
		"{\"id\":\"%s\",\"name\":\"n\",\"age\":%d,\"occupation\":\"o\"}", id, age);
	assert_non_null(records_put(records, NULL, value));
}

/* "a1 b2": id and age of what was selected, in order; '-' for a delete. */
static const char *selected(struct records *records)
{
	static char text[4096];
	size_t used = 0;

	batch_select(&records->batch);
	text[0] = 0;
	for (size_t i = 0; i < records->batch.selected_count; i++) {
		const struct row *row = records->batch.selected[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.*s",
			i ? " " : "", (int)row->cells[0].length, row->cells[0].text);
		used += (size_t)(row->tombstone
					 ? snprintf(text + used, sizeof(text) - used, "-")
					 : snprintf(text + used, sizeof(text) - used, "%d",
						   (int)row->cells[2].integer));
	}
	return text;
}

static void the_last_record_of_a_key_wins_sorted_by_key(void **state)
{
	struct records *records = records_new(USERS);

	(void)state;
	put(records, "b", 1);
	put(records, "a", 2);
	put(records, "b", 3);
	put(records, "ab", 4);
	assert_non_null(records_put(records, "a", NULL));
	put(records, "\xc3\xa9", 5); /* beyond ASCII sorts behind it */
	put(records, "B", 6);
	assert_string_equal(selected(records), "B6 a- ab4 b3 \xc3\xa9"
					       "5");
	records_free(records);
}

static void an_earlier_record_takes_the_place_of_a_dead_one(void **state)
{
	struct records *records = records_new(USERS);

	(void)state;
	put(records, "a", 1);
	put(records, "b", 2);
	put(records, "a", 3);
	assert_string_equal(selected(records), "a3 b2");
	records->batch.rows[2].dead = true;
	assert_string_equal(selected(records), "a1 b2");
	records->batch.rows[0].dead = true;
	assert_string_equal(selected(records), "b2");
	records->batch.rows[1].dead = true;
	assert_string_equal(selected(records), "");
	records_free(records);
}

static void appends_keep_all_in_offset_order(void **state)
{
	struct records *records = records_new(&appending);

	(void)state;
	put(records, "b", 1);
	put(records, "a", 2);
	put(records, "b", 3);
	assert_string_equal(selected(records), "b1 a2 b3");
	records->batch.rows[1].dead = true;
	assert_string_equal(selected(records), "b1 b3");
	records_free(records);
}

static void dead_records_move_the_position_all_the_same(void **state)
{
	struct records *records = records_new(USERS);

	(void)state;
	put(records, "a", 1);
	assert_null(records_put(records, "a", "rubbish"));
	assert_int_equal(records->batch.to, 2);
	assert_int_equal(records->batch.record_count, 2);
	assert_int_equal(records->batch.row_count, 1);
	put(records, "b", 1);
	assert_int_equal(records->batch.rows[1].offset, 2);
	assert_int_equal(records->batch.rows[1].record, 2);
	records_free(records);
}

static void a_batch_of_nothing_but_dead_records_selects_nothing(void **state)
{
	struct records *records = records_new(USERS);

	(void)state;
	assert_string_equal(selected(records), "");
	assert_null(records_put(records, "a", "rubbish"));
	assert_string_equal(selected(records), "");
	assert_int_equal(records->batch.to, 1);
	records_free(records);
}

/* Against the obvious way: for each key the last one, keys in memcmp order. */
static void any_batch_is_selected_as_the_obvious_way_does(void **state)
{
	struct records *records = records_new(USERS);

	(void)state;
	srand(7);
	for (int round = 0; round < 60; round++) {
		int count = 1 + rand() % 700, keys = 1 + rand() % (round % 2 ? 900 : 20);
		struct row *const *chosen = NULL;
		size_t last = 0;

		records_clear(records);
		for (int i = 0; i < count; i++) {
			char id[40];

			/* common beginnings: a sort that looks at few bytes must look on */
			snprintf(id, sizeof(id), "%s%d", rand() % 2 ? "common-start-" : "",
				rand() % keys);
			put(records, id, i);
		}
		for (size_t i = 0; i < records->batch.row_count; i += 7)
			records->batch.rows[i].dead = true;
		batch_select(&records->batch);
		chosen = records->batch.selected;
		for (size_t i = 0; i < records->batch.selected_count; i++) {
			const struct row *row = chosen[i];

			assert_false(row->dead);
			if (i > 0) {
				size_t shorter = chosen[i - 1]->sort_key_length;
				int order;

				if (row->sort_key_length < shorter)
					shorter = row->sort_key_length;
				order = memcmp(chosen[i - 1]->sort_key, row->sort_key, shorter);
				assert_true(order < 0 ||
					    (order == 0 && shorter < row->sort_key_length));
			}
		}
		/* every live row is there, or a later one of its key is */
		for (size_t i = 0; i < records->batch.row_count; i++) {
			const struct row *row = &records->batch.rows[i];
			int found = 0;

			for (size_t c = 0; c < records->batch.selected_count; c++)
				found += chosen[c]->offset >= row->offset &&
					 chosen[c]->sort_key_length == row->sort_key_length &&
					 !memcmp(chosen[c]->sort_key, row->sort_key,
						 row->sort_key_length);
			assert_int_equal(found || row->dead, 1);
			last += (size_t)found;
		}
		assert_true(last >= records->batch.selected_count);
	}
	records_free(records);
}

/* ---- sort ------------------------------------------------------------------------------------------ */

#define SORTED 3000

static int by_bytes(const void *a, const void *b)
{
	const struct row *left = ((const struct sort_item *)a)->row;
	const struct row *right = ((const struct sort_item *)b)->row;
	size_t shorter = left->sort_key_length < right->sort_key_length
				 ? left->sort_key_length
				 : right->sort_key_length;
	int order = memcmp(left->sort_key, right->sort_key, shorter);

	if (!order)
		order = (left->sort_key_length > right->sort_key_length) -
			(left->sort_key_length < right->sort_key_length);
	return order ? order : (left > right) - (left < right);
}

/* Keys of few different bytes, NUL among them; long common beginnings; chains of them. */
static uint32_t make_key(int sort, int i, char *key)
{
	uint32_t length = (uint32_t)(rand() % (sort == 0 ? 4 : 40));

	if (sort == 3) /* each goes on where another one ends */
		length = 8 * (uint32_t)(i % 120);
	memset(key, 'a', 1000);
	for (uint32_t at = sort == 2 ? 30 : 0; at < length && sort < 3; at++)
		key[at] = "\0\1ab"[rand() % 4];
	if (sort == 3 && rand() % 2)
		key[length++] = 'b';
	return length;
}

static void keys_of_any_bytes_are_sorted_and_stay_in_order(void **state)
{
	static struct row rows[SORTED];
	static struct sort_item items[2 * SORTED], wanted[SORTED];
	static char keys[SORTED][1001];

	(void)state;
	srand(11);
	for (int round = 0; round < 40; round++) {
		size_t count = (size_t)(rand() % (round < 20 ? 60 : SORTED));

		for (size_t i = 0; i < count; i++) {
			rows[i].sort_key = keys[i];
			rows[i].sort_key_length = make_key(round % 4, (int)i, keys[i]);
			items[i].row = wanted[i].row = &rows[i];
		}
		batch_sort(items, items + count, count);
		qsort(wanted, count, sizeof(*wanted), by_bytes);
		for (size_t i = 0; i < count; i++)
			assert_ptr_equal(items[i].row, wanted[i].row);
	}
}

static void a_steady_load_allocates_nothing(void **state)
{
	static const char value[] =
		"{\"id\":\"k\\u0031\",\"name\":\"n\",\"age\":1,\"occupation\":"
		"\"o\"}";
	struct records *records = records_new(USERS);
	size_t before = 0;

	(void)state;
	for (int turn = 0; turn < 20; turn++) {
		records_clear(records);
		if (turn == 3)
			before = mallinfo2().uordblks + mallinfo2().hblkhd;
		for (int i = 0; i < 500; i++)
			assert_non_null(
				records_put_bytes(records, NULL, 0, value, sizeof(value) - 1));
		batch_select(&records->batch);
		assert_int_equal(records->batch.selected_count, 1);
		if (turn >= 3)
			assert_int_equal(mallinfo2().uordblks + mallinfo2().hblkhd, before);
	}
	records_free(records);
}

/* ---- arena ----------------------------------------------------------------------------------------- */

static void an_arena_keeps_its_blocks_up_to_a_bound(void **state)
{
	struct arena arena = {0};
	size_t bytes;

	(void)state;
	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < 1000; i++) {
			char *memory = arena_alloc(&arena, (size_t)(i * 7 % 900));

			assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
			memset(memory, turn, (size_t)(i * 7 % 900));
		}
		if (turn == 0)
			bytes = arena.bytes;
		assert_int_equal(arena.bytes, bytes);
		arena_clear(&arena, 1 << 20);
	}
	memset(arena_alloc(&arena, 5 << 20), 1, 5 << 20); /* larger than a block */
	assert_true(arena.bytes > 5 << 20);
	arena_clear(&arena, 1 << 20);
	assert_true(arena.bytes <= 1 << 20);
	assert_memory_equal(arena_copy(&arena, "abc", 3), "abc", 3);
	arena_release(&arena);
	assert_int_equal(arena.bytes, 0);
}

/* ---- digest ---------------------------------------------------------------------------------------- */

static uint32_t digest(const char *key, const char *value)
{
	rd_kafka_message_t message = {.err = RD_KAFKA_RESP_ERR_UNKNOWN,
		.key = (void *)(uintptr_t)key,
		.key_len = key ? strlen(key) : 0,
		.payload = (void *)(uintptr_t)value,
		.len = value ? strlen(value) : 0};

	return record_digest(&message);
}

static void a_digest_tells_records_apart(void **state)
{
	(void)state;
	assert_int_equal(digest("a", "b"), digest("a", "b"));
	assert_int_not_equal(digest("a", "b"), digest("ab", ""));
	assert_int_not_equal(digest("ab", ""), digest("", "ab"));
	assert_int_not_equal(digest("a", NULL), digest("a", ""));
	assert_int_not_equal(digest(NULL, "a"), digest("", "a"));
	assert_int_not_equal(digest("a", "b"), digest("a", "c"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_record_of_a_key_wins_sorted_by_key),
		cmocka_unit_test(an_earlier_record_takes_the_place_of_a_dead_one),
		cmocka_unit_test(appends_keep_all_in_offset_order),
		cmocka_unit_test(dead_records_move_the_position_all_the_same),
		cmocka_unit_test(a_batch_of_nothing_but_dead_records_selects_nothing),
		cmocka_unit_test(any_batch_is_selected_as_the_obvious_way_does),
		cmocka_unit_test(keys_of_any_bytes_are_sorted_and_stay_in_order),
		cmocka_unit_test(a_steady_load_allocates_nothing),
		cmocka_unit_test(an_arena_keeps_its_blocks_up_to_a_bound),
		cmocka_unit_test(a_digest_tells_records_apart),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
