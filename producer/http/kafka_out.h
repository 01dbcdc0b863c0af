/*
 * kafka_out: records to the brokers, delivery reports back into the libuv loop. Idempotent, acks=all,
 * partition chosen here by murmur2. The loop's thread only, except for librdkafka's own threads.
 *
 *	open (waits for brokers and topic, at most the given time) -> send ... on_report ...
 *	-> purge (optional: gives up what is not delivered; its reports still come) -> close
 */
#ifndef PRODUCER_KAFKA_OUT_H
#define PRODUCER_KAFKA_OUT_H

#include "common/conf.h"
#include "common/err.h"

#include "producer/http/gather.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <uv.h>

struct kafka_out;

/*
 * In the caller's memory, with the bytes it points to, until it was reported or refused. A value
 * of NULL is a tombstone.
 */
struct kafka_out_record {
	struct gather_record gather; /* .partition: the caller's */
	const char *key;
	char *value;
	size_t key_length, value_length;
};

/* err 0: the record stands at partition/offset. */
typedef void (*kafka_out_report)(void *user, struct kafka_out_record *record,
	rd_kafka_resp_err_t err, int32_t partition, int64_t offset);

struct kafka_out_config {
	const struct conf *conf; /* borrowed until open returns */
	const char *topic;
	int64_t start_timeout_ms, delivery_timeout_ms, probe_interval_ms;
	int64_t gather_max_ms; /* 0: nothing waits for others */
	size_t max_records;
	bool sender_gives_way;
	kafka_out_report on_report;
	/* It was not queued, so there is no report: ERR_* as of kafka_out_send(). */
	void (*on_refused)(void *user, struct kafka_out_record *record, int err);
	/* Brokers all gone / back again; `reason` in words. */
	void (*on_state)(void *user, bool up, const char *reason);
	/* The producer can never send again: end the process in good order. */
	void (*on_fatal)(void *user, const char *reason);
	void *user;
};

/* ERR_CONFIG, ERR_UNAVAILABLE (no broker, no such topic). */
int kafka_out_open(struct kafka_out **out, uv_loop_t *loop,
	const struct kafka_out_config *config, struct errmsg *msg);
/* Where a key goes. */
int32_t kafka_out_partition(const struct kafka_out *out, const char *key, size_t length);
/* To be handed over at the end of this turn of the loop, or a moment later with others (gather.h). */
void kafka_out_add(struct kafka_out *out, struct kafka_out_record *record);
/* What was added goes at the end of this turn: it was many already. */
void kafka_out_go(struct kafka_out *out);
/*
 * At once, after those of its partition that wait. ERR_FULL or ERR_INVALID (too large) or
 * ERR_UNAVAILABLE (rd_kafka_last_error() says why), and then there will be no report.
 */
int kafka_out_send(struct kafka_out *out, struct kafka_out_record *record);
/* From now on nothing waits for others. */
void kafka_out_hurry(struct kafka_out *out);
/* For /readyz: is the topic there, by the last look? Else the reason; borrowed. */
bool kafka_out_ready(const struct kafka_out *out, const char **reason);
int32_t kafka_out_partitions(const struct kafka_out *out);
void kafka_out_purge(struct kafka_out *out);
/* Stops; no report comes afterwards. Run the loop until it is empty. */
void kafka_out_close(struct kafka_out *out);

#endif
