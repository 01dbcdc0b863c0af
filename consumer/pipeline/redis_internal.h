/*
 * redis_internal: what the redis_*.c files of the store share; nobody else includes it.
 * Everything is the owner thread's, but `fd` and `mu` (redis_store_interrupt).
 */
#ifndef CONSUMER_PIPELINE_REDIS_INTERNAL_H
#define CONSUMER_PIPELINE_REDIS_INTERNAL_H

#include "consumer/pipeline/cache_value.h"
#include "consumer/pipeline/redis_script.h"
#include "consumer/pipeline/redis_store.h"

#include <hiredis/hiredis.h>
#include <pthread.h>

#define REDIS_SHA_CHARS 40

/* The fence that this connection WATCHes, as it was read behind the WATCH. */
struct redis_watch {
	const struct route *route; /* NULL: none */
	int32_t partition;
	struct fence fence;
};

struct redis_store {
	const struct redis_config *config;
	redisContext *context; /* NULL when closed */
	void *tls; /* the TLS context of the connection, or NULL */
	char sha[SCRIPT_COUNT][REDIS_SHA_CHARS + 1];
	struct text_buffer head, body, scratch; /* the command on its way; kept */
	size_t body_args;
	int key_digits, value_digits; /* of the last lengths: the next ones are alike */
	bool transactions; /* wanted, and the server does them right */
	struct redis_watch watch;
	bool sent_script; /* how the batch went out whose answer is to come */
	size_t sent_commands; /* otherwise: inside its MULTI */
	struct text_buffer trip; /* a batch's commands, made before they are sent */
	size_t trip_commands;
	uint64_t trip_selection; /* of which batch; 0: none */
	pthread_mutex_t mu;
	int fd; /* under mu; -1 when closed */
};

/* redis_connect.c */
enum verdict redis_load_scripts(struct redis_store *store, struct store_error *error);

/* redis_command.c */
enum verdict redis_refuse(struct store_error *error, enum verdict verdict, const char *class,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The connection's own failure. */
enum verdict redis_lost(struct redis_store *store, struct store_error *error);
/* Sends what is queued and reads one reply; an error reply becomes its verdict. The caller frees
 * *reply with freeReplyObject after DONE. */
enum verdict redis_reply(
	struct redis_store *store, redisReply **reply, struct store_error *error);
/* The next reply, of any type; RECONNECT when there is none. */
enum verdict redis_any_reply(
	struct redis_store *store, redisReply **reply, struct store_error *error);
/* What an error reply means. */
enum verdict redis_error_reply(const redisReply *reply, struct store_error *error);
/* One command of plain words, its reply likewise. */
enum verdict redis_ask(struct redis_store *store, int count, const char *const *words,
	redisReply **reply, struct store_error *error);

/* The wire's form: "*3" before a command of three words; a word whose length is known at its end:
 * begin, add to the buffer, end. *digits is a guess of the length's, kept for the next word. */
void redis_words(struct text_buffer *buffer, size_t count);
void redis_word(struct text_buffer *buffer, const void *data, size_t length);
size_t redis_word_begin(struct text_buffer *buffer, const int *digits);
void redis_word_end(struct text_buffer *buffer, size_t at, int *digits);

/* The arguments of a script: begin, any adds, call. */
void redis_args_begin(struct redis_store *store);
void redis_arg(struct redis_store *store, const void *data, size_t length);
void redis_arg_text(struct redis_store *store, const char *text);
void redis_arg_offset(struct redis_store *store, int64_t offset);
void redis_arg_number(struct redis_store *store, int64_t number);
/* Runs the script on the fence; OK is DONE, every other word MOVED. NOSCRIPT loads and repeats. */
enum verdict redis_script_call(struct redis_store *store, enum redis_script script,
	const struct route *route, int32_t partition, struct store_error *error);
/* The same in two halves. */
enum verdict redis_script_send(struct redis_store *store, enum redis_script script,
	const struct route *route, int32_t partition, struct store_error *error);
enum verdict redis_script_answer(struct redis_store *store, struct store_error *error);
/* NOFENCE, MOVED or NEWER as an error. */
enum verdict redis_refused(const char *word, struct store_error *error);
/* Queues what is in the buffer; it is sent by redis_flush, or when a reply is asked for. */
enum verdict redis_queue(
	struct redis_store *store, const struct text_buffer *buffer, struct store_error *error);
enum verdict redis_flush(struct redis_store *store, struct store_error *error);
/* The fence's key, into `key`. */
void redis_fence_key(struct redis_store *store, const struct route *route, int32_t partition,
	struct text_buffer *key);

/* redis_store.c: HMGET next seen rebuild generation -> fence. */
enum verdict redis_fence_of(
	const redisReply *reply, struct fence *fence, struct store_error *error);

/* redis_rows.c */
/* The ROWS arguments of a script. */
void redis_arg_rows(struct redis_store *store, const struct route *route,
	struct row *const *rows, size_t count);
/* The same rows as commands, into store->body; how many those are. None can fail when it is
 * executed: a key of another type is deleted first. */
size_t redis_row_commands(struct redis_store *store, const struct route *route,
	struct row *const *rows, size_t count);

/* redis_watch.c */
/* The batch by WATCH, MULTI and EXEC. *spoiled: others wrote the fence again and again; nothing
 * happened. */
enum verdict redis_watch_send(
	struct redis_store *store, const struct batch *batch, struct store_error *error);
enum verdict redis_watch_answer(struct redis_store *store, const struct batch *batch,
	bool *spoiled, struct store_error *error);
/* At connect: sets store->transactions. */
enum verdict redis_watch_probe(struct redis_store *store, struct store_error *error);

#endif
