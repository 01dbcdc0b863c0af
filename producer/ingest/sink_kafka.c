/*
 * The kafka sink: every record acknowledged by all in-sync replicas, or the run fails.
 *
 *	1 partition	murmur2 of the key as Java does it; without a key a batch at a time, in turn
 *	2 gather	about --batch records of one partition
 *	3 hand over	one rd_kafka_produce_batch() per gather; a full queue means: serve reports
 *	4 reports	counted per epoch, the records between two barriers; when all of an epoch and
 *			of those before it are acknowledged, its barrier is done
 * With --transactional a barrier is a commit instead, and the position travels in it.
 */
#include "common/kafka_conf.h"
#include "common/log.h"
#include "common/murmur2.h"
#include "producer/ingest/kafka_setup.h"
#include "producer/ingest/topic_ensure.h"
#include "producer/ingest/kafka_txn.h"
#include "producer/ingest/sink.h"
#include "producer/ingest/source.h"

#include <stdio.h>

#define POLL_MS 100

struct epoch {
	struct epoch *next;
	uint64_t outstanding;
	struct barrier *barrier; /* NULL: still open */
};

struct gather {
	rd_kafka_message_t *messages;
	int count;
};

struct kafka {
	struct sink sink;
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
	int partitions;
	int batch;
	struct gather *gathers;
	int turn; /* the partition that keyless records go to now */
	int turn_used; /* how many it got */
	struct epoch *first, *current;
	uint64_t handed_over, acknowledged; /* this run's */
	int failed; /* an ERR_*, with why */
	struct errmsg why;
	struct kafka_txn *txn; /* NULL: none */
};

/* True when the producer has failed for good: that says more than the reports that follow. */
static bool take_fatal(struct kafka *k, rd_kafka_t *rk)
{
	char text[512];
	rd_kafka_resp_err_t error = rd_kafka_fatal_error(rk, text, sizeof(text));

	if (!error)
		return false;
	if (kafka_txn_is_fenced(error))
		k->failed = errmsg_set(&k->why, ERR_REFUSED,
			"%s (another run uses the same transactional id)", text);
	else
		k->failed = errmsg_set(&k->why, ERR_UNAVAILABLE, "%s", text);
	return true;
}

/* In the lane, from rd_kafka_poll(). */
static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	struct kafka *k = opaque;
	struct epoch *epoch = message->_private;

	if (message->err && !k->failed && !take_fatal(k, rk))
		k->failed = errmsg_set(&k->why, ERR_UNAVAILABLE,
			"a record was not delivered to partition %d: %s", message->partition,
			rd_kafka_err2str(message->err));
	if (!message->err) {
		epoch->outstanding--;
		k->acknowledged++;
	}
}

/* Librdkafka-wide errors: only a fatal one ends the run, the others heal or show in reports. */
static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	struct kafka *k = opaque;

	if (code != RD_KAFKA_RESP_ERR__FATAL)
		log_limited(LOG_WARN, "kafka_error", LOG_F("error", LOG_STR(reason)));
	else if (!k->failed)
		take_fatal(k, rk);
}

static void new_epoch(struct kafka *k)
{
	struct epoch *epoch = mem_zero(1, sizeof(*epoch));

	if (k->current)
		k->current->next = epoch;
	else
		k->first = epoch;
	k->current = epoch;
}

static void finish_epochs(struct kafka *k)
{
	while (k->first->barrier && k->first->outstanding == 0) {
		struct epoch *epoch = k->first;

		k->first = epoch->next;
		barrier_done(epoch->barrier, k->sink.index, NULL);
		free(epoch);
	}
}

static int serve(struct kafka *k, int timeout_ms, struct errmsg *msg)
{
	rd_kafka_poll(k->rk, timeout_ms);
	/* whoever counted them: rd_kafka_flush() serves reports too */
	atomic_store_explicit(&k->sink.records, k->acknowledged, memory_order_relaxed);
	if (k->failed) {
		*msg = k->why;
		return k->failed;
	}
	finish_epochs(k);
	return 0;
}

/* Keeps what the full queue refused, in order. ERR_* for what can never be sent. */
static int keep_refused(struct gather *g, int *kept, struct errmsg *msg)
{
	*kept = 0;
	for (int i = 0; i < g->count; i++) {
		if (!g->messages[i].err)
			continue;
		if (g->messages[i].err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
			return errmsg_set(msg, ERR_CONFIG,
				"a record of %zu bytes is longer than kafka.message.max.bytes",
				g->messages[i].len);
		if (g->messages[i].err != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			return errmsg_set(msg, ERR_UNAVAILABLE, "cannot produce: %s",
				rd_kafka_err2str(g->messages[i].err));
		g->messages[(*kept)++] = g->messages[i];
	}
	return 0;
}

static int hand_over(struct kafka *k, int partition, struct errmsg *msg)
{
	struct gather *g = &k->gathers[partition];
	int err = 0;

	while (g->count > 0 && err == 0) {
		int kept;
		int sent = rd_kafka_produce_batch(
			k->topic, partition, RD_KAFKA_MSG_F_COPY, g->messages, g->count);

		k->current->outstanding += (uint64_t)sent;
		k->handed_over += (uint64_t)sent;
		if (sent == g->count) {
			g->count = 0;
			return serve(k, 0, msg);
		}
		err = keep_refused(g, &kept, msg);
		g->count = kept;
		if (err == 0)
			err = serve(k, POLL_MS, msg);
	}
	return err;
}

/* The batch call has no headers: records with headers go one by one. */
static int produce_with_headers(
	struct kafka *k, int partition, const struct record *record, struct errmsg *msg)
{
	const struct conf_list *list = &k->sink.options->headers;
	rd_kafka_headers_t *headers = rd_kafka_headers_new(list->count);
	rd_kafka_resp_err_t result;
	int err = 0;

	for (size_t i = 0; i < list->count; i++) {
		const char *equals = strchr(list->items[i], '=');

		rd_kafka_header_add(headers, list->items[i], equals - list->items[i],
			equals + 1, (ssize_t)strlen(equals + 1));
	}
	do {
		result = rd_kafka_producev(k->rk, RD_KAFKA_V_RKT(k->topic),
			RD_KAFKA_V_PARTITION(partition),
			RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
			RD_KAFKA_V_VALUE((void *)(uintptr_t)record->value, record->value_len),
			RD_KAFKA_V_KEY(record->key, record->key_len),
			RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(k->current),
			RD_KAFKA_V_END);
		if (result == RD_KAFKA_RESP_ERR__QUEUE_FULL)
			err = serve(k, POLL_MS, msg);
	} while (result == RD_KAFKA_RESP_ERR__QUEUE_FULL && err == 0);
	if (result) {
		rd_kafka_headers_destroy(headers);
		return err ? err
			   : errmsg_set(msg, ERR_CONFIG, "cannot produce: %s",
				     rd_kafka_err2str(result));
	}
	k->current->outstanding++;
	k->handed_over++;
	return 0;
}

static inline int choose_partition(struct kafka *k, const struct record *record)
{
	if (record->key)
		return murmur2_partition(record->key, record->key_len, k->partitions);
	if (k->turn_used++ >= k->batch) {
		k->turn = (k->turn + 1) % k->partitions;
		k->turn_used = 1;
	}
	return k->turn;
}

static int kafka_write(struct sink *sink, const struct chunk *chunk, struct errmsg *msg)
{
	struct kafka *k = (struct kafka *)sink;
	bool one_by_one = sink->options->headers.count > 0;
	int err = k->txn ? kafka_txn_begin(k->txn, msg) : 0;

	for (size_t i = 0; err == 0 && i < chunk->count; i++) {
		const struct record *record = &chunk->records[i];
		int partition = choose_partition(k, record);
		struct gather *g = &k->gathers[partition];

		if (one_by_one) {
			err = produce_with_headers(k, partition, record, msg);
			continue;
		}
		g->messages[g->count++] =
			(rd_kafka_message_t){.payload = (void *)(uintptr_t)record->value,
				.len = record->value_len,
				.key = (void *)(uintptr_t)record->key,
				.key_len = record->key_len,
				._private = k->current};
		if (g->count == k->batch)
			err = hand_over(k, partition, msg);
	}
	/* the chunk's bytes go when this returns: nothing may wait here */
	for (int p = 0; err == 0 && p < k->partitions; p++)
		err = hand_over(k, p, msg);
	return err ? err : serve(k, 0, msg);
}

static int kafka_drain(struct sink *sink, struct errmsg *msg)
{
	struct kafka *k = (struct kafka *)sink;
	int err = serve(k, 0, msg);

	while (err == 0 && k->acknowledged < k->handed_over) {
		/* flush only makes lingering batches leave now; reports decide */
		rd_kafka_flush(k->rk, 0);
		err = serve(k, POLL_MS, msg);
	}
	return err;
}

static int kafka_sync(struct sink *sink, struct barrier *barrier, struct errmsg *msg)
{
	struct kafka *k = (struct kafka *)sink;
	char *position;
	int err;

	if (!k->txn) {
		k->current->barrier = barrier;
		new_epoch(k);
		return serve(k, 0, msg);
	}
	err = kafka_drain(sink, msg);
	position = err == 0 ? barrier_wait_others(barrier) : NULL;
	if (position)
		err = kafka_txn_commit(k->txn, position, barrier_records(barrier), msg);
	if (err == 0 && position)
		barrier_done(barrier, sink->index, NULL);
	else
		barrier_drop(barrier);
	free(position);
	return err;
}

static int kafka_idle(struct sink *sink, struct errmsg *msg)
{
	return serve((struct kafka *)sink, 0, msg);
}

static int kafka_finish(struct sink *sink, struct errmsg *msg)
{
	(void)sink;
	(void)msg;
	return 0; /* the drain did it */
}

static void kafka_close(struct sink *sink, bool whole)
{
	struct kafka *k = (struct kafka *)sink;

	if (k->txn)
		kafka_txn_free(k->txn, !whole);
	if (k->rk && !whole)
		rd_kafka_purge(k->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	if (k->topic)
		rd_kafka_topic_destroy(k->topic);
	if (k->rk)
		rd_kafka_destroy(k->rk);
	while (k->first) {
		struct epoch *epoch = k->first;

		k->first = epoch->next;
		if (epoch->barrier)
			barrier_drop(epoch->barrier);
		free(epoch);
	}
	for (int p = 0; k->gathers && p < k->partitions; p++)
		free(k->gathers[p].messages);
	free(k->gathers);
	free(sink->name);
	free(k);
}

static void kafka_describe(const struct sink *sink, char *text, size_t bytes)
{
	const struct kafka *k = (const struct kafka *)sink;

	snprintf(text, bytes, "%llu records acknowledged, %llu handed over without an answer",
		(unsigned long long)k->acknowledged,
		(unsigned long long)(k->handed_over - k->acknowledged));
}

static int kafka_open(struct sink *sink, const json_t *resume, struct errmsg *msg)
{
	struct kafka *k = (struct kafka *)sink;
	rd_kafka_conf_t *conf;
	char why[256];
	int err = kafka_setup_conf(&conf, sink, msg);

	(void)resume;
	if (err != 0)
		return err;
	rd_kafka_conf_set_opaque(conf, k);
	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	rd_kafka_conf_set_error_cb(conf, on_error);
	k->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!k->rk) {
		rd_kafka_conf_destroy(conf);
		return errmsg_set(msg, ERR_CONFIG, "librdkafka: %s", why);
	}
	err = topic_ensure(
		k->rk, sink->target, (int)sink->options->create_topic, &k->partitions, msg);
	if (err != 0) {
		char *brokers = kafka_conf_brokers_text(&sink->options->conf);

		errmsg_wrap(msg, "%s", brokers);
		free(brokers);
		return err;
	}
	k->topic = rd_kafka_topic_new(k->rk, sink->target, NULL);
	k->batch = (int)sink->options->batch;
	k->gathers = mem_zero((size_t)k->partitions, sizeof(*k->gathers));
	for (int p = 0; p < k->partitions; p++)
		k->gathers[p].messages =
			mem_alloc((size_t)k->batch * sizeof(rd_kafka_message_t));
	new_epoch(k);
	if (sink->options->transactional)
		err = kafka_txn_new(&k->txn, k->rk, sink, msg);
	return err;
}

static const struct sink_ops kafka_ops = {.wants_values = true,
	.can_resume = true,
	.open = kafka_open,
	.write = kafka_write,
	.sync = kafka_sync,
	.idle = kafka_idle,
	.drain = kafka_drain,
	.finish = kafka_finish,
	.close = kafka_close,
	.describe = kafka_describe};

struct sink *sink_kafka_new(void)
{
	struct kafka *k = mem_zero(1, sizeof(*k));

	k->sink.ops = &kafka_ops;
	return &k->sink;
}
