/* consumer/pipeline/gate: as many inside as may be, and nobody waits for ever. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "common/clock.h"
#include "consumer/pipeline/gate.h"

#define THREADS 8
#define ROUNDS	200

static struct gate gate;
static _Atomic int inside, most;

static void *in_and_out(void *unused)
{
	static const struct timespec nap = {.tv_nsec = 20000};

	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		int now;

		gate_enter(&gate);
		now = atomic_fetch_add(&inside, 1) + 1;
		for (int seen = atomic_load(&most); now > seen;) {
			if (atomic_compare_exchange_weak(&most, &seen, now))
				break;
		}
		nanosleep(&nap, NULL);
		atomic_fetch_sub(&inside, 1);
		gate_leave(&gate);
	}
	return NULL;
}

static int most_with(int limit)
{
	pthread_t threads[THREADS];

	gate_init(&gate, limit);
	atomic_store(&most, 0);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, in_and_out, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	gate_release(&gate);
	return atomic_load(&most);
}

static void no_more_than_the_limit_are_inside(void **state)
{
	(void)state;
	assert_int_equal(most_with(1), 1);
	assert_in_range(most_with(3), 2, 3);
}

static void without_a_limit_all_are(void **state)
{
	(void)state;
	assert_in_range(most_with(0), 4, THREADS);
}

static void who_waited_long_enough_goes_in(void **state)
{
	int64_t start_ms = clock_mono_ms();

	(void)state;
	gate_init(&gate, 1);
	gate_enter(&gate);
	assert_true(clock_mono_ms() - start_ms < GATE_PATIENCE_MS);
	gate_enter(&gate);
	assert_true(clock_mono_ms() - start_ms >= GATE_PATIENCE_MS - 1);
	gate_leave(&gate);
	gate_leave(&gate);
	gate_release(&gate);
}

static void *enter(void *unused)
{
	(void)unused;
	gate_enter(&gate);
	atomic_store(&inside, 1);
	return NULL;
}

static void a_higher_limit_lets_the_waiting_in(void **state)
{
	static const struct timespec nap = {.tv_nsec = 10000000};
	int64_t start_ms;
	pthread_t thread;

	(void)state;
	gate_init(&gate, 1);
	gate_enter(&gate);
	atomic_store(&inside, 0);
	start_ms = clock_mono_ms();
	pthread_create(&thread, NULL, enter, NULL);
	nanosleep(&nap, NULL);
	gate_set_limit(&gate, 2);
	pthread_join(thread, NULL);
	assert_int_equal(atomic_load(&inside), 1);
	assert_true(clock_mono_ms() - start_ms < GATE_PATIENCE_MS);
	gate_leave(&gate);
	gate_leave(&gate);
	gate_release(&gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_than_the_limit_are_inside),
		cmocka_unit_test(without_a_limit_all_are),
		cmocka_unit_test(who_waited_long_enough_goes_in),
		cmocka_unit_test(a_higher_limit_lets_the_waiting_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
