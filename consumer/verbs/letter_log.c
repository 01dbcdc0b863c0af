#include "consumer/verbs/letter_log.h"

#include "common/clock.h"
#include "common/dead_letter.h"
#include "common/kafka_topic.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

struct marker {
	char *origin;
};

/* What is read before it is judged. */
struct reading {
	struct letter_log *log;
	struct marker *markers;
	size_t marker_count, marker_room;
};

static int64_t number(const char *text)
{
	return text ? strtoll(text, NULL, 10) : -1;
}

static void take_marker(struct reading *reading, const char *origin)
{
	if (reading->marker_count == reading->marker_room) {
		reading->marker_room = reading->marker_room ? reading->marker_room * 2 : 64;
		reading->markers = mem_resize(
			reading->markers, reading->marker_room, sizeof(*reading->markers));
	}
	reading->markers[reading->marker_count++].origin = mem_strdup(origin);
}

static void take_message(struct reading *reading, rd_kafka_message_t *message)
{
	struct letter_log *log = reading->log;
	const char *marker = dead_letter_header(message, LETTER_MARKER);
	struct letter_entry *entry;

	if (marker)
		take_marker(reading, marker);
	if (marker || !dead_letter_header(message, "wt.origin.topic") ||
		!dead_letter_header(message, "wt.origin.offset")) {
		log->strangers += !marker;
		rd_kafka_message_destroy(message);
		return;
	}
	if (log->count == log->room) {
		log->room = log->room ? log->room * 2 : 64;
		log->entries = mem_resize(log->entries, log->room, sizeof(*log->entries));
	}
	entry = &log->entries[log->count++];
	*entry = (struct letter_entry){.message = message,
		.reason = dead_letter_header(message, "wt.error.reason"),
		.class = dead_letter_header(message, "wt.error.class"),
		.origin_topic = dead_letter_header(message, "wt.origin.topic"),
		.origin_partition =
			(int32_t)number(dead_letter_header(message, "wt.origin.partition")),
		.origin_offset = number(dead_letter_header(message, "wt.origin.offset")),
		.origin_timestamp = number(dead_letter_header(message, "wt.origin.timestamp")),
		.value_dropped = dead_letter_header(message, "wt.value.dropped") != NULL};
	if (!entry->reason)
		entry->reason = "";
	if (!entry->class)
		entry->class = "";
}

static int by_origin(const void *a, const void *b)
{
	const struct letter_entry *left = a, *right = b;
	int order = strcmp(left->origin_topic, right->origin_topic);

	if (order == 0)
		order = (left->origin_partition > right->origin_partition) -
			(left->origin_partition < right->origin_partition);
	if (order == 0)
		order = (left->origin_offset > right->origin_offset) -
			(left->origin_offset < right->origin_offset);
	/* of two letters the one that kept its value comes first */
	return order ? order : left->value_dropped - right->value_dropped;
}

static bool same_origin(const struct letter_entry *a, const struct letter_entry *b)
{
	return a->origin_partition == b->origin_partition &&
	       a->origin_offset == b->origin_offset &&
	       strcmp(a->origin_topic, b->origin_topic) == 0;
}

static void drop_duplicates(struct letter_log *log)
{
	size_t kept = 0;

	qsort(log->entries, log->count, sizeof(*log->entries), by_origin);
	for (size_t i = 0; i < log->count; i++) {
		if (kept > 0 && same_origin(&log->entries[kept - 1], &log->entries[i])) {
			rd_kafka_message_destroy(log->entries[i].message);
			log->duplicates++;
		} else {
			log->entries[kept++] = log->entries[i];
		}
	}
	log->count = kept;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct marker *)a)->origin, ((const struct marker *)b)->origin);
}

static void judge(struct reading *reading)
{
	struct letter_log *log = reading->log;

	drop_duplicates(log);
	qsort(reading->markers, reading->marker_count, sizeof(*reading->markers), by_text);
	for (size_t i = 0; i < log->count; i++) {
		struct letter_entry *entry = &log->entries[i];
		struct marker wanted = {mem_printf("%s/%d/%lld", entry->origin_topic,
			entry->origin_partition, (long long)entry->origin_offset)};

		entry->replayed = reading->marker_count &&
				  bsearch(&wanted, reading->markers, reading->marker_count,
					  sizeof(*reading->markers), by_text);
		free(wanted.origin);
	}
}

/* All partitions from their beginning; how many of them have not ended yet. */
static int assign_all(
	rd_kafka_t *kafka, const char *topic, int timeout_ms, int *count, struct errmsg *msg)
{
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_resp_err_t err;
	int failed = kafka_topic_look(kafka, topic, timeout_ms, count, msg);

	if (failed != 0)
		return failed;
	if (*count == 0)
		return errmsg_set(
			msg, ERR_UNAVAILABLE, "dead-letter topic %s does not exist", topic);
	list = rd_kafka_topic_partition_list_new(*count);
	for (int i = 0; i < *count; i++)
		rd_kafka_topic_partition_list_add(list, topic, i)->offset =
			RD_KAFKA_OFFSET_BEGINNING;
	err = rd_kafka_assign(kafka, list);
	rd_kafka_topic_partition_list_destroy(list);
	return err ? errmsg_set(msg, ERR_UNAVAILABLE, "kafka: %s", rd_kafka_err2str(err)) : 0;
}

/* A partition that grows meanwhile ends more than once. */
static bool ends_now(const rd_kafka_message_t *event, bool *ended)
{
	bool ends = event->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && !ended[event->partition];

	if (ends)
		ended[event->partition] = true;
	return ends;
}

static int read_to_end(rd_kafka_t *kafka, struct reading *reading, int open, int timeout_ms,
	struct errmsg *msg)
{
	bool *ended = mem_zero((size_t)open, sizeof(*ended));
	int64_t deadline_ms = clock_mono_ms() + timeout_ms;
	int err = 0;

	while (open > 0 && err == 0) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka, 100);

		if (!message) {
			if (clock_mono_ms() > deadline_ms)
				err = errmsg_set(msg, ERR_UNAVAILABLE,
					"kafka: no answer for %d ms while reading dead letters",
					timeout_ms);
			continue;
		}
		deadline_ms = clock_mono_ms() + timeout_ms;
		if (!message->err) {
			take_message(reading, message);
			continue;
		}
		open -= ends_now(message, ended);
		rd_kafka_message_destroy(message);
	}
	free(ended);
	return err;
}

int letter_log_read(struct letter_log *log, rd_kafka_conf_t *conf, const char *topic,
	int timeout_ms, struct errmsg *msg)
{
	struct reading reading = {.log = log};
	rd_kafka_t *kafka;
	char text[512];
	int open = 0, err;

	*log = (struct letter_log){0};
	rd_kafka_conf_set(conf, "group.id", "wt-replay-reads-without-group", NULL, 0);
	rd_kafka_conf_set(conf, "enable.auto.commit", "false", NULL, 0);
	rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
	rd_kafka_conf_set(conf, "isolation.level", "read_committed", NULL, 0);
	kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
	if (!kafka) {
		rd_kafka_conf_destroy(conf);
		return errmsg_set(msg, ERR_CONFIG, "kafka client: %s", text);
	}
	rd_kafka_poll_set_consumer(kafka);
	err = assign_all(kafka, topic, timeout_ms, &open, msg);
	if (err == 0)
		err = read_to_end(kafka, &reading, open, timeout_ms, msg);
	if (err == 0)
		judge(&reading);
	for (size_t i = 0; i < reading.marker_count; i++)
		free(reading.markers[i].origin);
	free(reading.markers);
	log->kafka = kafka; /* the messages live on it */
	return err;
}

void letter_log_release(struct letter_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		rd_kafka_message_destroy(log->entries[i].message);
	free(log->entries);
	if (log->kafka) {
		rd_kafka_consumer_close(log->kafka);
		rd_kafka_destroy(log->kafka);
	}
	*log = (struct letter_log){0};
}
