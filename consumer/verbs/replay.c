/*
 * replay: lists dead letters, and with --execute sends them to the topic they came from, each
 * once: the record and the marker that says so are one Kafka transaction, and the transactional id
 * fences a second replay of the same group.
 */
#include "common/dead_letter.h"
#include "common/json_text.h"
#include "common/kafka_topic.h"
#include "common/mem.h"
#include "consumer/verbs/letter_log.h"
#include "consumer/verbs/settings.h"
#include "consumer/verbs/time_option.h"
#include "consumer/verbs/verbs.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LETTERS_PER_TRANSACTION 500

struct replay {
	const struct consumer_options *options;
	char *topic; /* of the letters */
	int64_t since_ms, until_ms;
	struct letter_log log;
	struct letter_entry **chosen;
	size_t chosen_count;
	size_t already;
};

/* ISO 8601 UTC, or milliseconds since 1970. */
static int parse_time(const char *name, const char *text, int64_t *ms, struct errmsg *msg)
{
	char *rest;

	if (time_option_parse(text, ms))
		return 0;
	*ms = strtoll(text, &rest, 10);
	if (*rest || rest == text)
		return errmsg_set(msg, ERR_CONFIG,
			"option %s: '%s' is neither like 2026-01-31T12:00:00Z nor ms since "
			"1970",
			name, text);
	return 0;
}

static int read_options(struct replay *replay, struct errmsg *msg)
{
	const struct consumer_options *o = replay->options;
	int err = 0;

	replay->since_ms = INT64_MIN;
	replay->until_ms = INT64_MAX;
	if (o->since)
		err = parse_time("since", o->since, &replay->since_ms, msg);
	if (err == 0 && o->until)
		err = parse_time("until", o->until, &replay->until_ms, msg);
	replay->topic = dead_letter_topic(o->deadletter_topic, o->topic);
	return err;
}

static bool is_wanted(const struct replay *replay, const struct letter_entry *entry)
{
	const struct consumer_options *o = replay->options;

	if (o->partition >= 0 && entry->origin_partition != o->partition)
		return false;
	if (o->reason && !strstr(entry->reason, o->reason) && !strstr(entry->class, o->reason))
		return false;
	return entry->origin_timestamp >= replay->since_ms &&
	       entry->origin_timestamp < replay->until_ms;
}

static bool is_to_be_sent(const struct letter_entry *entry)
{
	return !entry->replayed && !entry->value_dropped && !entry->homeless;
}

static int choose(struct replay *replay, struct errmsg *msg)
{
	const char *topic = ""; /* the letters are in order */
	int partitions = 0, err = 0;

	replay->chosen = mem_zero(replay->log.count, sizeof(*replay->chosen));
	for (size_t i = 0; i < replay->log.count && err == 0; i++) {
		struct letter_entry *entry = &replay->log.entries[i];

		if (!is_wanted(replay, entry))
			continue;
		if (strcmp(topic, entry->origin_topic) != 0)
			err = kafka_topic_look(replay->log.kafka, topic = entry->origin_topic,
				(int)replay->options->kafka_timeout, &partitions, msg);
		entry->homeless = entry->origin_partition >= partitions;
		replay->already += entry->replayed;
		replay->chosen[replay->chosen_count++] = entry;
	}
	return err;
}

/* ---- showing ----------------------------------------------------------------------------------- */

static const char *fate(const struct letter_entry *entry)
{
	if (entry->replayed)
		return "replayed";
	if (entry->homeless)
		return "its partition is gone";
	return entry->value_dropped ? "value too large, not kept" : "waiting";
}

static json_t *bytes_json(const void *data, size_t length)
{
	json_t *text = data ? json_stringn(data, length) : json_null();

	return text ? text : json_string("(not UTF-8)");
}

static json_t *entry_json(const struct replay *replay, const struct letter_entry *entry)
{
	json_t *row = json_pack("{s:o, s:i, s:I, s:I, s:o, s:o, s:s}", "topic",
		json_text(entry->origin_topic), "partition", entry->origin_partition, "offset",
		(json_int_t)entry->origin_offset, "timestamp",
		(json_int_t)entry->origin_timestamp, "reason", json_text(entry->reason),
		"class", json_text(entry->class), "fate", fate(entry));

	if (replay->options->show) {
		json_object_set_new(
			row, "key", bytes_json(entry->message->key, entry->message->key_len));
		json_object_set_new(
			row, "value", bytes_json(entry->message->payload, entry->message->len));
	}
	return row;
}

static void print_json(const struct replay *replay)
{
	json_t *rows = json_array();
	json_t *all = json_pack("{s:s, s:o, s:I, s:I}", "topic", replay->topic, "letters", rows,
		"already_replayed", (json_int_t)replay->already, "duplicates",
		(json_int_t)replay->log.duplicates);

	for (size_t i = 0; i < replay->chosen_count; i++)
		json_array_append_new(rows, entry_json(replay, replay->chosen[i]));
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

static void print_bytes(const char *name, const void *data, size_t length)
{
	const unsigned char *bytes = data;

	printf("    %s ", name);
	for (size_t i = 0; i < length && i < 2000; i++)
		printf(bytes[i] < 0x20 || bytes[i] == 0x7f ? "\\x%02x" : "%c", bytes[i]);
	puts(!data ? "(null)" : length > 2000 ? "..." : "");
}

static void print_text(const struct replay *replay)
{
	for (size_t i = 0; i < replay->chosen_count; i++) {
		const struct letter_entry *entry = replay->chosen[i];
		time_t seconds = (time_t)(entry->origin_timestamp / 1000);
		char when[32] = "unknown time";
		struct tm tm;

		if (entry->origin_timestamp >= 0 && gmtime_r(&seconds, &tm))
			strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
		printf("%s [%d] offset %" PRId64 "  %s  %s  (%s)  %s\n", entry->origin_topic,
			entry->origin_partition, entry->origin_offset, when, entry->reason,
			entry->class, fate(entry));
		if (replay->options->show) {
			print_bytes("key  ", entry->message->key, entry->message->key_len);
			print_bytes("value", entry->message->payload, entry->message->len);
		}
	}
	printf("%zu letters in %s match, %zu of them were sent again before%s\n",
		replay->chosen_count, replay->topic, replay->already,
		replay->options->execute ? "" : "; --execute sends the rest again");
}

/* ---- sending again ------------------------------------------------------------------------------ */

/* The record as it was: our own headers stay behind. */
static rd_kafka_headers_t *original_headers(const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers = NULL, *kept = rd_kafka_headers_new(4);
	const char *name;
	const void *value;
	size_t size;

	if (rd_kafka_message_headers(message, &headers))
		return kept;
	for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++) {
		if (strncmp(name, "wt.", 3) != 0)
			rd_kafka_header_add(kept, name, -1, value, (ssize_t)size);
	}
	return kept;
}

static int send_one(rd_kafka_t *kafka, const struct replay *replay,
	const struct letter_entry *entry, struct errmsg *msg)
{
	char *origin = mem_printf("%s/%d/%" PRId64, entry->origin_topic,
		entry->origin_partition, entry->origin_offset);
	rd_kafka_headers_t *marker = rd_kafka_headers_new(1);
	rd_kafka_headers_t *headers = original_headers(entry->message);
	rd_kafka_resp_err_t err;

	/* to the partition it came from: its key's records stay in one place */
	err = rd_kafka_producev(kafka, RD_KAFKA_V_TOPIC(entry->origin_topic),
		RD_KAFKA_V_PARTITION(entry->origin_partition),
		RD_KAFKA_V_KEY(entry->message->key, entry->message->key_len),
		RD_KAFKA_V_VALUE(entry->message->payload, entry->message->len),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers),
		RD_KAFKA_V_END);
	if (err) {
		rd_kafka_headers_destroy(headers);
	} else {
		rd_kafka_header_add(marker, LETTER_MARKER, -1, origin, -1);
		err = rd_kafka_producev(kafka, RD_KAFKA_V_TOPIC(replay->topic),
			RD_KAFKA_V_KEY(entry->message->key, entry->message->key_len),
			RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(marker),
			RD_KAFKA_V_END);
	}
	if (err)
		rd_kafka_headers_destroy(marker);
	free(origin);
	return err ? errmsg_set(msg, ERR_UNAVAILABLE, "kafka: %s", rd_kafka_err2str(err)) : 0;
}

static int kafka_step(rd_kafka_error_t *error, const char *what, struct errmsg *msg)
{
	int err = 0;

	if (error)
		err = errmsg_set(msg, ERR_UNAVAILABLE, "kafka: %s: %s", what,
			rd_kafka_error_string(error));
	if (error)
		rd_kafka_error_destroy(error);
	return err;
}

static int send_all(struct replay *replay, rd_kafka_t *kafka, size_t *sent, struct errmsg *msg)
{
	size_t pending = 0;
	int err = 0;

	for (size_t i = 0; err == 0 && i < replay->chosen_count; i++) {
		const struct letter_entry *entry = replay->chosen[i];

		if (is_to_be_sent(entry)) {
			if (pending == 0)
				err = kafka_step(
					rd_kafka_begin_transaction(kafka), "begin", msg);
			if (err == 0)
				err = send_one(kafka, replay, entry, msg);
			pending++;
		}
		if (err == 0 && pending > 0 &&
			(pending == LETTERS_PER_TRANSACTION || i + 1 == replay->chosen_count)) {
			err = kafka_step(rd_kafka_commit_transaction(kafka, -1), "commit", msg);
			if (err == 0) {
				*sent += pending;
				pending = 0;
			}
		}
	}
	if (err != 0 && pending > 0) {
		struct errmsg ignored;

		(void)kafka_step(rd_kafka_abort_transaction(kafka, 10000), "abort", &ignored);
	}
	return err;
}

/* Before the letters are read: another replay of the group is fenced by it, and what it committed is
 * there to be read. */
static int open_sender(struct replay *replay, const struct settings *settings,
	rd_kafka_t **kafka, struct errmsg *msg)
{
	char *id = mem_printf("wt-replay-%s", replay->options->group);
	rd_kafka_conf_t *conf;
	char text[512];
	int err = settings_kafka(settings, "wt-consumer-replay", &conf, msg);

	if (err == 0) {
		rd_kafka_conf_set(conf, "transactional.id", id, NULL, 0);
		rd_kafka_conf_set(conf, "partitioner", "murmur2_random", NULL, 0);
		*kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
		if (!*kafka) {
			rd_kafka_conf_destroy(conf);
			err = errmsg_set(msg, ERR_CONFIG, "kafka client: %s", text);
		} else {
			err = kafka_step(rd_kafka_init_transactions(*kafka, 30000),
				"init transactions", msg);
		}
	}
	free(id);
	return err;
}

int verb_replay(struct consumer_options *options, struct errmsg *msg)
{
	struct replay replay = {.options = options};
	struct settings settings;
	rd_kafka_t *sender = NULL;
	rd_kafka_conf_t *conf;
	size_t sent = 0;
	int err = settings_init(&settings, options, msg);

	if (err != 0)
		return err;
	err = read_options(&replay, msg);
	if (err == 0 && options->execute)
		err = open_sender(&replay, &settings, &sender, msg);
	if (err == 0)
		err = settings_kafka(&settings, "wt-consumer-replay", &conf, msg);
	if (err == 0)
		err = letter_log_read(
			&replay.log, conf, replay.topic, (int)options->kafka_timeout, msg);
	if (err == 0)
		err = choose(&replay, msg);
	if (err == 0) {
		if (options->json)
			print_json(&replay);
		else
			print_text(&replay);
		if (options->execute) {
			err = send_all(&replay, sender, &sent, msg);
			fprintf(stderr, "sent %zu records again\n", sent);
		}
	}
	if (sender)
		rd_kafka_destroy(sender);
	letter_log_release(&replay.log);
	free(replay.chosen);
	free(replay.topic);
	settings_release(&settings);
	return err;
}
