/*
 * redis_trip: a batch as commands, from MULTI to the look at the fence (redis_watch.c), written down
 * before it is sent and sent in one go. Where BARE the rows alone. Inside the store, as
 * redis_internal.h.
 */
#ifndef CONSUMER_PIPELINE_REDIS_TRIP_H
#define CONSUMER_PIPELINE_REDIS_TRIP_H

#include "consumer/pipeline/redis_internal.h"

/* The key of the batch's fence, in store->scratch; ends as a text, too. */
const struct text_buffer *redis_trip_key(struct redis_store *store, const struct batch *batch);
/* WATCH and HMGET of the fence, into store->body. */
void redis_trip_watch(struct redis_store *store, const struct text_buffer *key);
/* Makes store->trip the batch's, if it is not that yet. */
void redis_trip_make(struct redis_store *store, const struct batch *batch);
enum verdict redis_trip_send(
	struct redis_store *store, const struct batch *batch, struct store_error *error);
/* The answers where BARE: to the rows alone. */
enum verdict redis_bare_answer(struct redis_store *store, struct store_error *error);

#endif
