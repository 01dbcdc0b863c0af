/* consumer/pipeline: key_index. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/pipeline/key_index.h"

#define MANY 300000 /* among so many a few have the same 32 bits of hash */

static void keys_are_told_apart_and_found_again(void **state)
{
	struct row *rows = calloc(MANY + 1, sizeof(*rows));
	char(*keys)[20] = calloc(MANY, sizeof(*keys));
	struct key_index index = {0};

	(void)state;
	assert_true(rows && keys);
	for (int again = 0; again < 2; again++) { /* a new beginning forgets all */
		key_index_begin(&index);
		for (size_t i = 0; i < MANY; i++) {
			rows[i].sort_key = keys[i];
			rows[i].sort_key_length =
				(uint32_t)sprintf(keys[i], i % 2 ? "%zu" : "longer-key-%zu", i);
			assert_int_equal(key_index_put(&index, rows, i), i);
		}
		for (size_t i = 0; i < MANY; i += 997) {
			char copy[20];

			memcpy(copy, keys[i], sizeof(copy));
			rows[MANY] = rows[i];
			rows[MANY].sort_key = copy;
			assert_int_equal(key_index_put(&index, rows, MANY), i);
		}
		assert_int_equal(index.count, MANY);
	}
	key_index_release(&index);
	free(rows);
	free(keys);
}

static void a_key_is_all_of_its_bytes(void **state)
{
	static const char bytes[] = "a\0b\0a\0b\0a\0b\0a\0b\0a\0b";
	struct row rows[sizeof(bytes)];
	struct key_index index = {0};

	(void)state;
	key_index_begin(&index);
	for (size_t i = 0; i < sizeof(bytes); i++) { /* from none of them to all */
		rows[i] = (struct row){.sort_key = bytes, .sort_key_length = (uint32_t)i};
		assert_int_equal(key_index_put(&index, rows, i), i);
	}
	key_index_release(&index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_told_apart_and_found_again),
		cmocka_unit_test(a_key_is_all_of_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
