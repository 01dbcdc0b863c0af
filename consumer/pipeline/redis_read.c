/*
 * redis_read: MULTI, the fences, the values, EXEC in one pipeline: what is compared belongs to one
 * moment. No script, because Redis would build the values twice.
 */
#include "consumer/pipeline/redis_read.h"

#include "common/mem.h"
#include "consumer/pipeline/redis_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cache_read_release(struct cache_read *read)
{
	free(read->fences);
	free(read->entries);
	free(read->key_ends);
	text_buffer_release(&read->text);
	text_buffer_release(&read->keys);
	*read = (struct cache_read){0};
}

/* ---- images -------------------------------------------------------------------------------------- */

static void add_member(struct text_buffer *buffer, const char *field, size_t length)
{
	text_buffer_add(buffer, field, strlen(field) + 1);
	text_buffer_add(buffer, &length, sizeof(length)); /* values may hold anything */
}

static void add_member_count(struct text_buffer *buffer, long long members)
{
	text_buffer_add(buffer, &members, sizeof(members));
}

void cache_image_add(
	struct text_buffer *buffer, const struct route *route, const struct row *row)
{
	struct text_buffer value = {0};
	long long members = 0;

	if (route->cache != CACHE_HASH) {
		cache_json_add(buffer, route, row);
		return;
	}
	for (int i = 0; i < route->column_count; i++) {
		if (row->cells[i].kind == CELL_NULL)
			continue;
		value.used = 0;
		cache_cell_add(&value, &route->columns[i], &row->cells[i]);
		add_member(buffer, route->columns[i].field, value.used);
		text_buffer_add(buffer, value.data, value.used);
		members++;
	}
	add_member_count(buffer, members);
	text_buffer_release(&value);
}

static bool take_hash(const struct route *route, const redisReply *fields,
	const redisReply *members, struct text_buffer *text)
{
	if (fields->type != REDIS_REPLY_ARRAY || members->type != REDIS_REPLY_INTEGER ||
		fields->elements != (size_t)route->column_count)
		return false;
	for (int i = 0; i < route->column_count; i++) {
		const redisReply *field = fields->element[i];

		if (field->type != REDIS_REPLY_STRING)
			continue;
		add_member(text, route->columns[i].field, field->len);
		text_buffer_add(text, field->str, field->len);
	}
	add_member_count(text, members->integer);
	return true;
}

/* ---- one moment ---------------------------------------------------------------------------------- */

static const char *key_at(const struct cache_read *read, size_t i, size_t *length)
{
	size_t at = i ? read->key_ends[i - 1] : 0;

	*length = read->key_ends[i] - at;
	return read->keys.data + at;
}

static void spell_keys(struct cache_read *read, const struct route *route,
	struct row *const *rows, size_t count)
{
	if (count > read->room) {
		read->room = count;
		read->entries = mem_resize(read->entries, count, sizeof(*read->entries));
		read->key_ends = mem_resize(read->key_ends, count, sizeof(*read->key_ends));
	}
	read->keys.used = 0;
	for (size_t i = 0; i < count; i++) {
		cache_key_add(&read->keys, route, rows[i]);
		read->key_ends[i] = read->keys.used;
	}
}

static void append(struct redis_store *store, size_t argc, const char **argv, size_t *lengths)
{
	/* hiredis keeps an error in the context, and the next reply shows it */
	(void)redisAppendCommandArgv(store->context, (int)argc, argv, lengths);
}

static void append_words(struct redis_store *store, const char *const *words)
{
	const char *argv[8];
	size_t lengths[8], argc = 0;

	for (; words[argc]; argc++) {
		argv[argc] = words[argc];
		lengths[argc] = strlen(words[argc]);
	}
	append(store, argc, argv, lengths);
}

static void append_fences(
	struct redis_store *store, const struct route *route, int32_t partitions)
{
	for (int32_t p = 0; p < partitions; p++) {
		struct text_buffer *key = &store->scratch;

		key->used = 0;
		redis_fence_key(store, route, p, key);
		text_buffer_add(key, "", 1);
		append_words(store, (const char *const[]){"HMGET", key->data, "next", "seen",
					    "rebuild", "generation", NULL});
	}
}

/* JSON: one MGET of all. Hash: HMGET and HLEN of each. Returns the number of commands. */
static size_t append_values(struct redis_store *store, const struct route *route, size_t count,
	const struct cache_read *read)
{
	size_t words = (count > (size_t)route->column_count ? count : 0) +
		       (size_t)route->column_count + 2;
	const char **argv = mem_alloc(words * sizeof(*argv));
	size_t *lengths = mem_alloc(words * sizeof(*lengths)), commands = count > 0;

	if (route->cache != CACHE_HASH) {
		argv[0] = "MGET";
		lengths[0] = 4;
		for (size_t i = 0; i < count; i++)
			argv[i + 1] = key_at(read, i, &lengths[i + 1]);
		if (count)
			append(store, count + 1, argv, lengths);
	} else {
		for (int c = 0; c < route->column_count; c++) {
			argv[c + 2] = route->columns[c].field;
			lengths[c + 2] = strlen(argv[c + 2]);
		}
		for (size_t i = 0; i < count; i++) {
			argv[1] = key_at(read, i, &lengths[1]);
			argv[0] = "HMGET";
			lengths[0] = 5;
			append(store, (size_t)route->column_count + 2, argv, lengths);
			argv[0] = "HLEN";
			lengths[0] = 4;
			append(store, 2, argv, lengths);
		}
		commands = 2 * count;
	}
	free(argv);
	free(lengths);
	return commands;
}

static void take_value(struct cache_read *read, struct cache_entry *entry,
	const struct route *route, const redisReply *value, const redisReply *members)
{
	entry->at = read->text.used;
	entry->state = CACHED_VALUE;
	if (members) {
		if (members->type == REDIS_REPLY_INTEGER && members->integer == 0)
			entry->state = CACHED_ABSENT;
		else if (!take_hash(route, value, members, &read->text))
			entry->state = CACHED_OTHER_TYPE;
	} else if (value->type == REDIS_REPLY_STRING) {
		text_buffer_add(&read->text, value->str, value->len);
	} else {
		entry->state = CACHED_ABSENT;
	}
	entry->length = read->text.used - entry->at;
}

static enum verdict take_all(const redisReply *all, const struct route *route, size_t count,
	size_t commands, struct cache_read *read, struct store_error *error)
{
	size_t fences = (size_t)read->partitions;
	redisReply **values;
	enum verdict v = VERDICT_DONE;

	if (all->type != REDIS_REPLY_ARRAY || all->elements != fences + commands)
		return redis_refuse(
			error, VERDICT_RETRY, "protocol", "EXEC answered something else");
	for (size_t p = 0; p < fences && v == VERDICT_DONE; p++)
		v = redis_fence_of(all->element[p], &read->fences[p], error);
	if (v != VERDICT_DONE || count == 0)
		return v;
	values = all->element + fences;
	if (route->cache == CACHE_HASH) {
		for (size_t i = 0; i < count; i++)
			take_value(read, &read->entries[i], route, values[2 * i],
				values[2 * i + 1]);
		return v;
	}
	if (values[0]->type != REDIS_REPLY_ARRAY || values[0]->elements != count)
		return redis_refuse(
			error, VERDICT_RETRY, "protocol", "MGET answered something else");
	for (size_t i = 0; i < count; i++)
		take_value(read, &read->entries[i], route, values[0]->element[i], NULL);
	return v;
}

/* MGET says nil for other types too: ask again what those are. */
static enum verdict ask_types(struct redis_store *store, size_t count, struct cache_read *read,
	struct store_error *error)
{
	enum verdict v = VERDICT_DONE;

	for (size_t i = 0; i < count; i++) {
		const char *argv[2] = {"TYPE", NULL};
		size_t lengths[2] = {4, 0};

		argv[1] = key_at(read, i, &lengths[1]);
		if (read->entries[i].state == CACHED_ABSENT)
			append(store, 2, argv, lengths);
	}
	for (size_t i = 0; i < count && v == VERDICT_DONE; i++) {
		redisReply *reply;

		if (read->entries[i].state != CACHED_ABSENT)
			continue;
		v = redis_reply(store, &reply, error);
		if (v != VERDICT_DONE)
			break;
		if (reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "none") != 0 &&
			strcmp(reply->str, "string") != 0)
			read->entries[i].state = CACHED_OTHER_TYPE;
		freeReplyObject(reply);
	}
	return v;
}

enum verdict redis_store_read(struct redis_store *store, const struct route *route,
	int32_t partitions, struct row *const *rows, size_t count, struct cache_read *read,
	struct store_error *error)
{
	struct store_error later;
	size_t commands, left;
	redisReply *reply = NULL;
	enum verdict v = VERDICT_DONE, first = VERDICT_DONE;

	if (!store->context)
		return redis_refuse(error, VERDICT_RECONNECT, "connection", "not connected");
	read->fences = mem_resize(read->fences, (size_t)partitions + 1, sizeof(*read->fences));
	read->partitions = partitions;
	read->text.used = 0;
	spell_keys(read, route, rows, count);
	append_words(store, (const char *const[]){"MULTI", NULL});
	append_fences(store, route, partitions);
	commands = append_values(store, route, count, read);
	append_words(store, (const char *const[]){"EXEC", NULL});
	/* a refused command in between makes EXEC an error: read on to the end */
	for (left = (size_t)partitions + commands + 2; left > 0; left--) {
		if (reply)
			freeReplyObject(reply);
		reply = NULL;
		v = redis_reply(store, &reply, first == VERDICT_DONE ? error : &later);
		if (v == VERDICT_RECONNECT)
			return redis_lost(store, error);
		if (first == VERDICT_DONE)
			first = v;
	}
	if (first != VERDICT_DONE) {
		if (reply)
			freeReplyObject(reply);
		return first;
	}
	v = take_all(reply, route, count, commands, read, error);
	freeReplyObject(reply);
	if (v == VERDICT_DONE && route->cache != CACHE_HASH)
		v = ask_types(store, count, read, error);
	return v;
}
