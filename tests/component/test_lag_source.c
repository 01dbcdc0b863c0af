/* common/lag_source against brokers that are down: librdkafka's mock cluster. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "common/clock.h"
#include "common/lag_source.h"

/* Every broker is asked for the members; the figures of a round wait for that. */
static void a_broker_that_is_down_costs_a_round_a_second_at_most(void **state)
{
	char why[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof(why));
	rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, 2);
	struct lag_source *source;
	struct lag_group group = {0};
	struct errmsg msg = {""};

	(void)state;
	rd_kafka_mock_broker_set_rtt(cluster, 2, 60000);
	rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster),
		why, sizeof(why));
	assert_int_equal(lag_source_open(&source, "g", conf, 5000, &msg), 0);
	int64_t start = clock_mono_ms();
	lag_source_group(source, &group, &msg);
	assert_in_range(clock_mono_ms() - start, 0, 3000);
	lag_group_release(&group);
	lag_source_close(source);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(rk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broker_that_is_down_costs_a_round_a_second_at_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
