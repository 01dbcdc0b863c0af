/* common/murmur2: the vectors of Kafka's own tests. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "common/murmur2.h"

static void the_hash_is_the_java_clients(void **state)
{
	static const struct {
		const char *key;
		int32_t hash;
	} vectors[] = {
		{"21", -973932308},
		{"foobar", -790332482},
		{"a-little-bit-long-string", -985981536},
		{"a-little-bit-longer-string", -1486304829},
		{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
		{"abc", 479470107},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_int_equal((int32_t)murmur2(vectors[i].key, strlen(vectors[i].key)),
			vectors[i].hash);
}

static void a_negative_hash_is_made_positive_as_java_does(void **state)
{
	(void)state;
	assert_int_equal(
		murmur2_partition("foobar", 6, 6), (int32_t)((-790332482 & 0x7fffffff) % 6));
	assert_int_equal(murmur2_partition("", 0, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_the_java_clients),
		cmocka_unit_test(a_negative_hash_is_made_positive_as_java_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
