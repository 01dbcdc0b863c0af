/*
 * verify_walk: the ways over a route. All rows in key order against the cache (missing, stale,
 * unreadable), all keys of the cache against MySQL (extra), or both at random places. Memory is a
 * chunk and what was put aside, whatever the size of the table.
 */
#include "common/mem.h"
#include "consumer/pipeline/cache_key_parse.h"
#include "consumer/verbs/verify.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_ROWS  1000
#define SAMPLE_RUN  50 /* rows compared behind each random key */
#define SAMPLE_KEYS 20 /* random keys asked for at once */

static enum verdict settle_if_full(struct verify *v)
{
	if (v->again.count + v->mend.count < VERIFY_ASIDE_MAX)
		return VERDICT_DONE;
	return verify_settle(v);
}

static void note_all(struct verify *v)
{
	for (size_t i = 0; i < v->rows.count; i++)
		verify_note(v, i, verify_judge(v, i));
	v->totals.rows += (int64_t)v->rows.count;
}

enum verdict verify_rows(struct verify *v, int64_t estimate)
{
	struct row_list last = {0};
	enum verdict verdict = VERDICT_DONE;
	size_t got = 1;

	while (got > 0 && verdict == VERDICT_DONE) {
		verdict = verify_look_scan(v, last.count ? &last.rows[0] : NULL, CHUNK_ROWS);
		if (verdict != VERDICT_DONE)
			break;
		got = v->rows.count;
		note_all(v);
		row_list_clear(&last);
		if (got)
			verify_keep(&last, v->route, &v->rows.rows[got - 1]);
		verify_progress(v, "rows", v->totals.rows, estimate, false);
		verdict = settle_if_full(v);
	}
	row_list_release(&last);
	if (verdict == VERDICT_DONE)
		verdict = verify_settle(v);
	verify_progress(v, "rows", v->totals.rows, v->totals.rows, true);
	return verdict;
}

/* ---- keys ---------------------------------------------------------------------------------------- */

/* The rows that a list of keys could belong to. */
struct readings {
	struct arena arena;
	struct row **rows;
	size_t *ends; /* of each key's readings in rows */
	size_t count, room, end_room;
};

static void readings_release(struct readings *all)
{
	arena_release(&all->arena);
	free(all->rows);
	free(all->ends);
}

static const char *key_of(const struct key_list *list, size_t i, size_t *length)
{
	size_t at = i ? list->ends[i - 1] : 0;

	*length = list->ends[i] - at;
	return list->text.data + at;
}

static void read_keys(struct verify *v, const struct key_list *list, struct readings *all)
{
	arena_clear(&all->arena, 1 << 20);
	all->count = 0;
	if (list->count > all->end_room) {
		all->end_room = list->count;
		all->ends = mem_resize(all->ends, all->end_room, sizeof(*all->ends));
	}
	for (size_t i = 0; i < list->count; i++) {
		size_t length;
		const char *key = key_of(list, i, &length);

		if (all->count + CACHE_KEY_READINGS > all->room) {
			all->room = 2 * all->room + 1024;
			all->rows = mem_resize(all->rows, all->room, sizeof(*all->rows));
		}
		all->count += cache_key_parse(
			v->route, key, length, &all->arena, all->rows + all->count);
		all->ends[i] = all->count;
	}
}

/* A key is extra when not one of its readings has a row. */
static void note_extra(
	struct verify *v, const struct key_list *list, const struct readings *all)
{
	for (size_t i = 0; i < list->count; i++) {
		size_t from = i ? all->ends[i - 1] : 0, to = all->ends[i], length;
		const char *key = key_of(list, i, &length);
		bool has_row = false;

		for (size_t r = from; r < to; r++)
			has_row |= !v->rows.rows[r].tombstone;
		if (from == to)
			verify_stray(v, key, length);
		else if (!has_row)
			verify_note(v, from, verify_judge(v, from));
	}
}

static enum verdict look_at_keys(
	struct verify *v, const struct key_list *list, struct readings *all)
{
	enum verdict verdict;

	read_keys(v, list, all);
	verdict = verify_look_keys(v, all->rows, all->count);
	if (verdict != VERDICT_DONE)
		return verdict;
	note_extra(v, list, all);
	v->totals.keys += (int64_t)list->count;
	return settle_if_full(v);
}

static enum verdict scan_some(struct verify *v, char *cursor, struct key_list *list)
{
	enum verdict verdict;

	do
		verdict = redis_store_scan(v->redis, v->route, cursor, list, &v->error);
	while (verify_again(v, verdict));
	return verdict;
}

enum verdict verify_keys(struct verify *v)
{
	char cursor[REDIS_CURSOR_CHARS] = "0";
	struct readings all = {0};
	struct key_list list = {0};
	int64_t size = 0;
	enum verdict verdict;

	do
		verdict = redis_store_size(v->redis, &size, &v->error);
	while (verify_again(v, verdict));
	while (verdict == VERDICT_DONE) {
		verdict = scan_some(v, cursor, &list);
		if (verdict == VERDICT_DONE && list.count > 0)
			verdict = look_at_keys(v, &list, &all);
		verify_progress(v, "cache keys", v->totals.keys, size, false);
		if (strcmp(cursor, "0") == 0)
			break;
	}
	key_list_release(&list);
	readings_release(&all);
	if (verdict == VERDICT_DONE)
		verdict = verify_settle(v);
	verify_progress(v, "cache keys", v->totals.keys, v->totals.keys, true);
	return verdict;
}

/* ---- sample -------------------------------------------------------------------------------------- */

/* Only the route's own keys are judged; the database holds fences and other people's keys too. */
static void keep_own(struct verify *v, struct key_list *list)
{
	const char *start = v->route->cache_key[0].literal;
	size_t wanted = start ? strlen(start) : 0, kept = 0, bytes = 0;

	for (size_t i = 0, at = 0; i < list->count; i++) {
		size_t length = list->ends[i] - at;
		char *key = list->text.data + at;

		at = list->ends[i];
		if (length < wanted || (wanted && memcmp(key, start, wanted) != 0))
			continue;
		memmove(list->text.data + bytes, key, length);
		bytes += length;
		list->ends[kept++] = bytes;
	}
	list->count = kept;
}

/* Behind each random key some rows in key order: what is missing has no key to be drawn. */
static enum verdict sample_behind(struct verify *v, const struct readings *all, size_t wanted)
{
	enum verdict verdict = VERDICT_DONE;

	for (size_t i = 0; i < all->count && verdict == VERDICT_DONE; i++) {
		if (v->totals.rows >= (int64_t)wanted)
			break;
		verdict = verify_look_scan(v, all->rows[i], SAMPLE_RUN);
		if (verdict == VERDICT_DONE)
			note_all(v);
	}
	return verdict;
}

enum verdict verify_sample(struct verify *v)
{
	size_t wanted = (size_t)v->options->sample;
	struct readings all = {0};
	struct key_list list = {0};
	enum verdict verdict = verify_look_scan(v, NULL, SAMPLE_RUN);
	int fruitless = 0;

	if (verdict == VERDICT_DONE)
		note_all(v);
	while (verdict == VERDICT_DONE && v->totals.rows < (int64_t)wanted && fruitless < 20) {
		int64_t before = v->totals.rows;

		do
			verdict = redis_store_random(v->redis, SAMPLE_KEYS, &list, &v->error);
		while (verify_again(v, verdict));
		keep_own(v, &list);
		if (verdict == VERDICT_DONE && list.count > 0)
			verdict = look_at_keys(v, &list, &all);
		else
			all.count = 0;
		if (verdict == VERDICT_DONE)
			verdict = sample_behind(v, &all, wanted);
		fruitless = v->totals.rows == before ? fruitless + 1 : 0;
		verify_progress(v, "rows", v->totals.rows, (int64_t)wanted, false);
	}
	key_list_release(&list);
	readings_release(&all);
	if (verdict == VERDICT_DONE)
		verdict = verify_settle(v);
	verify_progress(v, "rows", v->totals.rows, v->totals.rows, true);
	return verdict;
}
