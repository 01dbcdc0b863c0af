/* common/lag_member: assignments as other clients write them, and bytes that are none. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/lag_member.h"

static const uint8_t two_topics[] = {
	0, 1, 0, 0, 0, 2, /* version 1, two topics */
	0, 2, 'a', 'b', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5, /* ab: 0 5 */
	0, 1, 'c', 0, 0, 0, 1, 0, 0, 1, 0, /* c: 256 */
	0xff, 0xff, 0xff, 0xff, /* no user data */
};

/* From a heap block of that exact size, so that reading past it is seen. */
static rd_kafka_topic_partition_list_t *parse(const void *bytes, size_t size)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	void *copy = malloc(size + !size);
	memcpy(copy, bytes, size);
	lag_member_assignment(copy, (int)size, "me@here", list);
	free(copy);
	return list;
}

static void every_partition_has_its_owner(void **state)
{
	(void)state;
	rd_kafka_topic_partition_list_t *list = parse(two_topics, sizeof(two_topics));
	assert_int_equal(list->cnt, 3);
	assert_string_equal(list->elems[1].topic, "ab");
	assert_int_equal(list->elems[1].partition, 5);
	assert_string_equal(list->elems[2].topic, "c");
	assert_int_equal(list->elems[2].partition, 256);
	assert_string_equal(list->elems[2].metadata, "me@here");
	rd_kafka_topic_partition_list_destroy(list);
}

static void cut_bytes_give_what_was_whole(void **state)
{
	(void)state;
	int last = 0;
	for (size_t size = 0; size <= sizeof(two_topics); size++) {
		rd_kafka_topic_partition_list_t *list = parse(two_topics, size);
		assert_true(list->cnt >= last && list->cnt <= 3);
		last = list->cnt;
		rd_kafka_topic_partition_list_destroy(list);
	}
	assert_int_equal(last, 3);
}

static void random_bytes_do_no_harm(void **state)
{
	(void)state;
	uint8_t bytes[64];
	srandom(7);
	for (int i = 0; i < 20000; i++) {
		memcpy(bytes, two_topics, sizeof(two_topics));
		for (int k = 0; k < 3; k++)
			bytes[random() % (long)sizeof(two_topics)] = (uint8_t)random();
		rd_kafka_topic_partition_list_destroy(parse(bytes, sizeof(two_topics)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_partition_has_its_owner),
		cmocka_unit_test(cut_bytes_give_what_was_whole),
		cmocka_unit_test(random_bytes_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
