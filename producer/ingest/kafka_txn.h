/*
 * kafka_txn: the kafka sink's transactions. One per checkpoint; the source's position is committed
 * inside it, as the metadata of an offset of the group that is named like the transactional id. So
 * records and position become visible together: after a crash the next run finds exactly the
 * position of the last visible record, and init_transactions() has thrown away the rest.
 *
 * The offset itself is the number of records. A broker forgets the offsets of an idle group after
 * offsets.retention.minutes (7 days): the checkpoint file then still has the position of the last
 * commit but perhaps one. The lane's thread only.
 */
#ifndef PRODUCER_INGEST_KAFKA_TXN_H
#define PRODUCER_INGEST_KAFKA_TXN_H

#include "producer/ingest/sink.h"

#include <librdkafka/rdkafka.h>

struct kafka_txn;

/* ERR_CONFIG, too, for a checkpoint interval in which the broker would end a transaction. */
int kafka_txn_configure(rd_kafka_conf_t *conf, const struct ingest_options *options,
	const char *topic, struct errmsg *msg);
/* Fences an older run of the same id and moves the sink's checkpoint to the last commit. */
int kafka_txn_new(
	struct kafka_txn **out, rd_kafka_t *rk, struct sink *sink, struct errmsg *msg);
/* The error says that a newer run has the id. */
bool kafka_txn_is_fenced(rd_kafka_resp_err_t error);
/* Opens a transaction if none is. */
int kafka_txn_begin(struct kafka_txn *t, struct errmsg *msg);
int kafka_txn_commit(
	struct kafka_txn *t, const char *position, uint64_t records, struct errmsg *msg);
void kafka_txn_free(struct kafka_txn *t, bool abort);

#endif
