/*
 * 1 all ids are looked for, VISIBLE_AT_ONCE at a time; those that are missing are kept
 * 2 the missing are looked for again until they are there or the time is up
 * 3 the dead letters are read, but only if something is missing
 * 4 what is left is pending or lost
 */
#include "loadgen/check.h"

#include "common/clock.h"
#include "common/dead_letter.h"
#include "common/mem.h"
#include "loadgen/letters.h"
#include "loadgen/stop.h"
#include "loadgen/visible_store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AGAIN_MS 100

struct missing {
	const struct account_record *record;
	bool in[VISIBLE_STORES];
	bool lettered;
};

struct check {
	const struct check_config *config;
	const struct account *account;
	const struct request *request;
	struct visible_link links[VISIBLE_STORES];
	struct missing *list;
	size_t count, room;
	struct visible_sample samples[VISIBLE_AT_ONCE];
};

/* Asks both stores for `count` items; sets their in[]. */
static int look(struct check *c, struct missing *items, size_t count, struct errmsg *msg)
{
	for (int s = 0; s < VISIBLE_STORES; s++) {
		int err;

		for (size_t i = 0; i < count; i++) {
			request_key_text(c->request, items[i].record->key, c->samples[i].key);
			c->samples[i].found = false;
		}
		err = c->links[s].look(c->links[s].connection, c->samples, count, msg);
		if (err != 0)
			return err;
		for (size_t i = 0; i < count; i++)
			items[i].in[s] = c->samples[i].found;
	}
	return 0;
}

static bool is_there(const struct missing *item)
{
	return item->in[VISIBLE_MYSQL] && item->in[VISIBLE_REDIS];
}

static void keep(struct check *c, const struct missing *item)
{
	if (c->count == c->room) {
		c->room = c->room ? c->room * 2 : 64;
		c->list = mem_resize(c->list, c->room, sizeof(*c->list));
	}
	c->list[c->count++] = *item;
}

static int look_for_all(struct check *c, struct errmsg *msg)
{
	struct missing part[VISIBLE_AT_ONCE];
	size_t count, all = account_count(c->account);
	int err = 0;

	for (size_t from = 0; err == 0 && from < all && !stop_asked(); from += count) {
		count = all - from < VISIBLE_AT_ONCE ? all - from : VISIBLE_AT_ONCE;
		for (size_t i = 0; i < count; i++)
			part[i] = (struct missing){
				.record = account_record(c->account, from + i)};
		err = look(c, part, count, msg);
		for (size_t i = 0; err == 0 && i < count; i++) {
			if (!is_there(&part[i]))
				keep(c, &part[i]);
		}
	}
	return err;
}

static int look_again(struct check *c, struct errmsg *msg)
{
	size_t kept = 0, count;
	int err = 0;

	for (size_t from = 0; err == 0 && from < c->count; from += count) {
		count = c->count - from < VISIBLE_AT_ONCE ? c->count - from : VISIBLE_AT_ONCE;
		err = look(c, c->list + from, count, msg);
	}
	for (size_t i = 0; err == 0 && i < c->count; i++) {
		if (!is_there(&c->list[i]))
			c->list[kept++] = c->list[i];
	}
	if (err == 0)
		c->count = kept;
	return err;
}

/* --- the dead letters --- */

static int by_place(const void *a, const void *b)
{
	const struct account_record *x = ((const struct missing *)a)->record,
				    *y = ((const struct missing *)b)->record;

	if (x->topic != y->topic)
		return x->topic < y->topic ? -1 : 1;
	if (x->partition != y->partition)
		return x->partition < y->partition ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

static void on_letter(void *ctx, const char *topic, int partition, int64_t offset)
{
	struct check *c = ctx;
	struct account_record place = {.offset = offset,
		.partition = partition,
		.topic = account_topic_number(c->account, topic)};
	struct missing wanted = {.record = &place},
		       *found = bsearch(&wanted, c->list, c->count, sizeof(*c->list), by_place);

	if (found)
		found->lettered = true;
}

static void read_letters(struct check *c, int64_t since_ms, struct check_result *result)
{
	const char *origin = account_topic(c->account, c->list[0].record->topic);
	char *topic = dead_letter_topic(c->config->letters_topic, origin);
	struct errmsg why = {"no brokers were given"};
	int err = ERR_UNAVAILABLE;

	/* a minute before: the brokers' clock is not ours */
	if (c->config->kafka)
		err = letters_read(
			c->config->kafka, topic, since_ms - 60000, on_letter, c, &why);
	if (err != 0)
		snprintf(result->letters_unknown, sizeof(result->letters_unknown), "%s: %.150s",
			topic, why.text);
	free(topic);
}

/* --- the verdict --- */

/*
 * Nobody is known to have passed it. Without a lag source (NULL) nobody can be asked: what is
 * missing then is lost.
 */
bool check_is_pending(
	const struct check_moment *moment, const char *topic, int partition, int64_t offset)
{
	const struct lag_look *lag = moment->lag;
	const struct look_partition *p = lag ? lag_look_find(lag, topic, partition) : NULL;
	bool end_known;

	if (!p || p->committed < 0)
		return lag != NULL;
	/* one that was seen before the last answer says nothing */
	end_known = p->end >= 0 && lag->asked_ns >= moment->last_answer_ns;
	return offset >= p->committed && (!end_known || offset < p->end);
}

static void put_lost(FILE *out, const struct check_lost *lost)
{
	fprintf(out, "%s\t%s\t%d\t%" PRId64 "\t%s\t%s\n", lost->id, lost->topic,
		lost->partition, lost->offset, lost->in_mysql ? "mysql" : "-",
		lost->in_redis ? "redis" : "-");
}

static void name_lost(
	struct check *c, const struct missing *item, FILE *out, struct check_result *result)
{
	char key[REQUEST_KEY_BYTES];
	struct check_lost lost = {.partition = item->record->partition,
		.offset = item->record->offset,
		.in_mysql = item->in[VISIBLE_MYSQL],
		.in_redis = item->in[VISIBLE_REDIS]};

	request_key_text(c->request, item->record->key, key);
	lost.id = mem_strdup(key);
	lost.topic = mem_strdup(account_topic(c->account, item->record->topic));
	if (out)
		put_lost(out, &lost);
	if (result->listed < CHECK_LISTED) {
		result->list =
			mem_resize(result->list, result->listed + 1, sizeof(*result->list));
		result->list[result->listed++] = lost;
	} else {
		free(lost.id);
		free(lost.topic);
	}
}

static int judge(struct check *c, const struct check_moment *moment,
	struct check_result *result, struct errmsg *msg)
{
	const char *path = c->config->lost_file;
	FILE *out = path ? fopen(path, moment->append ? "a" : "w") : NULL;
	bool bad;

	if (path && !out)
		return errmsg_set(msg, ERR_IO, "option lost.file: cannot write %s: %s", path,
			strerror(errno));
	for (size_t i = 0; i < c->count; i++) {
		const struct missing *item = &c->list[i];

		if (item->lettered) {
			result->deadlettered++;
			continue;
		}
		result->missing_mysql += !item->in[VISIBLE_MYSQL];
		result->missing_redis += !item->in[VISIBLE_REDIS];
		if (check_is_pending(moment, account_topic(c->account, item->record->topic),
			    item->record->partition, item->record->offset)) {
			result->pending++;
			continue;
		}
		result->lost++;
		name_lost(c, item, out, result);
	}
	result->ids = account_count(c->account);
	result->unchecked = account_beyond(c->account);
	result->applied = result->ids - c->count;
	bad = out && ferror(out);
	if (out && (fclose(out) != 0 || bad))
		return errmsg_set(msg, ERR_IO, "option lost.file: writing %s failed: %s", path,
			strerror(errno));
	return 0;
}

int check_ids(const struct check_config *config, const struct account *account,
	const struct request *request, const struct check_moment *moment,
	struct check_result *result, struct errmsg *msg)
{
	struct check *c = mem_zero(1, sizeof(*c));
	int64_t until = clock_mono_ms() + config->wait_ms;
	bool stopped;
	int err;

	c->config = config;
	c->account = account;
	c->request = request;
	err = visible_link_mysql(&c->links[VISIBLE_MYSQL], config->stores, msg);
	if (err == 0)
		err = visible_link_redis(&c->links[VISIBLE_REDIS], config->stores, msg);
	if (err == 0)
		err = look_for_all(c, msg);
	while (err == 0 && c->count && clock_mono_ms() < until && !stop_asked()) {
		usleep(AGAIN_MS * 1000);
		err = look_again(c, msg);
	}
	if (err == 0 && c->count && !stop_asked()) {
		qsort(c->list, c->count, sizeof(*c->list), by_place);
		read_letters(c, moment->started_ms, result);
	}
	stopped = stop_asked(); /* half a look accuses nobody */
	if (err != 0)
		errmsg_wrap(msg, "the check of the acknowledged ids");
	else if (!stopped)
		err = judge(c, moment, result, msg);
	result->done = err == 0 && !stopped;
	for (int s = 0; s < VISIBLE_STORES; s++) {
		if (c->links[s].close)
			c->links[s].close(c->links[s].connection);
	}
	free(c->list);
	free(c);
	return err;
}

void check_release(struct check_result *result)
{
	for (size_t i = 0; i < result->listed; i++) {
		free(result->list[i].id);
		free(result->list[i].topic);
	}
	free(result->list);
	*result = (struct check_result){0};
}
