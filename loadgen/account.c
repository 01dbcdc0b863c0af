#include "loadgen/account.h"

#include "common/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_RECORDS (1 << 16) /* parts, so that none is ever copied while the load runs */

struct account {
	struct account_plan plan;
	FILE *ids;
	uint64_t *keys_seen; /* a bit per key */
	uint64_t distinct, beyond;
	struct account_record **parts;
	size_t count;
	char **topics;
	int topics_count;
};

int account_open(struct account **made, const struct account_plan *plan, struct errmsg *msg)
{
	struct account *a = mem_zero(1, sizeof(*a));

	*made = a;
	a->plan = *plan;
	if (plan->keys)
		a->keys_seen = mem_zero(plan->keys / 64 + 1, sizeof(*a->keys_seen));
	if (!plan->ids_file)
		return 0;
	a->ids = fopen(plan->ids_file, plan->append ? "a" : "w");
	if (!a->ids)
		return errmsg_set(msg, ERR_IO, "option ids.file: cannot write %s: %s",
			plan->ids_file, strerror(errno));
	setvbuf(a->ids, NULL, _IOFBF, 1 << 20);
	return 0;
}

static void count_key(struct account *a, uint64_t key)
{
	uint64_t mask = UINT64_C(1) << (key % 64);

	if (!a->keys_seen) {
		a->distinct++;
	} else if (!(a->keys_seen[key / 64] & mask)) {
		a->keys_seen[key / 64] |= mask;
		a->distinct++;
	}
}

int account_topic_number(const struct account *a, const char *topic)
{
	for (int i = 0; i < a->topics_count; i++) {
		if (strcmp(a->topics[i], topic) == 0)
			return i;
	}
	return -1;
}

static int topic_number(struct account *a, const char *name)
{
	int known = account_topic_number(a, name);

	if (known >= 0)
		return known;
	a->topics = mem_resize(a->topics, (size_t)a->topics_count + 1, sizeof(*a->topics));
	a->topics[a->topics_count] = mem_strdup(name);
	return a->topics_count++;
}

static void remember(struct account *a, uint64_t key, const struct ack *ack, bool placed)
{
	size_t part = a->count / PART_RECORDS;

	if (a->plan.remember_max == 0)
		return;
	if (a->count == a->plan.remember_max) {
		a->beyond++;
		return;
	}
	if (a->count % PART_RECORDS == 0) {
		a->parts = mem_resize(a->parts, part + 1, sizeof(*a->parts));
		a->parts[part] = mem_alloc(PART_RECORDS * sizeof(**a->parts));
	}
	a->parts[part][a->count++ % PART_RECORDS] = (struct account_record){.key = key,
		.offset = placed ? ack->offset : -1,
		.partition = placed ? ack->partition : -1,
		.topic = topic_number(a, ack->topic)};
}

static void put_id(struct account *a, uint64_t number, const struct ack *ack, bool placed)
{
	char key[REQUEST_KEY_BYTES];

	request_key_text(a->plan.request, number, key);
	if (placed)
		fprintf(a->ids, "%s\t%d\t%lld\n", key, ack->partition, (long long)ack->offset);
	else
		fprintf(a->ids, "%s\t-\t-\n", key);
}

void account_take(struct account *a, const struct http_call *call,
	const struct http_reply *reply, struct stats *stats, struct acks *acks)
{
	struct ack ack;
	bool placed = ack_parse(&ack, reply->body ? reply->body : "", reply->body_bytes);

	stats->acknowledged++;
	count_key(a, call->key);
	if (!placed) {
		stats->without_position++;
	} else {
		enum ack_outcome outcome = acks_add(acks, &ack);

		stats->answered_twice += outcome == ACK_AGAIN;
		stats->odd_positions += outcome == ACK_TOO_FAR;
	}
	remember(a, call->key, &ack, placed);
	if (a->ids)
		put_id(a, call->key, &ack, placed);
}

uint64_t account_distinct(const struct account *a)
{
	return a->distinct;
}

size_t account_count(const struct account *a)
{
	return a->count;
}

uint64_t account_beyond(const struct account *a)
{
	return a->beyond;
}

const struct account_record *account_record(const struct account *a, size_t i)
{
	return &a->parts[i / PART_RECORDS][i % PART_RECORDS];
}

const char *account_topic(const struct account *a, int topic)
{
	return a->topics[topic];
}

int account_close(struct account *a, struct errmsg *msg)
{
	int err = 0;
	bool bad;

	if (!a)
		return 0;
	bad = a->ids && ferror(a->ids);
	if (a->ids && (fclose(a->ids) != 0 || bad))
		err = errmsg_set(msg, ERR_IO, "option ids.file: writing %s failed: %s",
			a->plan.ids_file, strerror(errno));
	for (size_t i = 0; i * PART_RECORDS < a->count; i++)
		free(a->parts[i]);
	free(a->parts);
	for (int i = 0; i < a->topics_count; i++)
		free(a->topics[i]);
	free(a->topics);
	free(a->keys_seen);
	free(a);
	return err;
}
