/* common/lag_source against brokers that are down: librdkafka's mock cluster. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "common/clock.h"
#include "common/lag_math.h"
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

/* Two brokers; users/0 is led by the first, users/1 by the second, a record in each. */
struct cluster {
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *mock;
	struct lag_source *source;
	rd_kafka_topic_partition_list_t *list;
};

static void cluster_open(struct cluster *c)
{
	char why[256];
	struct errmsg msg = {""};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	rd_kafka_conf_set(conf, "test.mock.num.brokers", "2", why, sizeof(why));
	c->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	c->mock = rd_kafka_handle_mock_cluster(c->rk);
	rd_kafka_mock_topic_create(c->mock, "users", 2, 1);
	for (int32_t p = 0; p < 2; p++) {
		rd_kafka_mock_partition_set_leader(c->mock, "users", p, p + 1);
		assert_int_equal(rd_kafka_producev(c->rk, RD_KAFKA_V_TOPIC("users"),
					 RD_KAFKA_V_PARTITION(p), RD_KAFKA_V_VALUE("x", 1),
					 RD_KAFKA_V_END),
			0);
	}
	assert_int_equal(rd_kafka_flush(c->rk, 10000), 0);
	conf = rd_kafka_conf_new();
	rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(c->mock),
		why, sizeof(why));
	assert_int_equal(lag_source_open(&c->source, "g", conf, 3000, &msg), 0);
	c->list = rd_kafka_topic_partition_list_new(2);
}

static void cluster_close(struct cluster *c)
{
	rd_kafka_topic_partition_list_destroy(c->list);
	lag_source_close(c->source);
	rd_kafka_destroy(c->rk);
}

static int64_t ask_bounds(struct cluster *c, int64_t *end, int *rc)
{
	int64_t low[2], start = clock_mono_ms();
	struct errmsg msg = {""};

	*rc = lag_source_bounds(c->source, c->list, low, end, &msg);
	return clock_mono_ms() - start;
}

static void ask_topic(struct cluster *c)
{
	struct errmsg msg = {""};

	assert_int_equal(lag_source_topic(c->source, "users", c->list, &msg), 0);
}

static void a_partition_without_a_leader_hides_no_other(void **state)
{
	struct cluster c;
	int64_t end[2];
	int rc;

	(void)state;
	cluster_open(&c);
	rd_kafka_mock_partition_set_leader(c.mock, "users", 1, -1);
	ask_topic(&c);
	assert_in_range(ask_bounds(&c, end, &rc), 0, 2000);
	assert_int_equal(rc, 0);
	assert_int_equal(end[0], 1);
	assert_int_equal(end[1], LAG_UNKNOWN);
	cluster_close(&c);
}

/* The cluster has not noticed yet, or only we do not reach it. */
static void a_leader_that_is_down_hides_no_other_from_the_second_time_on(void **state)
{
	struct cluster c;
	int64_t end[2];
	int rc;

	(void)state;
	cluster_open(&c);
	ask_topic(&c);
	ask_bounds(&c, end, &rc);
	assert_int_equal(rc, 0);
	assert_true(end[0] == 1 && end[1] == 1);
	rd_kafka_mock_broker_set_down(c.mock, 2);
	ask_bounds(&c, end, &rc);
	assert_int_equal(rc, ERR_UNAVAILABLE);
	assert_in_range(ask_bounds(&c, end, &rc), 0, 2000);
	assert_int_equal(rc, 0);
	assert_int_equal(end[0], 1);
	assert_int_equal(end[1], LAG_UNKNOWN);
	rd_kafka_mock_broker_set_up(c.mock, 2);
	for (int i = 0; i < 20 && end[1] == LAG_UNKNOWN; i++)
		ask_bounds(&c, end, &rc);
	assert_int_equal(end[1], 1);
	cluster_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broker_that_is_down_costs_a_round_a_second_at_most),
		cmocka_unit_test(a_partition_without_a_leader_hides_no_other),
		cmocka_unit_test(a_leader_that_is_down_hides_no_other_from_the_second_time_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
