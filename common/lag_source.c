#include "common/lag_source.h"

#include "common/lag_math.h"
#include "common/lag_member.h"
#include "common/lag_probe.h"
#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* It asks every broker: one that is down must not make the figures of the others old. */
#define MEMBERS_TIMEOUT_MS 1000

/* The same for the leaders, once one of them did not answer. */
#define LEADER_TIMEOUT_MS 1000
#define EVERY_LEADER	  (-1)

struct lag_source {
	rd_kafka_t *rk;
	char *group;
	_Atomic int timeout_ms;
	bool one_by_one; /* a leader did not answer: ask each for itself */
};

int lag_source_open(struct lag_source **source, const char *group, rd_kafka_conf_t *kafka,
	int timeout_ms, struct errmsg *msg)
{
	/* Uncommitted records of transactions count, as in Kafka's own tools. */
	static const char *const settings[][2] = {
		{"isolation.level", "read_uncommitted"},
		{"enable.auto.commit", "false"},
		{"allow.auto.create.topics", "false"},
	};
	char why[256];
	rd_kafka_conf_res_t res = rd_kafka_conf_set(kafka, "group.id", group, why, sizeof(why));
	for (size_t i = 0; !res && i < sizeof(settings) / sizeof(settings[0]); i++)
		res = rd_kafka_conf_set(
			kafka, settings[i][0], settings[i][1], why, sizeof(why));
	rd_kafka_t *rk = NULL;
	if (!res)
		rk = rd_kafka_new(RD_KAFKA_CONSUMER, kafka, why, sizeof(why));
	if (!rk) {
		rd_kafka_conf_destroy(kafka);
		return errmsg_set(msg, ERR_CONFIG, "lag observer: %s", why);
	}
	struct lag_source *s = mem_zero(1, sizeof(*s));
	s->rk = rk;
	s->group = mem_strdup(group);
	s->timeout_ms = timeout_ms;
	*source = s;
	return 0;
}

void lag_source_hurry(struct lag_source *source)
{
	source->timeout_ms = 1;
}

void lag_source_close(struct lag_source *source)
{
	if (!source)
		return;
	rd_kafka_destroy_flags(source->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	free(source->group);
	free(source);
}

static int unavailable(struct errmsg *msg, const char *what, rd_kafka_resp_err_t err)
{
	return errmsg_set(msg, ERR_UNAVAILABLE, "%s: %s", what, rd_kafka_err2str(err));
}

/* Its leader goes with it, as `opaque`: -1 when it has none. */
static void add_partition(rd_kafka_topic_partition_list_t *list, const char *topic,
	const struct rd_kafka_metadata_partition *partition)
{
	rd_kafka_topic_partition_list_add(list, topic, partition->id)->opaque =
		(void *)(intptr_t)partition->leader;
}

static int32_t leader_of(const rd_kafka_topic_partition_t *partition)
{
	return (int32_t)(intptr_t)partition->opaque;
}

int lag_source_topic(struct lag_source *source, const char *topic,
	rd_kafka_topic_partition_list_t *list, struct errmsg *msg)
{
	rd_kafka_topic_t *rkt = rd_kafka_topic_new(source->rk, topic, NULL);
	if (!rkt)
		return errmsg_set(msg, ERR_INVALID, "topic %s: %s", topic,
			rd_kafka_err2str(rd_kafka_last_error()));
	const struct rd_kafka_metadata *meta = NULL;
	rd_kafka_resp_err_t err =
		rd_kafka_metadata(source->rk, 0, rkt, &meta, source->timeout_ms);
	rd_kafka_topic_destroy(rkt);
	if (err)
		return unavailable(msg, "metadata", err);
	const struct rd_kafka_metadata_topic *t = meta->topic_cnt ? &meta->topics[0] : NULL;
	int rc = 0;
	if (!t || t->err || !t->partition_cnt)
		rc = errmsg_set(msg, ERR_INVALID, "topic %s: %s", topic,
			rd_kafka_err2str(
				t && t->err ? t->err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC));
	for (int i = 0; !rc && i < t->partition_cnt; i++)
		add_partition(list, topic, &t->partitions[i]);
	rd_kafka_metadata_destroy(meta);
	return rc;
}

/* Every partition of the topics on which `asked` has a committed offset, wherever it has one. */
static void add_committed_topics(const struct rd_kafka_metadata *meta,
	rd_kafka_topic_partition_list_t *asked, rd_kafka_topic_partition_list_t *list)
{
	for (int t = 0; t < meta->topic_cnt; t++) {
		const struct rd_kafka_metadata_topic *topic = &meta->topics[t];
		bool any = false;
		for (int i = 0; i < topic->partition_cnt && !any; i++) {
			rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_find(
				asked, topic->topic, topic->partitions[i].id);
			any = p && !p->err && p->offset >= 0;
		}
		for (int i = 0; any && i < topic->partition_cnt; i++)
			add_partition(list, topic->topic, &topic->partitions[i]);
	}
}

int lag_source_group_topics(
	struct lag_source *source, rd_kafka_topic_partition_list_t *list, struct errmsg *msg)
{
	const struct rd_kafka_metadata *meta = NULL;
	rd_kafka_resp_err_t err =
		rd_kafka_metadata(source->rk, 1, NULL, &meta, source->timeout_ms);
	if (err)
		return unavailable(msg, "metadata", err);
	rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(64);
	for (int t = 0; t < meta->topic_cnt; t++)
		for (int i = 0; i < meta->topics[t].partition_cnt; i++)
			rd_kafka_topic_partition_list_add(
				all, meta->topics[t].topic, meta->topics[t].partitions[i].id);
	if (all->cnt)
		err = rd_kafka_committed(source->rk, all, source->timeout_ms);
	if (!err)
		add_committed_topics(meta, all, list);
	rd_kafka_topic_partition_list_destroy(all);
	rd_kafka_metadata_destroy(meta);
	return err ? unavailable(msg, "offsets of the group", err) : 0;
}

int lag_source_committed(struct lag_source *source, const rd_kafka_topic_partition_list_t *list,
	int64_t *offsets, struct errmsg *msg)
{
	rd_kafka_topic_partition_list_t *ask = rd_kafka_topic_partition_list_copy(list);
	rd_kafka_resp_err_t err = rd_kafka_committed(source->rk, ask, source->timeout_ms);
	/* Partitions keep their own error; a general one that touches all is the answer. */
	bool any = false;
	for (int i = 0; i < ask->cnt; i++) {
		const rd_kafka_topic_partition_t *p = &ask->elems[i];
		offsets[i] = p->offset >= 0 ? p->offset : LAG_NONE;
		if (err || p->err)
			offsets[i] = LAG_UNKNOWN;
		any = any || offsets[i] != LAG_UNKNOWN;
	}
	rd_kafka_topic_partition_list_destroy(ask);
	return err && !any ? unavailable(msg, "committed offsets", err) : 0;
}

static bool is_led_by(const rd_kafka_topic_partition_t *partition, int32_t leader)
{
	return leader == EVERY_LEADER ? leader_of(partition) >= 0
				      : leader_of(partition) == leader;
}

/* ListOffsets by its special timestamps: one request a broker, whatever the number of partitions. */
static rd_kafka_resp_err_t ask_leader(struct lag_source *s,
	const rd_kafka_topic_partition_list_t *list, int32_t leader, int64_t which,
	int64_t *offsets)
{
	rd_kafka_topic_partition_list_t *ask = rd_kafka_topic_partition_list_new(list->cnt);
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
	int timeout_ms = s->timeout_ms;
	if (leader != EVERY_LEADER && timeout_ms > LEADER_TIMEOUT_MS)
		timeout_ms = LEADER_TIMEOUT_MS;
	for (int i = 0; i < list->cnt; i++)
		if (is_led_by(&list->elems[i], leader))
			rd_kafka_topic_partition_list_add(
				ask, list->elems[i].topic, list->elems[i].partition)
				->offset = which;
	if (ask->cnt)
		err = rd_kafka_offsets_for_times(s->rk, ask, timeout_ms);
	for (int i = 0, k = 0; !err && i < list->cnt; i++) {
		if (!is_led_by(&list->elems[i], leader))
			continue;
		const rd_kafka_topic_partition_t *p = &ask->elems[k++];
		offsets[i] = p->err || p->offset < 0 ? LAG_UNKNOWN : p->offset;
	}
	rd_kafka_topic_partition_list_destroy(ask);
	return err;
}

static bool is_first_of_leader(const rd_kafka_topic_partition_list_t *list, int index)
{
	int32_t leader = leader_of(&list->elems[index]);
	if (leader < 0)
		return false;
	for (int i = 0; i < index; i++)
		if (leader_of(&list->elems[i]) == leader)
			return false;
	return true;
}

/* Of a leader that tells no low offset no end is asked: it would cost the same time again. */
static rd_kafka_resp_err_t ask_one_by_one(struct lag_source *s,
	const rd_kafka_topic_partition_list_t *list, int64_t *low, int64_t *end)
{
	rd_kafka_resp_err_t failed = RD_KAFKA_RESP_ERR_NO_ERROR;
	bool any = false;
	for (int i = 0; i < list->cnt; i++) {
		if (!is_first_of_leader(list, i))
			continue;
		int32_t leader = leader_of(&list->elems[i]);
		rd_kafka_resp_err_t err =
			ask_leader(s, list, leader, RD_KAFKA_OFFSET_BEGINNING, low);
		if (!err)
			err = ask_leader(s, list, leader, RD_KAFKA_OFFSET_END, end);
		any |= !err;
		failed = err ? err : failed;
	}
	s->one_by_one = failed != RD_KAFKA_RESP_ERR_NO_ERROR;
	return any	? RD_KAFKA_RESP_ERR_NO_ERROR
	       : failed ? failed
			: RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

int lag_source_bounds(struct lag_source *source, const rd_kafka_topic_partition_list_t *list,
	int64_t *low, int64_t *end, struct errmsg *msg)
{
	rd_kafka_resp_err_t err;
	for (int i = 0; i < list->cnt; i++)
		low[i] = end[i] = LAG_UNKNOWN;
	if (source->one_by_one) {
		err = ask_one_by_one(source, list, low, end);
	} else {
		err = ask_leader(source, list, EVERY_LEADER, RD_KAFKA_OFFSET_BEGINNING, low);
		if (!err)
			err = ask_leader(source, list, EVERY_LEADER, RD_KAFKA_OFFSET_END, end);
		source->one_by_one = err != RD_KAFKA_RESP_ERR_NO_ERROR;
	}
	return err ? unavailable(msg, "end offsets", err) : 0;
}

void lag_source_ages(
	struct lag_source *source, const rd_kafka_topic_partition_list_t *list, double *ages_s)
{
	lag_probe_ages(source->rk, list, source->timeout_ms, ages_s);
}

static void take_member(
	struct lag_group *group, const struct rd_kafka_group_member_info *member)
{
	/* Brokers write the host as "/10.0.0.1". */
	const char *host = member->client_host ? member->client_host : "?";
	char *owner = mem_printf(
		"%s@%s", member->client_id ? member->client_id : "?", host + (host[0] == '/'));
	lag_member_assignment(
		member->member_assignment, member->member_assignment_size, owner, group->owned);
	free(owner);
}

/*
 * Not the newer DescribeConsumerGroups: on librdkafka 2.0.2 it ends the process by an assertion
 * when the broker goes away meanwhile (rd_kafka_enq_once_del_source_return).
 */
int lag_source_group(struct lag_source *source, struct lag_group *group, struct errmsg *msg)
{
	const struct rd_kafka_group_list *found = NULL;
	int patience_ms = source->timeout_ms;
	if (patience_ms > MEMBERS_TIMEOUT_MS)
		patience_ms = MEMBERS_TIMEOUT_MS;
	rd_kafka_resp_err_t err =
		rd_kafka_list_groups(source->rk, source->group, &found, patience_ms);
	/* Partial: some broker did not answer, and it may be the one that knows. */
	const struct rd_kafka_group_info *g =
		found && found->group_cnt ? &found->groups[0] : NULL;
	int rc = 0;
	if (err && !(err == RD_KAFKA_RESP_ERR__PARTIAL && g))
		rc = unavailable(msg, "members of the group", err);
	else if (g && g->err)
		rc = unavailable(msg, "members of the group", g->err);
	if (!rc) {
		group->members = g ? g->member_cnt : 0;
		snprintf(group->state, sizeof(group->state), "%s", g ? g->state : "Dead");
		group->owned = rd_kafka_topic_partition_list_new(8);
		for (int i = 0; g && i < g->member_cnt; i++)
			take_member(group, &g->members[i]);
	}
	if (found)
		rd_kafka_group_list_destroy(found);
	return rc;
}

void lag_group_release(struct lag_group *group)
{
	if (group->owned)
		rd_kafka_topic_partition_list_destroy(group->owned); /* frees the metadata */
	group->owned = NULL;
}
