#include "consumer/failure/deadletter.h"

#include "common/clock.h"
#include "common/dead_letter.h"
#include "common/fault.h"
#include "common/kafka_topic.h"
#include "common/mem.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct deadletters {
	rd_kafka_t *kafka;
	char *topic; /* NULL: ORIGIN.dlq */
	char *group;
	int timeout_ms;
};

/* What one deliver call waits for. */
struct delivery {
	_Atomic size_t outstanding;
	_Atomic int failed; /* first rd_kafka_resp_err_t */
};

/* One letter in flight; freed by its report. */
struct sent {
	struct delivery *delivery;
	struct letter letter;
	struct deadletters *letters;
	const char *topic;
	int dropped; /* sent without its value */
};

static rd_kafka_resp_err_t send_letter(struct sent *sent);

static void on_report(rd_kafka_t *kafka, const rd_kafka_message_t *report, void *opaque)
{
	struct sent *sent = report->_private;
	rd_kafka_resp_err_t err = report->err;
	int none = 0;

	(void)kafka;
	(void)opaque;
	if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && !sent->dropped) {
		sent->dropped = 1;
		err = send_letter(sent);
		if (!err)
			return;
	}
	if (err)
		atomic_compare_exchange_strong(&sent->delivery->failed, &none, (int)err);
	atomic_fetch_sub(&sent->delivery->outstanding, 1);
	free(sent);
}

int deadletters_new(struct deadletters **out, rd_kafka_conf_t *conf, const char *topic,
	const char *group, int timeout_ms, struct errmsg *msg)
{
	struct deadletters *letters = mem_zero(1, sizeof(*letters));
	char text[512];

	rd_kafka_conf_set_dr_msg_cb(conf, on_report);
	letters->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
	if (!letters->kafka) {
		rd_kafka_conf_destroy(conf);
		free(letters);
		return errmsg_set(msg, ERR_CONFIG, "dead-letter producer: %s", text);
	}
	letters->topic = topic ? mem_strdup(topic) : NULL;
	letters->group = mem_strdup(group);
	letters->timeout_ms = timeout_ms;
	*out = letters;
	return 0;
}

void deadletters_free(struct deadletters *letters)
{
	if (!letters)
		return;
	rd_kafka_flush(letters->kafka, 1000);
	rd_kafka_destroy(letters->kafka);
	free(letters->topic);
	free(letters->group);
	free(letters);
}

char *deadletters_topic(const struct deadletters *letters, const char *origin)
{
	return dead_letter_topic(letters->topic, origin);
}

static rd_kafka_headers_t *letter_headers(const struct sent *sent)
{
	const rd_kafka_message_t *record = sent->letter.record;
	rd_kafka_headers_t *headers = NULL;
	char number[32], reason[512];

	if (rd_kafka_message_headers(record, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR && headers)
		headers = rd_kafka_headers_copy(headers);
	else
		headers = rd_kafka_headers_new(8);
#define ADD(name, text) rd_kafka_header_add(headers, name, -1, text, -1)
	snprintf(reason, sizeof(reason), "%s: %s", sent->letter.reason, sent->letter.text);
	ADD("wt.error.reason", reason);
	ADD("wt.error.class", sent->letter.class);
	ADD("wt.origin.topic", rd_kafka_topic_name(record->rkt));
	snprintf(number, sizeof(number), "%" PRId32, record->partition);
	ADD("wt.origin.partition", number);
	snprintf(number, sizeof(number), "%" PRId64, record->offset);
	ADD("wt.origin.offset", number);
	snprintf(number, sizeof(number), "%" PRId64, rd_kafka_message_timestamp(record, NULL));
	ADD("wt.origin.timestamp", number);
	ADD("wt.group", sent->letters->group);
	if (!record->payload)
		ADD("wt.value.null", "true");
	if (sent->dropped) {
		snprintf(number, sizeof(number), "%zu", record->len);
		ADD("wt.value.dropped", number);
	}
#undef ADD
	return headers;
}

static rd_kafka_resp_err_t send_letter(struct sent *sent)
{
	const rd_kafka_message_t *record = sent->letter.record;
	rd_kafka_headers_t *headers = letter_headers(sent);
	rd_kafka_resp_err_t err;

	err = rd_kafka_producev(sent->letters->kafka, RD_KAFKA_V_TOPIC(sent->topic),
		RD_KAFKA_V_KEY(record->key, record->key_len),
		RD_KAFKA_V_VALUE(sent->dropped ? NULL : record->payload,
			sent->dropped ? 0 : record->len),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers),
		RD_KAFKA_V_OPAQUE(sent), RD_KAFKA_V_END);
	if (err)
		rd_kafka_headers_destroy(headers);
	if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && !sent->dropped) {
		sent->dropped = 1;
		return send_letter(sent);
	}
	return err;
}

static int start_letter(struct deadletters *letters, const char *topic,
	const struct letter *letter, struct delivery *delivery, int64_t deadline_ms)
{
	struct sent *sent = mem_zero(1, sizeof(*sent));
	rd_kafka_resp_err_t err;

	*sent = (struct sent){
		.delivery = delivery, .letter = *letter, .letters = letters, .topic = topic};
	atomic_fetch_add(&delivery->outstanding, 1);
	while ((err = send_letter(sent)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
		clock_mono_ms() < deadline_ms)
		rd_kafka_poll(letters->kafka, 10);
	if (err) {
		int none = 0;

		atomic_fetch_sub(&delivery->outstanding, 1);
		atomic_compare_exchange_strong(&delivery->failed, &none, (int)err);
		free(sent);
		return -1;
	}
	return 0;
}

int deadletters_deliver(struct deadletters *letters, const char *origin,
	const struct letter *items, size_t count, struct errmsg *msg)
{
	struct delivery delivery = {.outstanding = 0};
	char *topic = deadletters_topic(letters, origin);
	int64_t deadline_ms = clock_mono_ms() + letters->timeout_ms;
	int failed;

	FAULT_POINT("dlq_before_delivery");
	for (size_t i = 0; i < count; i++) {
		if (start_letter(letters, topic, &items[i], &delivery, deadline_ms) != 0)
			break;
	}
	/* message.timeout.ms bounds this wait: every letter gets its report, also a failed one. */
	while (atomic_load(&delivery.outstanding) > 0)
		rd_kafka_poll(letters->kafka, 20);
	failed = atomic_load(&delivery.failed);
	if (failed)
		errmsg_set(msg, ERR_UNAVAILABLE, "dead-letter topic %s: %s", topic,
			rd_kafka_err2str((rd_kafka_resp_err_t)failed));
	free(topic);
	if (failed)
		return ERR_UNAVAILABLE;
	FAULT_POINT("dlq_after_delivery");
	return 0;
}

void deadletters_give_up(struct deadletters *letters)
{
	rd_kafka_purge(letters->kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
					       RD_KAFKA_PURGE_F_NON_BLOCKING);
}

int deadletters_check(struct deadletters *letters, const char *origin, int partitions,
	int create, struct errmsg *msg)
{
	char *topic = deadletters_topic(letters, origin);
	int count;
	int err = kafka_topic_look(letters->kafka, topic, letters->timeout_ms, &count, msg);

	if (err == 0 && count == 0 && create)
		err = kafka_topic_create(
			letters->kafka, topic, partitions, letters->timeout_ms, msg);
	else if (err == 0 && count == 0)
		err = errmsg_set(msg, ERR_UNAVAILABLE,
			"option deadletter.topic: topic %s does not exist; create it, or set "
			"deadletter.create=true",
			topic);
	free(topic);
	return err;
}
