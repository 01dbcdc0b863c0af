/* verify_look: one look at both stores, and the judgement of what was seen. */
#include "common/backoff.h"
#include "common/json_reader.h"
#include "common/mem.h"
#include "consumer/pipeline/key_partition.h"
#include "consumer/verbs/verify.h"

#include <string.h>
#include <time.h>

#define TRIES	     5
#define TRY_AGAIN_MS 300

enum verdict verify_connect(struct verify *v)
{
	enum verdict verdict = mysql_store_connect(v->mysql, &v->error);

	return verdict == VERDICT_DONE ? redis_store_connect(v->redis, &v->error) : verdict;
}

static void pause_ms(long ms)
{
	nanosleep(
		&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* A new connection after every failure: no half-read answer, no open snapshot. */
bool verify_again(struct verify *v, enum verdict verdict)
{
	if (verdict == VERDICT_DONE)
		v->tries = 0;
	while ((verdict == VERDICT_RETRY || verdict == VERDICT_RECONNECT) &&
		v->tries++ < TRIES) {
		pause_ms(TRY_AGAIN_MS);
		verdict = verify_connect(v);
		if (verdict == VERDICT_DONE)
			return true;
	}
	return false;
}

static enum verdict read_mysql(struct verify *v, struct row *const *wanted, size_t count,
	const struct row *after, size_t limit)
{
	struct store_error ignored;
	enum verdict verdict = mysql_store_snapshot_begin(v->mysql, &v->error), end;

	if (verdict == VERDICT_DONE)
		verdict = mysql_store_snapshot_positions(v->mysql, v->route, v->positions,
			v->generations, v->partitions, &v->error);
	if (verdict == VERDICT_DONE && wanted)
		verdict = mysql_store_snapshot_rows(
			v->mysql, v->route, wanted, count, &v->rows, &v->error);
	else if (verdict == VERDICT_DONE)
		verdict = mysql_store_snapshot_scan(
			v->mysql, v->route, after, limit, &v->rows, &v->error);
	end = mysql_store_snapshot_end(
		v->mysql, verdict == VERDICT_DONE ? &v->error : &ignored);
	return verdict == VERDICT_DONE ? end : verdict;
}

static enum verdict look(struct verify *v, struct row *const *wanted, size_t count,
	const struct row *after, size_t limit)
{
	enum verdict verdict;

	row_list_clear(&v->rows);
	verdict = read_mysql(v, wanted, count, after, limit);
	if (verdict != VERDICT_DONE)
		return verdict;
	if (v->rows.count > v->pointer_room) {
		v->pointer_room = v->rows.room;
		v->pointers = mem_resize(v->pointers, v->pointer_room, sizeof(*v->pointers));
	}
	for (size_t i = 0; i < v->rows.count; i++)
		v->pointers[i] = &v->rows.rows[i];
	verdict = redis_store_read(v->redis, v->route, v->partitions, v->pointers,
		v->rows.count, &v->cache, &v->error);
	for (int32_t p = 0; p < v->partitions && verdict == VERDICT_DONE; p++) {
		v->no_fence |= !v->cache.fences[p].exists && v->positions[p] >= 0;
		v->rebuilding |= v->cache.fences[p].rebuild[0] != 0;
	}
	return verdict;
}

enum verdict verify_look_keys(struct verify *v, struct row *const *wanted, size_t count)
{
	enum verdict verdict;

	do
		verdict = look(v, wanted, count, NULL, 0);
	while (verify_again(v, verdict));
	return verdict;
}

enum verdict verify_look_scan(struct verify *v, const struct row *after, size_t limit)
{
	enum verdict verdict;

	do
		verdict = look(v, NULL, 0, after, limit);
	while (verify_again(v, verdict));
	return verdict;
}

/* ---- judging ------------------------------------------------------------------------------------- */

static bool is_json_object(const char *text, size_t length)
{
	struct json_value key, value;
	struct json_reader r;
	int more = json_object_begin(&r, text, length);

	if (more != 0)
		return false;
	while ((more = json_object_next(&r, &key, &value)) > 0)
		;
	return more == 0;
}

enum difference verify_judge(struct verify *v, size_t row)
{
	const struct cache_entry *entry = &v->cache.entries[row];
	const char *text = v->cache.text.data + entry->at;

	if (v->rows.rows[row].tombstone)
		return entry->state == CACHED_ABSENT ? DIFFER_NOT : DIFFER_EXTRA;
	switch (entry->state) {
	case CACHED_ABSENT:
		return DIFFER_MISSING;
	case CACHED_OTHER_TYPE:
		return DIFFER_UNREADABLE;
	case CACHED_VALUE:
		break;
	}
	v->image.used = 0;
	cache_image_add(&v->image, v->route, &v->rows.rows[row]);
	if (v->image.used == entry->length && memcmp(v->image.data, text, entry->length) == 0)
		return DIFFER_NOT;
	if (v->route->cache == CACHE_JSON && !is_json_object(text, entry->length))
		return DIFFER_UNREADABLE;
	return DIFFER_STALE;
}

/* Without a fence nobody may write to the cache: nothing is on its way. */
static bool partition_settled(const struct verify *v, int32_t p)
{
	const struct fence *fence = &v->cache.fences[p];

	return !fence->exists ||
	       (v->positions[p] == fence->next && fence->seen <= fence->next &&
		       v->generations[p] == fence->generation);
}

bool verify_settled(const struct verify *v, const struct row *row)
{
	int32_t partition = key_partition(v->route, row, v->partitions);

	if (partition >= 0)
		return partition_settled(v, partition);
	for (int32_t p = 0; p < v->partitions; p++) {
		if (!partition_settled(v, p))
			return false;
	}
	return true;
}
