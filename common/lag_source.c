#include "common/lag_source.h"

#include "common/lag_math.h"
#include "common/lag_probe.h"
#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lag_source {
	rd_kafka_t *rk;
	rd_kafka_queue_t *answers; /* of the admin calls */
	char *group;
	int timeout_ms;
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
	s->answers = rd_kafka_queue_new(rk);
	s->group = mem_strdup(group);
	s->timeout_ms = timeout_ms;
	*source = s;
	return 0;
}

void lag_source_close(struct lag_source *source)
{
	if (!source)
		return;
	rd_kafka_queue_destroy(source->answers);
	rd_kafka_destroy_flags(source->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	free(source->group);
	free(source);
}

static int unavailable(struct errmsg *msg, const char *what, rd_kafka_resp_err_t err)
{
	return errmsg_set(msg, ERR_UNAVAILABLE, "%s: %s", what, rd_kafka_err2str(err));
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
		rd_kafka_topic_partition_list_add(list, topic, t->partitions[i].id);
	rd_kafka_metadata_destroy(meta);
	return rc;
}

/* Waits for the one answer of an admin call. NULL and a message, or the caller destroys it. */
static rd_kafka_event_t *answer(struct lag_source *s, const char *what, struct errmsg *msg)
{
	rd_kafka_event_t *event = rd_kafka_queue_poll(s->answers, s->timeout_ms + 1000);
	if (!event) {
		unavailable(msg, what, RD_KAFKA_RESP_ERR__TIMED_OUT);
		return NULL;
	}
	if (rd_kafka_event_error(event)) {
		errmsg_set(msg, ERR_UNAVAILABLE, "%s: %s", what,
			rd_kafka_event_error_string(event));
		rd_kafka_event_destroy(event);
		return NULL;
	}
	return event;
}

static rd_kafka_AdminOptions_t *options(struct lag_source *s, rd_kafka_admin_op_t op)
{
	char why[128];
	rd_kafka_AdminOptions_t *opt = rd_kafka_AdminOptions_new(s->rk, op);
	rd_kafka_AdminOptions_set_request_timeout(opt, s->timeout_ms, why, sizeof(why));
	return opt;
}

int lag_source_group_topics(
	struct lag_source *source, rd_kafka_topic_partition_list_t *list, struct errmsg *msg)
{
	rd_kafka_AdminOptions_t *opt =
		options(source, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
	rd_kafka_ListConsumerGroupOffsets_t *ask =
		rd_kafka_ListConsumerGroupOffsets_new(source->group, NULL);
	rd_kafka_ListConsumerGroupOffsets(source->rk, &ask, 1, opt, source->answers);
	rd_kafka_ListConsumerGroupOffsets_destroy(ask);
	rd_kafka_AdminOptions_destroy(opt);
	rd_kafka_event_t *event = answer(source, "offsets of the group", msg);
	if (!event)
		return ERR_UNAVAILABLE;
	size_t count = 0;
	const rd_kafka_group_result_t **groups =
		rd_kafka_ListConsumerGroupOffsets_result_groups(
			rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
	const rd_kafka_topic_partition_list_t *found =
		count ? rd_kafka_group_result_partitions(groups[0]) : NULL;
	/* Every partition of those topics, also the ones without a committed offset. */
	int rc = 0;
	for (int i = 0; !rc && found && i < found->cnt; i++) {
		const char *topic = found->elems[i].topic;
		bool known = false;
		for (int k = 0; k < list->cnt && !known; k++)
			known = strcmp(list->elems[k].topic, topic) == 0;
		if (!known)
			rc = lag_source_topic(source, topic, list, msg);
		if (rc == ERR_INVALID) /* deleted since */
			rc = 0;
	}
	rd_kafka_event_destroy(event);
	return rc;
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

/* ListOffsets by its special timestamps: one request a broker, whatever the number of partitions. */
static int bound(struct lag_source *s, const rd_kafka_topic_partition_list_t *list,
	int64_t which, int64_t *offsets, struct errmsg *msg)
{
	rd_kafka_topic_partition_list_t *ask = rd_kafka_topic_partition_list_copy(list);
	for (int i = 0; i < ask->cnt; i++)
		ask->elems[i].offset = which;
	rd_kafka_resp_err_t err = rd_kafka_offsets_for_times(s->rk, ask, s->timeout_ms);
	bool any = false;
	for (int i = 0; i < ask->cnt; i++) {
		const rd_kafka_topic_partition_t *p = &ask->elems[i];
		offsets[i] = p->err || p->offset < 0 ? LAG_UNKNOWN : p->offset;
		any = any || offsets[i] != LAG_UNKNOWN;
	}
	rd_kafka_topic_partition_list_destroy(ask);
	return err && !any ? unavailable(msg, "end offsets", err) : 0;
}

int lag_source_bounds(struct lag_source *source, const rd_kafka_topic_partition_list_t *list,
	int64_t *low, int64_t *end, struct errmsg *msg)
{
	int rc = bound(source, list, RD_KAFKA_OFFSET_BEGINNING, low, msg);
	return rc ? rc : bound(source, list, RD_KAFKA_OFFSET_END, end, msg);
}

void lag_source_ages(
	struct lag_source *source, const rd_kafka_topic_partition_list_t *list, double *ages_s)
{
	lag_probe_ages(source->rk, list, source->timeout_ms, ages_s);
}

static void take_member(struct lag_group *group, const rd_kafka_MemberDescription_t *member)
{
	const rd_kafka_MemberAssignment_t *assignment =
		rd_kafka_MemberDescription_assignment(member);
	const rd_kafka_topic_partition_list_t *list =
		assignment ? rd_kafka_MemberAssignment_partitions(assignment) : NULL;
	const char *host = rd_kafka_MemberDescription_host(member);
	for (int i = 0; list && i < list->cnt; i++) {
		rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(
			group->owned, list->elems[i].topic, list->elems[i].partition);
		/* Brokers write the host as "/10.0.0.1". */
		p->metadata = mem_printf("%s@%s", rd_kafka_MemberDescription_client_id(member),
			host ? host + (host[0] == '/') : "?");
		p->metadata_size = strlen(p->metadata) + 1;
	}
}

int lag_source_group(struct lag_source *source, struct lag_group *group, struct errmsg *msg)
{
	rd_kafka_AdminOptions_t *opt =
		options(source, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
	const char *names[] = {source->group};
	rd_kafka_DescribeConsumerGroups(source->rk, names, 1, opt, source->answers);
	rd_kafka_AdminOptions_destroy(opt);
	rd_kafka_event_t *event = answer(source, "members of the group", msg);
	if (!event)
		return ERR_UNAVAILABLE;
	size_t count = 0;
	const rd_kafka_ConsumerGroupDescription_t **all =
		rd_kafka_DescribeConsumerGroups_result_groups(
			rd_kafka_event_DescribeConsumerGroups_result(event), &count);
	const rd_kafka_error_t *error =
		count ? rd_kafka_ConsumerGroupDescription_error(all[0]) : NULL;
	int rc = 0;
	if (!count || (error && rd_kafka_error_code(error))) {
		rc = errmsg_set(msg, ERR_UNAVAILABLE, "members of the group: %s",
			error ? rd_kafka_error_string(error) : "no answer");
	} else {
		group->members = (int)rd_kafka_ConsumerGroupDescription_member_count(all[0]);
		snprintf(group->state, sizeof(group->state), "%s",
			rd_kafka_consumer_group_state_name(
				rd_kafka_ConsumerGroupDescription_state(all[0])));
		group->owned = rd_kafka_topic_partition_list_new(8);
		for (int i = 0; i < group->members; i++)
			take_member(group,
				rd_kafka_ConsumerGroupDescription_member(all[0], (size_t)i));
	}
	rd_kafka_event_destroy(event);
	return rc;
}

void lag_group_release(struct lag_group *group)
{
	if (group->owned)
		rd_kafka_topic_partition_list_destroy(group->owned); /* frees the metadata */
	group->owned = NULL;
}
