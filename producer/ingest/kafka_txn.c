#include "producer/ingest/kafka_txn.h"

#include "common/kafka_conf.h"
#include "common/log.h"
#include "common/mem.h"
#include "producer/ingest/checkpoint.h"

#include <libgen.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS 30000
#define TRIES	  20

struct kafka_txn {
	rd_kafka_t *rk; /* borrowed */
	char *id;
	const char *topic; /* borrowed */
	bool open;
};

static char *make_id(const struct ingest_options *o, const char *topic)
{
	char *copy, *id;

	if (o->transactional_id)
		return mem_strdup(o->transactional_id);
	copy = mem_strdup(o->checkpoint);
	id = mem_printf("wt-ingest.%s.%s", topic, basename(copy));
	free(copy);
	return id;
}

/* A transaction lies open from one checkpoint to the next; a broker ends one that is too old. */
static int check_interval(
	rd_kafka_conf_t *conf, const struct ingest_options *o, struct errmsg *msg)
{
	char text[32] = "";
	size_t bytes = sizeof(text);

	rd_kafka_conf_get(conf, "transaction.timeout.ms", text, &bytes);
	if (o->checkpoint_ms < strtoll(text, NULL, 10))
		return 0;
	return errmsg_set(msg, ERR_CONFIG,
		"option checkpoint.interval-ms: %lld is not below "
		"kafka.transaction.timeout.ms (%s): no transaction would ever be committed",
		(long long)o->checkpoint_ms, text);
}

int kafka_txn_configure(rd_kafka_conf_t *conf, const struct ingest_options *o,
	const char *topic, struct errmsg *msg)
{
	char *id = make_id(o, topic);
	int err = kafka_conf_require(
		conf, &o->conf, "transactional.id", id, "use --transactional-id instead", msg);

	free(id);
	return err ? err : check_interval(conf, o, msg);
}

bool kafka_txn_is_fenced(rd_kafka_resp_err_t error)
{
	return error == RD_KAFKA_RESP_ERR__FENCED ||
	       error == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
	       error == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

/* 0, or ERR_*; asks again while the error may pass. */
static int settle(const char *what, rd_kafka_error_t *error, int *tries, struct errmsg *msg)
{
	bool fenced;
	int err;

	if (!error)
		return 0;
	fenced = kafka_txn_is_fenced(rd_kafka_error_code(error));
	if (rd_kafka_error_is_retriable(error) && ++*tries < TRIES) {
		log_limited(LOG_WARN, "transaction_retry", LOG_F("call", LOG_STR(what)),
			LOG_F("error", LOG_STR(rd_kafka_error_string(error))));
		rd_kafka_error_destroy(error);
		poll(NULL, 0, 100);
		return ERR_TIMEOUT;
	}
	err = errmsg_set(msg, fenced ? ERR_REFUSED : ERR_UNAVAILABLE, "%s: %s%s", what,
		rd_kafka_error_string(error),
		fenced ? " (another run uses the same transactional id)" : "");
	rd_kafka_error_destroy(error);
	return err;
}

/* The metadata of the group's committed offset; NULL when there is none. */
static int read_committed(const struct ingest_options *o, const struct kafka_txn *t,
	char **position, struct errmsg *msg)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_conf_t *conf;
	rd_kafka_t *reader;
	rd_kafka_resp_err_t result;
	char why[256];
	int err = kafka_conf_new(&conf, &o->conf, "wt-ingest", msg);

	*position = NULL;
	rd_kafka_topic_partition_list_add(list, t->topic, 0);
	if (err == 0)
		err = kafka_conf_require(conf, &o->conf, "group.id", t->id, "it is ours", msg);
	if (err != 0)
		goto out;
	reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (!reader) {
		rd_kafka_conf_destroy(conf);
		err = errmsg_set(msg, ERR_CONFIG, "librdkafka: %s", why);
		goto out;
	}
	result = rd_kafka_committed(reader, list, ANSWER_MS);
	if (result)
		err = errmsg_set(msg, ERR_UNAVAILABLE, "position of group %s: %s", t->id,
			rd_kafka_err2str(result));
	else if (list->elems[0].offset >= 0 && list->elems[0].metadata_size > 0)
		*position = mem_strndup(list->elems[0].metadata, list->elems[0].metadata_size);
	rd_kafka_destroy(reader);
out:
	rd_kafka_topic_partition_list_destroy(list);
	return err;
}

int kafka_txn_new(struct kafka_txn **out, rd_kafka_t *rk, struct sink *sink, struct errmsg *msg)
{
	struct kafka_txn *t = mem_zero(1, sizeof(*t));
	char *position = NULL;
	int tries = 0;
	int err;

	t->rk = rk;
	t->topic = sink->target;
	t->id = make_id(sink->options, sink->target);
	do
		err = settle("init_transactions", rd_kafka_init_transactions(rk, ANSWER_MS),
			&tries, msg);
	while (err == ERR_TIMEOUT);
	if (err == 0)
		err = read_committed(sink->options, t, &position, msg);
	if (err == 0 && position)
		err = checkpoint_replace(sink->checkpoint, position, msg);
	if (err != 0 && position)
		errmsg_wrap(msg, "position of group %s", t->id);
	free(position);
	if (err != 0) {
		kafka_txn_free(t, false);
		return err;
	}
	*out = t;
	return 0;
}

int kafka_txn_begin(struct kafka_txn *t, struct errmsg *msg)
{
	int tries = TRIES;
	int err;

	if (t->open)
		return 0;
	err = settle("begin_transaction", rd_kafka_begin_transaction(t->rk), &tries, msg);
	t->open = err == 0;
	return err;
}

static int send_position(
	struct kafka_txn *t, const char *position, uint64_t records, struct errmsg *msg)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(t->id);
	rd_kafka_topic_partition_t *entry =
		rd_kafka_topic_partition_list_add(list, t->topic, 0);
	int tries = 0;
	int err;

	entry->offset = (int64_t)records;
	entry->metadata = mem_strdup(position);
	entry->metadata_size = strlen(position);
	do
		err = settle("send_offsets_to_transaction",
			rd_kafka_send_offsets_to_transaction(t->rk, list, group, ANSWER_MS),
			&tries, msg);
	while (err == ERR_TIMEOUT);
	rd_kafka_consumer_group_metadata_destroy(group);
	rd_kafka_topic_partition_list_destroy(list);
	return err;
}

int kafka_txn_commit(
	struct kafka_txn *t, const char *position, uint64_t records, struct errmsg *msg)
{
	int tries = 0;
	int err = kafka_txn_begin(t, msg);

	if (err == 0)
		err = send_position(t, position, records, msg);
	if (err != 0)
		return err;
	do
		err = settle("commit_transaction",
			rd_kafka_commit_transaction(t->rk, ANSWER_MS), &tries, msg);
	while (err == ERR_TIMEOUT);
	t->open = t->open && err != 0;
	return err;
}

void kafka_txn_free(struct kafka_txn *t, bool abort)
{
	rd_kafka_error_t *error;

	if (abort && t->open) {
		error = rd_kafka_abort_transaction(t->rk, 5000);
		if (error) /* the broker's timeout does it then */
			rd_kafka_error_destroy(error);
	}
	free(t->id);
	free(t);
}
