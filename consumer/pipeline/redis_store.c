/*
 * redis_store: the fence and what moves it. Each call is one script (redis_script.c), so the cache
 * keys and the fence change together or not at all; a batch, which is the hot path, does the same
 * without one where the server can (redis_watch.c).
 */
#include "consumer/pipeline/redis_internal.h"
#include "consumer/pipeline/redis_trip.h"

#include "common/mem.h"
#include "consumer/pipeline/bare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 20 digits -> number; -1 for anything else. */
static int64_t offset_of(const redisReply *reply)
{
	char *end;
	int64_t value;

	if (reply->type != REDIS_REPLY_STRING || reply->len != REDIS_OFFSET_DIGITS)
		return -1;
	value = strtoll(reply->str, &end, 10);
	return *end ? -1 : value;
}

enum verdict redis_fence_of(
	const redisReply *reply, struct fence *fence, struct store_error *error)
{
	const redisReply *next, *seen, *rebuild, *generation;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 4)
		return redis_refuse(
			error, VERDICT_RECONNECT, "protocol", "HMGET answered not four values");
	next = reply->element[0];
	seen = reply->element[1];
	rebuild = reply->element[2];
	generation = reply->element[3];
	memset(fence, 0, sizeof(*fence));
	if (next->type == REDIS_REPLY_NIL)
		return VERDICT_DONE;
	fence->exists = true;
	fence->next = offset_of(next);
	fence->seen = seen->type == REDIS_REPLY_NIL ? fence->next : offset_of(seen);
	if (fence->next < 0 || fence->seen < 0)
		return redis_refuse(error, VERDICT_FATAL, "schema",
			"the fence holds something that is no position: was it written by "
			"hand?");
	if (rebuild->type == REDIS_REPLY_STRING)
		snprintf(fence->rebuild, sizeof(fence->rebuild), "%s", rebuild->str);
	if (generation->type == REDIS_REPLY_STRING)
		fence->generation = strtoll(generation->str, NULL, 10);
	return VERDICT_DONE;
}

enum verdict redis_store_fence(struct redis_store *store, const struct route *route,
	int32_t partition, struct fence *fence, struct store_error *error)
{
	struct text_buffer *key = &store->scratch;
	const char *words[6] = {"HMGET", NULL, "next", "seen", "rebuild", "generation"};
	redisReply *reply;
	enum verdict v;

	key->used = 0;
	redis_fence_key(store, route, partition, key);
	text_buffer_add(key, "", 1);
	words[1] = key->data;
	v = redis_ask(store, 6, words, &reply, error);
	if (v != VERDICT_DONE)
		return v;
	v = redis_fence_of(reply, fence, error);
	freeReplyObject(reply);
	return v;
}

enum verdict redis_store_create_fence(struct redis_store *store, const struct route *route,
	int32_t partition, const struct fence *read, const struct fence *wanted,
	struct store_error *error)
{
	redis_args_begin(store);
	redis_arg_offset(store, wanted->next);
	redis_arg_text(store, wanted->rebuild);
	redis_arg_number(store, wanted->generation);
	if (read->exists)
		redis_arg_offset(store, read->next);
	else
		redis_arg_text(store, "");
	redis_arg_number(store, read->generation);
	return redis_script_call(store, SCRIPT_CREATE, route, partition, error);
}

enum verdict redis_store_jump(struct redis_store *store, const struct route *route,
	int32_t partition, const struct fence *read, int64_t to, const char *rebuild,
	struct store_error *error)
{
	redis_args_begin(store);
	redis_arg_offset(store, read->next);
	redis_arg_offset(store, to);
	redis_arg_text(store, rebuild);
	redis_arg_number(store, read->generation);
	return redis_script_call(store, SCRIPT_JUMP, route, partition, error);
}

static enum verdict send_by_script(
	struct redis_store *store, const struct batch *batch, struct store_error *error)
{
	store->sent_script = true;
	redis_args_begin(store);
	redis_arg_offset(store, batch->from);
	redis_arg_offset(store, batch->to);
	redis_arg_number(store, batch->generation);
	redis_arg_rows(store, batch->route, batch->selected, batch->selected_count);
	return redis_script_send(store, SCRIPT_APPLY, batch->route, batch->partition, error);
}

void redis_store_prepare(struct redis_store *store, const struct batch *batch)
{
	if (BARE || store->transactions)
		redis_trip_make(store, batch);
}

enum verdict redis_store_send(
	struct redis_store *store, const struct batch *batch, struct store_error *error)
{
	store->sent_script = false;
	if (BARE)
		return redis_trip_send(store, batch, error);
	if (store->transactions)
		return redis_watch_send(store, batch, error);
	return send_by_script(store, batch, error);
}

enum verdict redis_store_answer(
	struct redis_store *store, const struct batch *batch, struct store_error *error)
{
	if (BARE)
		return redis_bare_answer(store, error);
	if (!store->sent_script) {
		bool spoiled;
		enum verdict v = redis_watch_answer(store, batch, &spoiled, error);

		if (v == VERDICT_DONE && spoiled)
			v = send_by_script(store, batch, error);
		if (v != VERDICT_DONE || !spoiled)
			return v;
	}
	return redis_script_answer(store, error);
}

enum verdict redis_store_refresh(
	struct redis_store *store, const struct refresh *refresh, struct store_error *error)
{
	if (refresh->snapshot < 0)
		return redis_refuse(error, VERDICT_MOVED, "moved",
			"MySQL has no position of this partition");
	if (refresh->advance_from >= 0 && refresh->advance_to > refresh->snapshot)
		return redis_refuse(error, VERDICT_MOVED, "moved",
			"the fence may not pass the snapshot it was read from");
	redis_args_begin(store);
	redis_arg_offset(store, refresh->snapshot);
	if (refresh->advance_from >= 0) {
		redis_arg_offset(store, refresh->advance_from);
		redis_arg_offset(store, refresh->advance_to);
	} else {
		redis_arg_text(store, "");
		redis_arg_text(store, "");
	}
	redis_arg_number(store, refresh->generation);
	redis_arg_rows(store, refresh->route, refresh->rows, refresh->count);
	return redis_script_call(
		store, SCRIPT_REFRESH, refresh->route, refresh->partition, error);
}

enum verdict redis_store_rebuilt(struct redis_store *store, const struct route *route,
	int32_t partition, const char *rebuild, struct store_error *error)
{
	redis_args_begin(store);
	redis_arg_text(store, rebuild);
	return redis_script_call(store, SCRIPT_REBUILT, route, partition, error);
}
