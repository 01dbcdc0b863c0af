/*
 * The main thread: polls Kafka (rebalance.c runs inside that poll), commits (commit.c), moves
 * partitions between workers (scale.c), looks for stuck ones (watchdog.c).
 */
#include "consumer/pool/pool.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "consumer/failure/deadletter.h"
#include "consumer/pool/pool_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS		 20
#define WATCH_EVERY_MS	 1000
#define REBUILD_EVERY_MS 200
#define LEAVE_LEAST_MS	 1000

void pool_mark(struct pool *pool, const char *kind, const char *text)
{
	struct snapshot_mark mark = {.wall_ms = clock_wall_ms()};

	snprintf(mark.kind, sizeof(mark.kind), "%s", kind);
	snprintf(mark.text, sizeof(mark.text), "%s", text);
	pthread_mutex_lock(&pool->mu);
	pool->marks[pool->mark_total++ % SNAPSHOT_MARKS] = mark;
	pthread_mutex_unlock(&pool->mu);
}

static int subscribe(struct pool *pool, struct errmsg *msg)
{
	const struct mapping *mapping = pool->config.mapping;
	rd_kafka_topic_partition_list_t *topics =
		rd_kafka_topic_partition_list_new(mapping->route_count);
	rd_kafka_resp_err_t err;

	for (int i = 0; i < mapping->route_count; i++)
		rd_kafka_topic_partition_list_add(
			topics, mapping->routes[i].topic, RD_KAFKA_PARTITION_UA);
	err = rd_kafka_subscribe(pool->kafka, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	if (err)
		return errmsg_set(
			msg, ERR_UNAVAILABLE, "kafka: subscribe: %s", rd_kafka_err2str(err));
	return 0;
}

static size_t queued_min(const rd_kafka_conf_t *conf)
{
	char value[32];
	size_t bytes = sizeof(value);

	if (rd_kafka_conf_get(conf, "queued.min.messages", value, &bytes) != RD_KAFKA_CONF_OK)
		return 0;
	return strtoul(value, NULL, 10);
}

static void fetch_soon(void *user, const char *topic, int32_t partition)
{
	struct pool *pool = user;

	refill_ask(pool->refill, topic, partition);
}

int pool_new(struct pool **out, struct pool_config *config, struct pipeline *pipeline,
	struct errmsg *msg)
{
	struct pool *pool = mem_zero(1, sizeof(*pool));
	char text[512];
	int err;

	pool->config = *config;
	pool->pipeline = pipeline;
	pool->started_wall_ms = clock_wall_ms();
	atomic_init(&pool->wanted_workers, config->workers);
	struct autoscale_limits limits = autoscale_limits_default;

	if (config->workers_calm_ms > 0)
		limits.down_hold_ms = config->workers_calm_ms;
	autoscale_init(&pool->autoscale, &limits);
	pthread_mutex_init(&pool->mu, NULL);
	rd_kafka_conf_set_opaque(config->conf, pool);
	rd_kafka_conf_set_rebalance_cb(config->conf, pool_on_rebalance);
	rd_kafka_conf_set_offset_commit_cb(config->conf, pool_on_commit);
	pipeline->queued_min = queued_min(config->conf);
	pool->kafka = rd_kafka_new(RD_KAFKA_CONSUMER, config->conf, text, sizeof(text));
	if (!pool->kafka) {
		rd_kafka_conf_destroy(config->conf);
		pthread_mutex_destroy(&pool->mu);
		free(pool);
		return errmsg_set(msg, ERR_CONFIG, "kafka consumer: %s", text);
	}
	rd_kafka_poll_set_consumer(pool->kafka);
	pool->queue = rd_kafka_queue_get_consumer(pool->kafka);
	pipeline->kafka = pool->kafka;
	pipeline->commit_soon = pool_commit_soon;
	pipeline->pool_user = pool;
	pool->refill = refill_new(pool->kafka);
	pipeline->fetch_soon = fetch_soon;
	if (!pool->refill)
		pipeline->queued_min = 0;
	err = subscribe(pool, msg);
	if (err != 0) {
		pool_free(pool);
		return err;
	}
	*out = pool;
	return 0;
}

/* A client with a fatal error never works again; another process may. */
static void give_up_for_good(struct pool *pool)
{
	char text[512] = "";
	rd_kafka_resp_err_t err = rd_kafka_fatal_error(pool->kafka, text, sizeof(text));

	if (err == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
		pool->failed = errmsg_set(&pool->why, ERR_CONFIG,
			"option group.instance.id: another process has come into group %s with "
			"the same one: each needs its own",
			pool->pipeline->group);
	else
		pool->failed = errmsg_set(&pool->why, ERR_UNAVAILABLE, "kafka: %s", text);
	pool_drain(pool);
}

/* Only errors arrive here: the partitions' queues are their workers'. */
static void on_message(struct pool *pool, rd_kafka_message_t *message)
{
	if (message->err == RD_KAFKA_RESP_ERR__FATAL && !pool->failed)
		give_up_for_good(pool);
	else if (message->err == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED)
		log_event(LOG_ERROR, "left_group_for_not_polling",
			LOG_F("error", LOG_STR(rd_kafka_message_errstr(message))));
	else if (message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
		log_limited(LOG_WARN, "kafka_error",
			LOG_F("error", LOG_STR(rd_kafka_message_errstr(message))));
	else if (!message->err)
		log_limited(LOG_ERROR, "record_on_main_queue",
			LOG_F("partition", LOG_INT(message->partition)),
			LOG_F("offset", LOG_INT(message->offset)));
	rd_kafka_message_destroy(message);
}

static void note_member(struct pool *pool)
{
	char *member = rd_kafka_memberid(pool->kafka);

	if (!member)
		return;
	pthread_mutex_lock(&pool->mu);
	snprintf(pool->member, sizeof(pool->member), "%s", member);
	pthread_mutex_unlock(&pool->mu);
	rd_kafka_mem_free(pool->kafka, member);
}

static void tick(struct pool *pool)
{
	int64_t now = clock_mono_ms();

	pool_tend_commit(pool);
	pool_hold(pool);
	if (now >= pool->next_watch_ms) {
		pool->next_watch_ms = now + WATCH_EVERY_MS;
		note_member(pool);
		pool_watch(pool);
		pool_autoscale(pool);
	}
	if (now >= pool->next_rebuild_ms) {
		pool->next_rebuild_ms = now + REBUILD_EVERY_MS;
		pool_tend_rebuild(pool);
	}
	pool_rescale(pool, "asked for");
}

/*
 * Leaves the group. The coordinator may not answer at all, and the library would wait for it. Also
 * past the deadline it is asked: otherwise the others wait a session timeout for our partitions.
 */
static void leave_group(struct pool *pool)
{
	int64_t least_ms = clock_mono_ms() + LEAVE_LEAST_MS;
	int64_t deadline_ms =
		pool->drain_deadline_ms > least_ms ? pool->drain_deadline_ms : least_ms;
	rd_kafka_queue_t *queue = rd_kafka_queue_new(pool->kafka);
	rd_kafka_error_t *error = rd_kafka_consumer_close_queue(pool->kafka, queue);

	if (error) { /* after a fatal one it closes nothing */
		rd_kafka_error_destroy(error);
		rd_kafka_queue_destroy(queue);
		pool->left_alone = true;
		return;
	}
	while (!rd_kafka_consumer_closed(pool->kafka) && clock_mono_ms() < deadline_ms &&
		atomic_load(&pool->drain_calls) < 2)
		rd_kafka_queue_poll_callback(queue, POLL_MS);
	if (!rd_kafka_consumer_closed(pool->kafka)) {
		pool->left_alone = true;
		log_event(LOG_WARN, "group_not_left",
			LOG_F("reason", LOG_STR("its coordinator does not answer")));
	}
	rd_kafka_queue_destroy(queue);
}

int pool_run(struct pool *pool, struct errmsg *msg)
{
	int64_t start_ms;

	while (atomic_load(&pool->drain_calls) == 0) {
		rd_kafka_message_t *message =
			rd_kafka_consumer_poll(pool->kafka, pool_commit_wait_ms(pool, POLL_MS));

		if (message)
			on_message(pool, message);
		tick(pool);
	}
	start_ms = clock_mono_ms();
	pool->drain_deadline_ms = start_ms + pool->config.drain_timeout_ms;
	log_event(LOG_INFO, "draining",
		LOG_F("timeout_ms", LOG_INT(pool->config.drain_timeout_ms)));
	pool_mark(pool, "drain", pool->failed ? pool->why.text : "asked to stop");
	pool_give_up(pool, NULL);
	leave_group(pool);
	pool_stop_workers(pool);
	log_event(LOG_INFO, pool->unfinished ? "stopped_unfinished" : "drained",
		LOG_F("took_ms", LOG_INT(clock_mono_ms() - start_ms)));
	if (pool->failed)
		*msg = pool->why;
	else if (pool->unfinished)
		return errmsg_set(msg, ERR_UNFINISHED,
			"stopped at the drain deadline; what was in hand comes again");
	return pool->failed;
}

void pool_free(struct pool *pool)
{
	bool alone;

	if (!pool)
		return;
	alone = !refill_free(pool->refill) || pool->left_alone;
	rd_kafka_queue_destroy(pool->queue);
	/* Destroying waits for the same answer; the process ends now, and the handle with it. */
	if (!alone)
		rd_kafka_destroy(pool->kafka);
	pthread_mutex_destroy(&pool->mu);
	free(pool->partitions);
	free(pool);
}

void pool_drain(struct pool *pool)
{
	atomic_fetch_add(&pool->drain_calls, 1);
}

int64_t pool_deadline_ms(const struct pool *pool)
{
	if (pool->drain_deadline_ms)
		return pool->drain_deadline_ms;
	return clock_mono_ms() + pool->config.drain_timeout_ms;
}

void pool_wait_back(struct pool *pool, struct pool_partition *item)
{
	int64_t deadline_ms = pool_deadline_ms(pool);

	while (!worker_wait_back(item->worker, item->p, clock_mono_ms() + 100)) {
		bool now = atomic_load(&pool->drain_calls) > 1;

		if (clock_mono_ms() < deadline_ms && !now)
			continue;
		/* Its calls are bounded by the io timeouts; this makes them end at once. */
		log_limited(LOG_WARN, "drain_deadline",
			LOG_F("topic", LOG_STR(item->p->route->topic)),
			LOG_F("partition", LOG_INT(item->p->id)));
		pool->unfinished = atomic_load(&pool->drain_calls) > 0;
		worker_interrupt(item->worker);
		if (pool->unfinished)
			deadletters_give_up(pool->pipeline->deadletters);
	}
	item->worker = NULL;
}
