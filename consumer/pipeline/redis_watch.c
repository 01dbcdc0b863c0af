/*
 * redis_watch: a batch without a script. One trip:
 *
 *	MULTI, the keys, HSET fence, EXEC, WATCH fence, HMGET fence
 *
 * EXEC does nothing when anybody wrote the fence since the last WATCH; the HMGET behind it is the
 * look at the fence for the next batch. docs/protocol ("The fence with WATCH") has the rules:
 *   1 EXEC only behind a WATCH of this connection whose answer was looked at: redis_store.watch
 *   2 after a refusal by EXEC: look again, and the same batch again where it still fits
 *   3 nothing inside may fail when it is executed, for EXEC goes on to the fence
 */
#include "consumer/pipeline/redis_internal.h"

#include <stdio.h>
#include <string.h>

#define TRIES                                                                                  \
	3 /* somebody writes the fence all the time: then the script, which cannot be spoiled */

static void add_watch(struct redis_store *store, const struct text_buffer *key)
{
	static const char *const fields[] = {"next", "seen", "rebuild", "generation"};
	struct text_buffer *body = &store->body;

	redis_words(body, 2);
	redis_arg_text(store, "WATCH");
	redis_word(body, key->data, key->used);
	redis_words(body, 6);
	redis_arg_text(store, "HMGET");
	redis_word(body, key->data, key->used);
	for (int i = 0; i < 4; i++)
		redis_arg_text(store, fields[i]);
}

/* The answers to WATCH and HMGET: both are read, whatever they are. */
static enum verdict read_watch(
	struct redis_store *store, const struct batch *batch, struct store_error *error)
{
	struct redis_watch *watch = &store->watch;
	redisReply *watched, *values;
	enum verdict v = redis_any_reply(store, &watched, error);

	if (v != VERDICT_DONE)
		return v;
	v = redis_any_reply(store, &values, error);
	if (v == VERDICT_DONE) {
		if (watched->type == REDIS_REPLY_ERROR)
			v = redis_error_reply(watched, error);
		else if (values->type == REDIS_REPLY_ERROR)
			v = redis_error_reply(values, error);
		else
			v = redis_fence_of(values, &watch->fence, error);
		freeReplyObject(values);
	}
	freeReplyObject(watched);
	watch->route = v == VERDICT_DONE ? batch->route : NULL;
	watch->partition = batch->partition;
	return v;
}

/* As the script would judge it. */
static const char *refusal(const struct fence *fence, const struct batch *batch)
{
	if (!fence->exists)
		return "NOFENCE";
	if (fence->generation != batch->generation || fence->next != batch->from)
		return "MOVED";
	return fence->seen > batch->to ? "NEWER" : NULL;
}

/* WATCHed, and what was read behind it lets the batch pass. */
static bool may_go(const struct redis_store *store, const struct batch *batch)
{
	const struct redis_watch *watch = &store->watch;

	return watch->route == batch->route && watch->partition == batch->partition &&
	       !refusal(&watch->fence, batch);
}

static enum verdict look(struct redis_store *store, const struct batch *batch,
	const struct text_buffer *key, struct store_error *error)
{
	const char *word;
	enum verdict v;

	redis_args_begin(store);
	add_watch(store, key);
	v = redis_queue(store, &store->body, error);
	if (v == VERDICT_DONE)
		v = read_watch(store, batch, error);
	if (v != VERDICT_DONE)
		return v;
	word = refusal(&store->watch.fence, batch);
	return word ? redis_refused(word, error) : VERDICT_DONE;
}

/* Everything from MULTI to HMGET, in store->body. Returns how many commands stand inside. */
static size_t build(
	struct redis_store *store, const struct batch *batch, const struct text_buffer *key)
{
	struct text_buffer *body = &store->body;
	size_t inside;

	redis_args_begin(store);
	redis_words(body, 1);
	redis_arg_text(store, "MULTI");
	inside =
		redis_row_commands(store, batch->route, batch->selected, batch->selected_count);
	redis_words(body, 6);
	redis_arg_text(store, "HSET");
	redis_word(body, key->data, key->used);
	redis_arg_text(store, "seen");
	redis_arg_offset(store, batch->to);
	redis_arg_text(store, "next");
	redis_arg_offset(store, batch->to);
	redis_words(body, 1);
	redis_arg_text(store, "EXEC");
	add_watch(store, key);
	return inside + 1;
}

/* MULTI's answer and those of what is queued: all of them are read, the first error counts. */
static enum verdict read_queued(
	struct redis_store *store, size_t count, struct store_error *error)
{
	enum verdict v = VERDICT_DONE;

	for (size_t i = 0; i <= count; i++) {
		struct store_error here;
		redisReply *reply;
		enum verdict got = redis_any_reply(store, &reply, &here);

		if (got != VERDICT_DONE) {
			*error = here;
			return got;
		}
		if (reply->type == REDIS_REPLY_ERROR)
			got = redis_error_reply(reply, &here);
		else if (reply->type != REDIS_REPLY_STATUS ||
			 strcmp(reply->str, i == 0 ? "OK" : "QUEUED"))
			got = redis_refuse(&here, VERDICT_RECONNECT, "protocol",
				"MULTI: a command was not queued");
		if (v == VERDICT_DONE && got != VERDICT_DONE) {
			v = got;
			*error = here;
		}
		freeReplyObject(reply);
	}
	return v;
}

/*
 * EXEC went past an error to the fence, which by rule 3 cannot be (rights that were taken away in
 * this very moment?). The fence would promise what was not written: it is taken away, and the
 * claim makes a new one and has the cache rebuilt.
 */
static enum verdict half_done(struct redis_store *store, const struct text_buffer *key,
	const redisReply *failed, struct store_error *error)
{
	const char *words[2] = {"DEL", key->data};
	struct store_error ignored;
	redisReply *reply;

	if (redis_ask(store, 2, words, &reply, &ignored) == VERDICT_DONE)
		freeReplyObject(reply);
	store->watch.route = NULL;
	return redis_error_reply(failed, error);
}

/* The answers of a whole trip. */
static enum verdict read_trip(struct redis_store *store, const struct batch *batch,
	size_t inside, const struct text_buffer *key, bool *spoiled, struct store_error *error)
{
	struct store_error ignored;
	redisReply *exec;
	enum verdict v = read_queued(store, inside, error);
	bool lost = v != VERDICT_DONE && !strcmp(error->class, "connection");

	if (lost)
		return v;
	if (redis_any_reply(store, &exec, v == VERDICT_DONE ? error : &ignored) != VERDICT_DONE)
		return v == VERDICT_DONE ? VERDICT_RECONNECT : v;
	/* It decides about the next batch only; a lost connection shows itself then. */
	(void)read_watch(store, batch, &ignored);
	*spoiled = v == VERDICT_DONE && exec->type == REDIS_REPLY_NIL;
	if (v == VERDICT_DONE && exec->type == REDIS_REPLY_ERROR)
		v = redis_error_reply(exec, error);
	else if (v == VERDICT_DONE && exec->type != REDIS_REPLY_ARRAY && !*spoiled)
		v = redis_refuse(
			error, VERDICT_RECONNECT, "protocol", "EXEC answered something else");
	for (size_t i = 0; v == VERDICT_DONE && !*spoiled && i < exec->elements; i++) {
		if (exec->element[i]->type == REDIS_REPLY_ERROR)
			v = half_done(store, key, exec->element[i], error);
	}
	freeReplyObject(exec);
	return v;
}

enum verdict redis_watch_apply(struct redis_store *store, const struct batch *batch,
	bool *spoiled, struct store_error *error)
{
	struct text_buffer *key = &store->scratch;
	enum verdict v;

	key->used = 0;
	redis_fence_key(store, batch->route, batch->partition, key);
	text_buffer_add(key, "", 1); /* ends as a text, too */
	key->used--;
	for (int i = 0; i < TRIES; i++) {
		size_t inside;

		*spoiled = false;
		if (!may_go(store, batch)) {
			v = look(store, batch, key, error);
			if (v != VERDICT_DONE)
				return v;
		}
		inside = build(store, batch, key);
		store->watch.route = NULL;
		v = redis_queue(store, &store->body, error);
		if (v == VERDICT_DONE)
			v = read_trip(store, batch, inside, key, spoiled, error);
		if (v != VERDICT_DONE || !*spoiled)
			return v;
	}
	return VERDICT_DONE;
}

enum verdict redis_bare_apply(
	struct redis_store *store, const struct batch *batch, struct store_error *error)
{
	enum verdict v;
	size_t count;

	redis_args_begin(store);
	count = redis_row_commands(store, batch->route, batch->selected, batch->selected_count);
	if (count == 0)
		return VERDICT_DONE;
	v = redis_queue(store, &store->body, error);
	for (size_t i = 0; i < count && v == VERDICT_DONE; i++) {
		redisReply *reply;

		v = redis_reply(store, &reply, error);
		if (v == VERDICT_DONE)
			freeReplyObject(reply);
	}
	return v;
}

/*
 * A MULTI that is refused leaves what follows it unguarded. Redis before 6 refused it while a
 * foreign script ran too long; and somebody may have no right to it. Then batches go by script.
 */
enum verdict redis_watch_probe(struct redis_store *store, struct store_error *error)
{
	static const char *const texts[] = {"MULTI", "EXEC"}, *const info[] = {
								      "INFO", "server"};
	redisReply *reply;
	enum verdict v;

	store->watch.route = NULL;
	store->transactions = !store->config->scripts_only;
	for (int i = 0; i < 2 && store->transactions; i++) {
		v = redis_ask(store, 1, &texts[i], &reply, error);
		if (v == VERDICT_RECONNECT)
			return v;
		store->transactions = v == VERDICT_DONE;
		if (v == VERDICT_DONE)
			freeReplyObject(reply);
	}
	if (!store->transactions)
		return VERDICT_DONE;
	v = redis_ask(store, 2, info, &reply, error);
	if (v == VERDICT_RECONNECT)
		return v;
	store->transactions = false;
	if (v == VERDICT_DONE) {
		const char *at = reply->type == REDIS_REPLY_STRING
					 ? strstr(reply->str, "redis_version:")
					 : NULL;
		int major = 0;

		store->transactions =
			at && sscanf(at, "redis_version:%d", &major) == 1 && major >= 6;
		freeReplyObject(reply);
	}
	return VERDICT_DONE;
}
