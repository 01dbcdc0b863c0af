/*
 * reset: where a group goes on. Shows what would happen; --execute does it. The ledger gets the
 * new position and a fresh generation in one transaction, so whatever a former owner still sends
 * is refused; Redis is not touched, the next start replaces its fence and rebuilds the cache
 * (docs/protocol, "Reset").
 */
#include "common/kafka_topic.h"
#include "common/log.h"
#include "common/mem.h"
#include "consumer/pipeline/mysql_reset.h"
#include "consumer/verbs/settings.h"
#include "consumer/verbs/time_option.h"
#include "consumer/verbs/verbs.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct step {
	int32_t partition;
	int64_t low, high, target;
	struct ledger ledger;
};

struct reset {
	const struct consumer_options *options;
	struct settings settings;
	const struct route *route;
	rd_kafka_t *kafka;
	struct mysql_store *mysql;
	int32_t partitions; /* of the topic, now */
	int members;
	struct step *steps;
	int count;
};

/* ---- asking ------------------------------------------------------------------------------------- */

static int open_all(struct reset *r, struct errmsg *msg)
{
	struct store_error error = {.row = -1};
	rd_kafka_conf_t *conf;
	char text[512];
	enum verdict v;
	int err = settings_kafka(&r->settings, "wt-consumer-reset", &conf, msg);

	if (err != 0)
		return err;
	rd_kafka_conf_set(conf, "group.id", r->options->group, NULL, 0);
	rd_kafka_conf_set(conf, "enable.auto.commit", "false", NULL, 0);
	r->kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
	if (!r->kafka) {
		rd_kafka_conf_destroy(conf);
		return errmsg_set(msg, ERR_CONFIG, "kafka client: %s", text);
	}
	r->mysql = mysql_store_new(&r->settings.mysql);
	v = mysql_store_connect(r->mysql, &error);
	return v == VERDICT_DONE ? 0 : settings_store_error(&error, v, msg);
}

static int ask_topic(struct reset *r, struct errmsg *msg)
{
	int err = kafka_topic_look(
		r->kafka, r->route->topic, (int)r->options->kafka_timeout, &r->partitions, msg);

	if (err == 0 && r->partitions == 0)
		err = errmsg_set(
			msg, ERR_UNAVAILABLE, "topic %s does not exist", r->route->topic);
	return err;
}

static int ask_members(struct reset *r, struct errmsg *msg)
{
	const struct rd_kafka_group_list *groups = NULL;
	rd_kafka_resp_err_t err = rd_kafka_list_groups(
		r->kafka, r->options->group, &groups, (int)r->options->kafka_timeout);

	for (int i = 0; !err && i < groups->group_cnt; i++) {
		r->members += groups->groups[i].member_cnt;
		err = groups->groups[i].err; /* a coordinator that begins knows no members */
	}
	if (groups)
		rd_kafka_group_list_destroy(groups);
	return err ? errmsg_set(msg, ERR_UNAVAILABLE, "group %s: %s", r->options->group,
			     rd_kafka_err2str(err))
		   : 0;
}

static int target_at_time(struct reset *r, struct step *step, int64_t ms, struct errmsg *msg)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t err;

	rd_kafka_topic_partition_list_add(list, r->route->topic, step->partition)->offset = ms;
	err = rd_kafka_offsets_for_times(r->kafka, list, (int)r->options->kafka_timeout);
	step->target = list->elems[0].offset >= 0 ? list->elems[0].offset : step->high;
	rd_kafka_topic_partition_list_destroy(list);
	return err ? errmsg_set(msg, ERR_UNAVAILABLE, "kafka: %s", rd_kafka_err2str(err)) : 0;
}

static bool is_offset(const char *text, int64_t *offset)
{
	char *end;

	*offset = strtoll(text, &end, 10);
	return *end == 0 && end != text;
}

/* Before anybody is asked anything. */
static int check_to(const char *to, struct errmsg *msg)
{
	int64_t number;

	if (!to || strcmp(to, "earliest") == 0 || strcmp(to, "latest") == 0 ||
		time_option_parse(to, &number) || is_offset(to, &number))
		return 0;
	return errmsg_set(msg, ERR_CONFIG,
		"option to: '%s' is none of earliest, latest, an offset, a time like "
		"2026-01-31T12:00:00Z",
		to);
}

static int find_target(struct reset *r, struct step *step, struct errmsg *msg)
{
	const char *to = r->options->to;
	int64_t ms;

	if (!to) {
		step->target = step->ledger.exists ? step->ledger.next : step->low;
		return 0;
	}
	if (strcmp(to, "earliest") == 0 || strcmp(to, "latest") == 0) {
		step->target = *to == 'e' ? step->low : step->high;
		return 0;
	}
	if (time_option_parse(to, &ms))
		return target_at_time(r, step, ms, msg);
	(void)is_offset(to, &step->target);
	if (step->target < step->low || step->target > step->high)
		return errmsg_set(msg, ERR_CONFIG,
			"option to: offset %" PRId64
			" is not in the log of %s [%d], which holds %" PRId64 " to %" PRId64,
			step->target, r->route->topic, step->partition, step->low, step->high);
	return 0;
}

static int look_at(struct reset *r, int32_t partition, struct errmsg *msg)
{
	struct step *step;
	struct store_error error = {.row = -1};
	rd_kafka_resp_err_t err;
	enum verdict v;

	r->steps = mem_resize(r->steps, (size_t)r->count + 1, sizeof(*r->steps));
	step = &r->steps[r->count++];
	*step = (struct step){.partition = partition};
	err = rd_kafka_query_watermark_offsets(r->kafka, r->route->topic, partition, &step->low,
		&step->high, (int)r->options->kafka_timeout);
	if (err)
		return errmsg_set(msg, ERR_UNAVAILABLE, "%s [%d]: %s", r->route->topic,
			partition, rd_kafka_err2str(err));
	v = mysql_store_position(r->mysql, r->route, partition, &step->ledger, &error);
	if (v != VERDICT_DONE)
		return settings_store_error(&error, v, msg);
	return find_target(r, step, msg);
}

/* ---- showing ------------------------------------------------------------------------------------- */

static void print_step(const struct reset *r, const struct step *step)
{
	char now[32] = "none", effect[64] = "stays";
	int64_t next = step->ledger.next, target = step->target;

	if (step->ledger.exists)
		snprintf(now, sizeof(now), "%" PRId64, next);
	if (!step->ledger.exists)
		snprintf(effect, sizeof(effect), "starts here");
	else if (target > next)
		snprintf(effect, sizeof(effect), "%" PRId64 " records passed over",
			target - next);
	else if (target < next)
		snprintf(effect, sizeof(effect), "%" PRId64 " records applied again",
			(next < step->high ? next : step->high) - target);
	printf("%s [%d]  log %" PRId64 "..%" PRId64 "  ledger %s -> %" PRId64 "  %s\n",
		r->route->topic, step->partition, step->low, step->high, now, target, effect);
}

static void print_json(const struct reset *r)
{
	json_t *rows = json_array();
	json_t *all = json_pack("{s:s, s:s, s:b, s:i, s:o}", "group", r->options->group,
		"topic", r->route->topic, "executed", r->options->execute, "members",
		r->members, "partitions", rows);

	for (int i = 0; i < r->count; i++) {
		const struct step *step = &r->steps[i];

		json_array_append_new(
			rows, json_pack("{s:i, s:I, s:I, s:o, s:I}", "partition",
				      step->partition, "low", (json_int_t)step->low, "end",
				      (json_int_t)step->high, "ledger",
				      step->ledger.exists ? json_integer(step->ledger.next)
							  : json_null(),
				      "target", (json_int_t)step->target));
	}
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

static void print_plan(const struct reset *r)
{
	if (r->options->json) {
		print_json(r);
		return;
	}
	for (int i = 0; i < r->count; i++)
		print_step(r, &r->steps[i]);
	if (r->options->accept_partitions)
		printf("table %s: its keys are spread over %" PRId64 " partitions\n",
			r->route->table, r->options->accept_partitions);
	if (r->members > 0)
		printf("group %s has %d members: stop them first\n", r->options->group,
			r->members);
	if (!r->options->execute)
		puts("nothing was changed; --execute does it");
}

/* ---- doing ---------------------------------------------------------------------------------------- */

static int may_execute(const struct reset *r, struct errmsg *msg)
{
	if (r->options->accept_partitions && r->options->accept_partitions != r->partitions)
		return errmsg_set(msg, ERR_CONFIG,
			"option accept-partitions: topic %s has %d partitions", r->route->topic,
			r->partitions);
	if (r->options->force)
		return 0;
	if (r->members > 0)
		return errmsg_set(msg, ERR_REFUSED,
			"group %s has %d members; stop them first (or --force)",
			r->options->group, r->members);
	for (int i = 0; i < r->count; i++) {
		const struct step *step = &r->steps[i];

		if (r->route->mode == ROUTE_APPEND && step->ledger.exists &&
			step->target < step->ledger.next)
			return errmsg_set(msg, ERR_REFUSED,
				"table %s is appended to: going back would append records "
				"twice "
				"(--force)",
				r->route->table);
		if (r->options->accept_partitions && step->ledger.exists &&
			step->ledger.next < step->high)
			return errmsg_set(msg, ERR_REFUSED,
				"%s [%d] is not drained: %" PRId64
				" records are left, and their "
				"keys may live in another partition now (--force)",
				r->route->topic, step->partition,
				step->high - step->ledger.next);
	}
	return 0;
}

static int move_ledger(struct reset *r, const struct step *step, struct errmsg *msg)
{
	struct store_error error = {.row = -1};
	struct ledger was = step->ledger;
	int64_t generation = 0;
	enum verdict v = VERDICT_DONE;

	if (getrandom(&generation, sizeof(generation), 0) != sizeof(generation))
		return errmsg_set(msg, ERR_IO, "no random numbers");
	generation &= INT64_MAX;
	/* A row that is made counts in generation 0, as the fence of a lost ledger may. */
	if (!step->ledger.exists) {
		was = (struct ledger){.exists = true, .next = step->target};
		v = mysql_store_create_position(
			r->mysql, r->route, step->partition, step->target, &error);
	}
	if (v == VERDICT_DONE)
		v = mysql_store_reset_position(r->mysql, r->route, step->partition, &was,
			step->target, generation, &error);
	return v == VERDICT_DONE ? 0 : settings_store_error(&error, v, msg);
}

/* So that lag tools agree at once; the ledger alone decides. */
static void commit_offsets(struct reset *r)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(r->count);
	rd_kafka_resp_err_t err;

	for (int i = 0; i < r->count; i++)
		rd_kafka_topic_partition_list_add(list, r->route->topic, r->steps[i].partition)
			->offset = r->steps[i].target;
	err = rd_kafka_commit(r->kafka, list, 0);
	if (err)
		log_event(LOG_WARN, "commit_failed",
			LOG_F("error", LOG_STR(rd_kafka_err2str(err))));
	rd_kafka_topic_partition_list_destroy(list);
}

static int execute(struct reset *r, struct errmsg *msg)
{
	struct store_error error = {.row = -1};
	enum verdict v = VERDICT_DONE;
	int err = may_execute(r, msg);

	if (err == 0 && r->options->accept_partitions) {
		v = mysql_store_accept_partitions(
			r->mysql, r->route, (int32_t)r->options->accept_partitions, &error);
		if (v != VERDICT_DONE)
			err = settings_store_error(&error, v, msg);
	}
	for (int i = 0; err == 0 && r->options->to && i < r->count; i++)
		err = move_ledger(r, &r->steps[i], msg);
	if (err == 0 && r->options->to)
		commit_offsets(r);
	return err;
}

static int reset_route(struct reset *r, struct errmsg *msg)
{
	int err = ask_topic(r, msg);

	if (err == 0)
		err = ask_members(r, msg);
	for (int32_t p = 0; err == 0 && p < r->partitions; p++) {
		if (r->options->partition < 0 || r->options->partition == p)
			err = look_at(r, p, msg);
	}
	if (err == 0 && r->count == 0)
		err = errmsg_set(msg, ERR_CONFIG,
			"option partition: topic %s has %d partitions", r->route->topic,
			r->partitions);
	if (err != 0)
		return err;
	print_plan(r);
	return r->options->execute ? execute(r, msg) : 0;
}

int verb_reset(struct consumer_options *options, struct errmsg *msg)
{
	struct reset r = {.options = options};
	int err;

	if (!options->to && !options->accept_partitions)
		return errmsg_set(msg, ERR_CONFIG,
			"reset needs --to earliest|latest|OFFSET|TIME, or --accept-partitions "
			"N");
	if (options->accept_partitions && options->partition >= 0)
		return errmsg_set(msg, ERR_CONFIG,
			"option accept-partitions: it is about all partitions, so without "
			"--partition");
	err = check_to(options->to, msg);
	if (err == 0)
		err = settings_init(&r.settings, options, msg);
	if (err != 0)
		return err;
	r.route = mapping_route(&r.settings.mapping, options->topic);
	if (!r.route)
		err = errmsg_set(msg, ERR_CONFIG, "option topic: %s has no route for topic %s",
			r.settings.mapping.source, options->topic);
	if (err == 0)
		err = open_all(&r, msg);
	if (err == 0)
		err = reset_route(&r, msg);
	mysql_store_free(r.mysql);
	if (r.kafka)
		rd_kafka_destroy(r.kafka);
	free(r.steps);
	settings_release(&r.settings);
	return err;
}
