#include "consumer/pipeline/redis_trip.h"

#include "consumer/pipeline/bare.h"

const struct text_buffer *redis_trip_key(struct redis_store *store, const struct batch *batch)
{
	struct text_buffer *key = &store->scratch;

	key->used = 0;
	redis_fence_key(store, batch->route, batch->partition, key);
	text_buffer_add(key, "", 1);
	key->used--;
	return key;
}

void redis_trip_watch(struct redis_store *store, const struct text_buffer *key)
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

/* Everything from MULTI to HMGET, in store->body. Returns how many commands stand inside. */
static size_t build(struct redis_store *store, const struct batch *batch)
{
	const struct text_buffer *key = redis_trip_key(store, batch);
	struct text_buffer *body = &store->body;
	size_t inside;

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
	redis_trip_watch(store, key);
	return inside + 1;
}

void redis_trip_make(struct redis_store *store, const struct batch *batch)
{
	struct text_buffer body = store->body;

	if (batch->selection && store->trip_selection == batch->selection)
		return;
	store->body = store->trip; /* where commands are written to; it stays the large one */
	redis_args_begin(store);
	store->trip_commands = BARE ? redis_row_commands(store, batch->route, batch->selected,
					      batch->selected_count)
				    : build(store, batch);
	store->trip_selection = batch->selection;
	store->trip = store->body;
	store->body = body;
}

enum verdict redis_trip_send(
	struct redis_store *store, const struct batch *batch, struct store_error *error)
{
	enum verdict v;

	redis_trip_make(store, batch);
	store->sent_commands = store->trip_commands;
	if (store->trip.used == 0)
		return VERDICT_DONE;
	v = redis_queue(store, &store->trip, error);
	return v == VERDICT_DONE ? redis_flush(store, error) : v;
}

enum verdict redis_bare_answer(struct redis_store *store, struct store_error *error)
{
	enum verdict v = VERDICT_DONE;

	for (size_t i = 0; i < store->sent_commands && v == VERDICT_DONE; i++) {
		redisReply *reply;

		v = redis_reply(store, &reply, error);
		if (v == VERDICT_DONE)
			freeReplyObject(reply);
	}
	return v;
}
