/*
 * run: checks everything that can be wrong before the first record (servers, tables, topics,
 * rights, who owns the table), then hands over to the pool until a signal drains it.
 */
#include "common/clock.h"
#include "common/kafka_conf.h"
#include "common/kafka_topic.h"
#include "common/log.h"
#include "consumer/failure/deadletter.h"
#include "consumer/pipeline/bare.h"
#include "consumer/pipeline/gate.h"
#include "consumer/pipeline/mysql_check.h"
#include "consumer/pipeline/mysql_facts.h"
#include "consumer/pool/pool.h"
#include "consumer/verbs/fetch_limits.h"
#include "consumer/verbs/run_watch.h"
#include "consumer/verbs/settings.h"
#include "consumer/verbs/verbs.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Below the shortest session timeout: the next owner finds the ledger's lock free. */
#define IDLE_TRANSACTION_S 5

struct run {
	struct consumer_options *options;
	struct settings settings;
	struct meters meters;
	struct gate mysql_gate;
	struct deadletters *letters;
	struct rebuild *rebuild;
	struct pipeline pipeline;
	struct pool *pool;
	struct run_watch *watch;
	int workers;
	bool blank; /* no table with a cache has a row, and Redis no key */
};

static _Atomic(struct pool *) pool_to_drain; /* for the signal handler */
static _Atomic int stop_asked;

static void on_signal(int number)
{
	struct pool *pool = atomic_load(&pool_to_drain);

	(void)number;
	atomic_fetch_add(&stop_asked, 1);
	if (pool)
		pool_drain(pool);
}

/* From the first moment: a stop that comes before there is a pool must not be lost. */
static void handle_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

static void let_signals_drain(struct pool *pool)
{
	atomic_store(&pool_to_drain, pool);
	if (pool && atomic_load(&stop_asked) > 0)
		pool_drain(pool);
}

static int parse_workers(
	const struct consumer_options *options, int *workers, struct errmsg *msg)
{
	const char *text = options->workers;
	char *end;
	long count;

	*workers = 0;
	if (strcmp(text, "auto") == 0)
		return 0;
	count = strtol(text, &end, 10);
	if (*end || count < 1 || count > 256)
		return errmsg_set(msg, ERR_CONFIG,
			"option workers (%s): '%s' is neither auto nor a number from 1 to 256",
			conf_origin(&options->conf, "workers"), text);
	*workers = (int)count;
	return 0;
}

/* ---- checks at start ------------------------------------------------------------------------- */

static int topic_partitions(
	struct run *run, rd_kafka_t *kafka, const char *topic, int *count, struct errmsg *msg)
{
	int err = kafka_topic_look(kafka, topic, (int)run->options->kafka_timeout, count, msg);

	if (err != 0)
		errmsg_wrap(msg, "option kafka.brokers: %s", run->options->kafka_brokers);
	else if (*count == 0)
		err = errmsg_set(msg, ERR_UNAVAILABLE,
			"option topic: %s does not exist (create it: kafka-topics.sh --create "
			"--topic %s --partitions 6)",
			topic, topic);
	return err;
}

static int check_kafka(struct run *run, int *partitions, struct errmsg *msg)
{
	rd_kafka_conf_t *conf;
	rd_kafka_t *kafka;
	char text[512];
	int err = settings_kafka(&run->settings, "wt-consumer-check", &conf, msg);

	if (err != 0)
		return err;
	kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
	if (!kafka) {
		rd_kafka_conf_destroy(conf);
		return errmsg_set(msg, ERR_CONFIG, "kafka client: %s", text);
	}
	for (int i = 0; err == 0 && i < run->settings.mapping.route_count; i++) {
		const char *topic = run->settings.mapping.routes[i].topic;

		err = topic_partitions(run, kafka, topic, &partitions[i], msg);
		run->settings.mapping.routes[i].partitions = partitions[i];
		if (err == 0)
			err = deadletters_check(run->letters, topic, partitions[i],
				run->options->deadletter_create, msg);
	}
	rd_kafka_destroy(kafka);
	return err;
}

static int check_mysql(struct run *run, const int *partitions, struct errmsg *msg)
{
	struct mysql_store *store = mysql_store_new(&run->settings.mysql);
	struct store_error error = {.row = -1};
	enum verdict v = mysql_store_connect(store, &error);
	int err;

	for (int i = 0; v == VERDICT_DONE && i < run->settings.mapping.route_count; i++) {
		struct route *route = &run->settings.mapping.routes[i];
		struct errmsg warning = {""};

		v = mysql_store_check(store, route, partitions[i], &warning, &error);
		if (warning.text[0])
			log_event(LOG_WARN, "mysql_table",
				LOG_F("table", LOG_STR(route->table)),
				LOG_F("warning", LOG_STR(warning.text)));
		if (v == VERDICT_DONE && run->blank && route->cache != CACHE_NONE)
			v = mysql_store_is_empty(store, route, &run->blank, &error);
	}
	err = v == VERDICT_DONE ? 0 : settings_store_error(&error, v, msg);
	mysql_store_free(store);
	return err;
}

static int check_redis(struct run *run, struct errmsg *msg)
{
	struct redis_store *store = redis_store_new(&run->settings.redis);
	struct store_error error = {.row = -1};
	struct errmsg warning = {""};
	enum verdict v = redis_store_connect(store, &error);
	int err;

	if (v == VERDICT_DONE)
		v = redis_store_check(store, &warning, &error);
	if (v == VERDICT_DONE && run->blank)
		v = redis_store_is_empty(store, &run->blank, &error);
	if (warning.text[0])
		log_event(LOG_WARN, "redis_policy", LOG_F("warning", LOG_STR(warning.text)));
	err = v == VERDICT_DONE ? 0 : settings_store_error(&error, v, msg);
	redis_store_free(store);
	return err;
}

static int check_all(struct run *run, struct errmsg *msg)
{
	int *partitions = calloc((size_t)run->settings.mapping.route_count + 1, sizeof(int));
	int err = partitions ? check_kafka(run, partitions, msg) : ERR_BUG;

	run->blank = true;
	if (err == 0)
		err = check_mysql(run, partitions, msg);
	if (err == 0)
		err = check_redis(run, msg);
	free(partitions);
	return err;
}

/* A server that is still starting is waited for; a mistake is not. */
static int check_until(struct run *run, struct errmsg *msg)
{
	int64_t deadline_ms = clock_mono_ms() + run->options->start_timeout;
	struct timespec pause = {.tv_nsec = 250000000};
	int err;

	while ((err = check_all(run, msg)) == ERR_UNAVAILABLE &&
		clock_mono_ms() < deadline_ms && atomic_load(&stop_asked) == 0) {
		log_limited(LOG_WARN, "waiting_for_server", LOG_F("error", LOG_STR(msg->text)));
		nanosleep(&pause, NULL);
	}
	return err;
}

/* ---- making the parts --------------------------------------------------------------------------- */

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct errmsg *msg)
{
	char text[512];

	if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
		return errmsg_set(msg, ERR_CONFIG, "kafka.%s: %s", name, text);
	return 0;
}

static int set_number(
	rd_kafka_conf_t *conf, const char *name, int64_t value, struct errmsg *msg)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	return set(conf, name, text, msg);
}

static int make_letters(struct run *run, struct errmsg *msg)
{
	rd_kafka_conf_t *conf;
	int err = settings_kafka(&run->settings, "wt-consumer-deadletters", &conf, msg);

	if (err != 0)
		return err;
	err = set(conf, "enable.idempotence", "true", msg);
	if (err == 0)
		err = set(conf, "partitioner", "murmur2_random", msg);
	if (err == 0)
		err = set_number(
			conf, "message.timeout.ms", run->options->deadletter_timeout, msg);
	if (err == 0)
		err = set(conf, "linger.ms", "0", msg);
	if (err != 0) {
		rd_kafka_conf_destroy(conf);
		return err;
	}
	return deadletters_new(&run->letters, conf, run->options->deadletter_topic,
		run->options->group, (int)run->options->deadletter_timeout, msg);
}

/* Settings that the protocol depends on; kafka.* may not change them. */
static int consumer_conf(struct run *run, rd_kafka_conf_t *conf, struct errmsg *msg)
{
	static const char *const fixed[][2] = {
		{"enable.auto.commit", "false"},
		{"enable.auto.offset.store", "false"},
		{"auto.offset.reset", "error"}, /* never skip: claim decides */
		{"enable.partition.eof", "true"},
		{"isolation.level", "read_committed"},
		{"allow.auto.create.topics", "false"},
	};
	int err = 0;

	for (size_t i = 0; err == 0 && i < sizeof(fixed) / sizeof(fixed[0]); i++)
		err = set(conf, fixed[i][0], fixed[i][1], msg);
	if (err == 0)
		err = set(conf, "group.id", run->options->group, msg);
	if (err == 0 && run->options->instance_id)
		err = set(conf, "group.instance.id", run->options->instance_id, msg);
	if (err == 0)
		err = set_number(
			conf, "session.timeout.ms", run->options->session_timeout, msg);
	/* members learn of a rebalance by a heartbeat: it is what the others wait for */
	if (err == 0)
		err = kafka_conf_default(
			conf, &run->options->conf, "heartbeat.interval.ms", "500", msg);
	if (err == 0)
		err = fetch_limits(run->options, conf, msg);
	return err;
}

static int start_rebuild(struct run *run, struct errmsg *msg)
{
	struct rebuild_config config = {.mapping = &run->settings.mapping,
		.mysql = &run->settings.mysql,
		.redis = &run->settings.redis,
		.rows_per_s = run->options->cache_rebuild_rate};

	if (run->options->cache_rebuild != 0) /* off */
		return 0;
	run->rebuild = rebuild_new(&config);
	return rebuild_start(run->rebuild, msg);
}

static int make_pool(struct run *run, struct errmsg *msg)
{
	struct consumer_options *options = run->options;
	struct pool_config config = {.pipeline = &run->pipeline,
		.mapping = &run->settings.mapping,
		.workers = run->workers,
		.workers_min = (int)options->workers_min,
		.workers_max = (int)options->workers_max,
		.workers_calm_ms = options->workers_calm,
		.drain_timeout_ms = options->drain_timeout,
		.watchdog_ms = options->watchdog,
		.hold_bytes = (uint64_t)(options->fetch_bytes + 16 * options->batch_bytes),
		.rebuild = run->rebuild};
	int err = settings_kafka(&run->settings, "wt-consumer", &config.conf, msg);

	if (err != 0)
		return err;
	err = consumer_conf(run, config.conf, msg);
	if (err != 0) {
		rd_kafka_conf_destroy(config.conf);
		return err;
	}
	run->pipeline = (struct pipeline){.group = options->group,
		.mysql = run->settings.mysql,
		.mysql_gate = &run->mysql_gate,
		.mysql_concurrency = (int)options->mysql_concurrency,
		.redis = run->settings.redis,
		.deadletters = run->letters,
		.meters = &run->meters,
		.batch_records = (size_t)options->batch_records,
		.batch_bytes = (size_t)options->batch_bytes,
		.batch_compact = (size_t)options->batch_compact,
		.blank = run->blank,
		.start_latest = options->auto_offset_reset == 1,
		.kafka_timeout_ms = (int)options->kafka_timeout,
		.fence_look_ms = options->fence_look,
		.stopped_retry_ms = options->stopped_retry,
		.commit_interval_ms = options->commit_interval};
	run->pipeline.mysql.idle_timeout_s = IDLE_TRANSACTION_S;
	return pool_new(&run->pool, &config, &run->pipeline, msg);
}

static int start_and_run(struct run *run, struct errmsg *msg)
{
	int err = make_letters(run, msg);

	if (err == 0)
		err = check_until(run, msg);
	if (err == 0)
		err = start_rebuild(run, msg);
	if (err == 0)
		err = make_pool(run, msg);
	if (err == 0)
		err = run_watch_start(
			&run->watch, &run->settings, run->pool, &run->meters, msg);
	if (err != 0)
		return err;
	let_signals_drain(run->pool);
	if (BARE)
		log_event(LOG_WARN, "bare_build",
			LOG_F("means", LOG_STR("no ledger, no fence: for make bench alone")));
	log_event(LOG_INFO, "started", LOG_F("version", LOG_STR(WT_VERSION)),
		LOG_F("group", LOG_STR(run->options->group)),
		LOG_F("brokers", LOG_STR(run->options->kafka_brokers)));
	err = pool_run(run->pool, msg);
	let_signals_drain(NULL);
	return err;
}

int verb_run(struct consumer_options *options, struct errmsg *msg)
{
	struct run *run = calloc(1, sizeof(*run));
	int err;

	if (!run)
		return errmsg_set(msg, ERR_BUG, "out of memory");
	handle_signals();
	run->options = options;
	gate_init(&run->mysql_gate, (int)options->mysql_concurrency);
	meters_init(&run->meters);
	err = parse_workers(options, &run->workers, msg);
	if (err == 0)
		err = settings_init(&run->settings, options, msg);
	if (err == 0)
		err = start_and_run(run, msg);
	run_watch_stop(run->watch);
	pool_free(run->pool);
	rebuild_free(run->rebuild);
	deadletters_free(run->letters);
	settings_release(&run->settings);
	meters_release(&run->meters);
	gate_release(&run->mysql_gate);
	free(run);
	return err;
}
