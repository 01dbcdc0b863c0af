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
#include "consumer/pipeline/redis_trip.h"

#include <stdio.h>
#include <string.h>

#define TRIES                                                                                  \
	3 /* somebody writes the fence all the time: then the script, which cannot be spoiled */

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
	redis_trip_watch(store, key);
	v = redis_queue(store, &store->body, error);
	if (v == VERDICT_DONE)
		v = read_watch(store, batch, error);
	if (v != VERDICT_DONE)
		return v;
	word = refusal(&store->watch.fence, batch);
	return word ? redis_refused(word, error) : VERDICT_DONE;
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

enum verdict redis_watch_send(
	struct redis_store *store, const struct batch *batch, struct store_error *error)
{
	const struct text_buffer *key = redis_trip_key(store, batch);
	enum verdict v = VERDICT_DONE;

	if (!may_go(store, batch))
		v = look(store, batch, key, error);
	if (v != VERDICT_DONE)
		return v;
	store->watch.route = NULL;
	return redis_trip_send(store, batch, error);
}

enum verdict redis_watch_answer(struct redis_store *store, const struct batch *batch,
	bool *spoiled, struct store_error *error)
{
	for (int i = 1;; i++) {
		enum verdict v = read_trip(store, batch, store->sent_commands,
			redis_trip_key(store, batch), spoiled, error);

		if (v != VERDICT_DONE || !*spoiled || i == TRIES)
			return v;
		v = redis_watch_send(store, batch, error);
		if (v != VERDICT_DONE)
			return v;
	}
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
