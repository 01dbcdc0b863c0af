/*
 * redis_command: commands out, replies in. They are written in the wire's form straight into kept
 * buffers. A script's arguments go into one, its head into another; hiredis takes both as one
 * command.
 */
#include "consumer/pipeline/redis_internal.h"

#include "common/mem.h"
#include "consumer/failure/redis_verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ARGS_MAX 8

enum verdict redis_refuse(struct store_error *error, enum verdict verdict, const char *class,
	const char *format, ...)
{
	char text[ERRMSG_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error->store = "redis";
	error->code = 0;
	error->class = class;
	error->row = -1;
	errmsg_set(&error->msg, 0, "%s", text);
	return verdict;
}

enum verdict redis_lost(struct redis_store *store, struct store_error *error)
{
	return redis_refuse(
		error, VERDICT_RECONNECT, "connection", "%s", store->context->errstr);
}

enum verdict redis_error_reply(const redisReply *reply, struct store_error *error)
{
	const struct redis_verdict *row = redis_verdict(reply->str);

	return redis_refuse(error, row->verdict, row->class, "%s", reply->str);
}

enum verdict redis_any_reply(
	struct redis_store *store, redisReply **reply, struct store_error *error)
{
	void *got = NULL;

	if (redisGetReply(store->context, &got) != REDIS_OK || !got)
		return redis_lost(store, error);
	*reply = got;
	return VERDICT_DONE;
}

enum verdict redis_reply(
	struct redis_store *store, redisReply **reply, struct store_error *error)
{
	enum verdict v = redis_any_reply(store, reply, error);

	if (v != VERDICT_DONE || (*reply)->type != REDIS_REPLY_ERROR)
		return v;
	v = redis_error_reply(*reply, error);
	freeReplyObject(*reply);
	*reply = NULL;
	return v;
}

static enum verdict not_connected(struct store_error *error)
{
	return redis_refuse(error, VERDICT_RECONNECT, "connection", "not connected");
}

enum verdict redis_ask(struct redis_store *store, int count, const char *const *words,
	redisReply **reply, struct store_error *error)
{
	const char *argv[ARGS_MAX];
	size_t lengths[ARGS_MAX];

	if (!store->context)
		return not_connected(error);
	for (int i = 0; i < count; i++) {
		argv[i] = words[i];
		lengths[i] = strlen(words[i]);
	}
	if (redisAppendCommandArgv(store->context, count, argv, lengths) != REDIS_OK)
		return redis_lost(store, error);
	return redis_reply(store, reply, error);
}

/* Where the digits of `count`, written up to `end`, begin. */
static char *digits_before(char *end, size_t count)
{
	do {
		*--end = (char)('0' + count % 10);
		count /= 10;
	} while (count);
	return end;
}

/* "$3\r\n", "*12\r\n" */
static void add_count(struct text_buffer *buffer, char mark, size_t count)
{
	char text[32], *at = text + sizeof(text);

	*--at = '\n';
	*--at = '\r';
	at = digits_before(at, count);
	*--at = mark;
	text_buffer_add(buffer, at, (size_t)(text + sizeof(text) - at));
}

void redis_words(struct text_buffer *buffer, size_t count)
{
	add_count(buffer, '*', count);
}

void redis_word(struct text_buffer *buffer, const void *data, size_t length)
{
	add_count(buffer, '$', length);
	text_buffer_add(buffer, data, length);
	text_buffer_add(buffer, "\r\n", 2);
}

/* "$" digits "\r\n" */
static size_t head_bytes(int digits)
{
	return (size_t)digits + 3;
}

size_t redis_word_begin(struct text_buffer *buffer, const int *digits)
{
	size_t at = buffer->used;

	text_buffer_room(buffer, head_bytes(*digits));
	buffer->used += head_bytes(*digits);
	return at;
}

static int digits_of(size_t number)
{
	int digits = 1;

	for (; number >= 10; number /= 10)
		digits++;
	return digits;
}

void redis_word_end(struct text_buffer *buffer, size_t at, int *digits)
{
	size_t length = buffer->used - at - head_bytes(*digits), left = length;
	int wanted = digits_of(length);
	char *head;

	text_buffer_room(buffer, 32);
	if (wanted != *digits) { /* another guess than it should have been */
		memmove(buffer->data + at + head_bytes(wanted),
			buffer->data + at + head_bytes(*digits), length);
		*digits = wanted;
		buffer->used = at + head_bytes(wanted) + length;
	}
	head = buffer->data + at;
	head[0] = '$';
	for (int i = wanted; i > 0; i--, left /= 10)
		head[i] = (char)('0' + left % 10);
	head[wanted + 1] = '\r';
	head[wanted + 2] = '\n';
	buffer->data[buffer->used++] = '\r';
	buffer->data[buffer->used++] = '\n';
}

void redis_args_begin(struct redis_store *store)
{
	store->body.used = 0;
	store->body_args = 0;
}

void redis_arg(struct redis_store *store, const void *data, size_t length)
{
	redis_word(&store->body, data, length);
	store->body_args++;
}

void redis_arg_text(struct redis_store *store, const char *text)
{
	redis_arg(store, text, strlen(text));
}

void redis_arg_offset(struct redis_store *store, int64_t offset)
{
	char text[REDIS_OFFSET_DIGITS + 2];

	snprintf(text, sizeof(text), "%0*" PRId64, REDIS_OFFSET_DIGITS, offset);
	redis_arg_text(store, text);
}

void redis_arg_number(struct redis_store *store, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	redis_arg_text(store, text);
}

void redis_fence_key(struct redis_store *store, const struct route *route, int32_t partition,
	struct text_buffer *key)
{
	char number[16];

	snprintf(number, sizeof(number), ":%d}", (int)partition);
	text_buffer_add(key, "writethrough:{", 14);
	text_buffer_add(key, store->config->group, strlen(store->config->group));
	text_buffer_add(key, ":", 1);
	text_buffer_add(key, route->topic, strlen(route->topic));
	text_buffer_add(key, number, strlen(number));
}

static void script_head(struct redis_store *store, enum redis_script script,
	const struct route *route, int32_t partition)
{
	struct text_buffer *head = &store->head;

	store->scratch.used = 0;
	redis_fence_key(store, route, partition, &store->scratch);
	head->used = 0;
	redis_words(head, 4 + store->body_args);
	redis_word(head, "EVALSHA", 7);
	redis_word(head, store->sha[script], REDIS_SHA_CHARS);
	redis_word(head, "1", 1);
	redis_word(head, store->scratch.data, store->scratch.used);
}

enum verdict redis_refused(const char *word, struct store_error *error)
{
	static const struct {
		const char *word, *class, *text;
	} words[] = {
		{"NOFENCE", "no_fence", "there is no fence"},
		{"MOVED", "moved", "the fence is not where it was thought to be"},
		{"NEWER", "newer", "newer rows are in the cache already"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(word, words[i].word))
			return redis_refuse(
				error, VERDICT_MOVED, words[i].class, "%s", words[i].text);
	}
	return redis_refuse(
		error, VERDICT_RECONNECT, "protocol", "the script answered '%s'", word);
}

/* The script's word -> verdict. */
static enum verdict judge_word(const redisReply *reply, struct store_error *error)
{
	if (reply->type != REDIS_REPLY_STRING)
		return redis_refuse(error, VERDICT_RECONNECT, "protocol",
			"the script answered no word (type %d)", reply->type);
	return strcmp(reply->str, "OK") ? redis_refused(reply->str, error) : VERDICT_DONE;
}

enum verdict redis_queue(
	struct redis_store *store, const struct text_buffer *buffer, struct store_error *error)
{
	if (!store->context)
		return not_connected(error);
	if (redisAppendFormattedCommand(store->context, buffer->data, buffer->used) != REDIS_OK)
		return redis_lost(store, error);
	return VERDICT_DONE;
}

enum verdict redis_flush(struct redis_store *store, struct store_error *error)
{
	int done = 0;

	while (!done) {
		if (redisBufferWrite(store->context, &done) != REDIS_OK)
			return redis_lost(store, error);
	}
	return VERDICT_DONE;
}

static enum verdict send_script(struct redis_store *store, struct store_error *error)
{
	enum verdict v = redis_queue(store, &store->head, error);

	if (v == VERDICT_DONE)
		v = redis_queue(store, &store->body, error);
	return v == VERDICT_DONE ? redis_flush(store, error) : v;
}

enum verdict redis_script_send(struct redis_store *store, enum redis_script script,
	const struct route *route, int32_t partition, struct store_error *error)
{
	store->watch.route = NULL; /* the script may write the fence */
	script_head(store, script, route, partition);
	return send_script(store, error);
}

enum verdict redis_script_answer(struct redis_store *store, struct store_error *error)
{
	redisReply *reply;
	enum verdict v = redis_reply(store, &reply, error);

	if (v == VERDICT_RETRY && !strcmp(error->class, "no_script")) {
		v = redis_load_scripts(store, error);
		if (v == VERDICT_DONE)
			v = send_script(store, error);
		if (v == VERDICT_DONE)
			v = redis_reply(store, &reply, error);
	}
	if (v != VERDICT_DONE)
		return v;
	v = judge_word(reply, error);
	freeReplyObject(reply);
	return v;
}

enum verdict redis_script_call(struct redis_store *store, enum redis_script script,
	const struct route *route, int32_t partition, struct store_error *error)
{
	enum verdict v = redis_script_send(store, script, route, partition, error);

	return v == VERDICT_DONE ? redis_script_answer(store, error) : v;
}
