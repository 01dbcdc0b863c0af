/* redis_keys: which keys there are; part of redis_read.h. */
#include "common/mem.h"
#include "consumer/pipeline/redis_internal.h"
#include "consumer/pipeline/redis_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCAN_COUNT "1000"

void key_list_release(struct key_list *list)
{
	text_buffer_release(&list->text);
	free(list->ends);
	*list = (struct key_list){0};
}

static void key_list_clear(struct key_list *list)
{
	list->count = 0;
	list->text.used = 0;
}

static void key_list_add(struct key_list *list, const redisReply *key)
{
	if (key->type != REDIS_REPLY_STRING)
		return;
	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 1024;
		list->ends = mem_resize(list->ends, list->room, sizeof(*list->ends));
	}
	text_buffer_add(&list->text, key->str, key->len);
	list->ends[list->count++] = list->text.used;
}

/* The template's fixed beginning, as a glob that means just itself, and whatever follows. */
static void add_pattern(struct text_buffer *pattern, const struct route *route)
{
	const char *start = route->cache_key_count ? route->cache_key[0].literal : NULL;

	for (; start && *start; start++) {
		if (strchr("*?[]^\\-", *start))
			text_buffer_add(pattern, "\\", 1);
		text_buffer_add(pattern, start, 1);
	}
	text_buffer_add(pattern, "*", 2);
}

enum verdict redis_store_scan(struct redis_store *store, const struct route *route,
	char *cursor, struct key_list *list, struct store_error *error)
{
	struct text_buffer *pattern = &store->scratch;
	redisReply *reply;
	enum verdict v;

	key_list_clear(list);
	pattern->used = 0;
	add_pattern(pattern, route);
	v = redis_ask(store, 6,
		(const char *const[]){
			"SCAN", cursor, "MATCH", pattern->data, "COUNT", SCAN_COUNT},
		&reply, error);
	if (v != VERDICT_DONE)
		return v;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
		reply->element[0]->type != REDIS_REPLY_STRING ||
		reply->element[1]->type != REDIS_REPLY_ARRAY) {
		v = redis_refuse(
			error, VERDICT_RETRY, "protocol", "SCAN answered something else");
	} else {
		snprintf(cursor, REDIS_CURSOR_CHARS, "%s", reply->element[0]->str);
		for (size_t i = 0; i < reply->element[1]->elements; i++)
			key_list_add(list, reply->element[1]->element[i]);
	}
	freeReplyObject(reply);
	return v;
}

enum verdict redis_store_random(struct redis_store *store, size_t count, struct key_list *list,
	struct store_error *error)
{
	enum verdict v = VERDICT_DONE;

	key_list_clear(list);
	if (!store->context)
		return redis_refuse(error, VERDICT_RECONNECT, "connection", "not connected");
	for (size_t i = 0; i < count; i++)
		(void)redisAppendCommand(store->context, "RANDOMKEY");
	for (size_t i = 0; i < count && v == VERDICT_DONE; i++) {
		redisReply *reply;

		v = redis_reply(store, &reply, error);
		if (v != VERDICT_DONE)
			break;
		key_list_add(list, reply);
		freeReplyObject(reply);
	}
	return v;
}

enum verdict redis_store_size(
	struct redis_store *store, int64_t *keys, struct store_error *error)
{
	redisReply *reply;
	enum verdict v = redis_ask(store, 1, (const char *const[]){"DBSIZE"}, &reply, error);

	if (v != VERDICT_DONE)
		return v;
	*keys = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
	freeReplyObject(reply);
	return v;
}
