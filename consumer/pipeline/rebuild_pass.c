/*
 * rebuild_pass, in two passes over chunks:
 *   1 table -> cache   a chunk of rows and the ledger's positions in one snapshot; the rows of
 *                      each wanted partition refreshed with it
 *   2 cache -> table   a chunk of keys that are there; those without a row are refreshed, which
 *                      deletes them. Only this finds what was deleted while the cache was lost.
 * A busy partition refuses a snapshot that its next batch overtook. The rows are then read again
 * in halves: the smaller, the sooner written. Every write goes through redis_store_refresh, so
 * the worst that a pass can do is nothing.
 */
#include "consumer/pipeline/rebuild_pass.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "consumer/pipeline/cache_key_parse.h"
#include "consumer/pipeline/key_partition.h"
#include "consumer/pipeline/redis_read.h"
#include "consumer/pipeline/refresh.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK_ROWS 500
#define TRIES	   12 /* of the smallest piece */

struct run {
	struct rebuild_pass *pass;
	int64_t *next, *generation; /* of all partitions, in the snapshot of the chunk */
	struct row_list rows; /* of the chunk */
	struct row_list again; /* scratch of refresh_keys */
	int64_t started_ms, written;
	struct store_error *error;
};

static bool stopping(const struct run *run)
{
	return atomic_load_explicit(run->pass->stop, memory_order_relaxed);
}

static void pause_ms(int64_t ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* Not faster than rows_per_s, counted from the start of the pass. */
static void keep_rate(struct run *run, size_t rows)
{
	int64_t due_ms;

	run->written += (int64_t)rows;
	due_ms = run->started_ms + run->written * 1000 / run->pass->rows_per_s;
	while (!stopping(run) && clock_mono_ms() < due_ms) {
		int64_t left_ms = due_ms - clock_mono_ms();

		pause_ms(left_ms > 50 ? 50 : left_ms < 1 ? 1 : left_ms);
	}
}

static struct rebuild_part *part_of(struct rebuild_pass *pass, const struct row *row)
{
	int32_t partition = key_partition(pass->route, row, pass->partitions);

	for (size_t i = 0; i < pass->part_count; i++) {
		if (pass->parts[i].partition == partition)
			return pass->parts[i].failed ? NULL : &pass->parts[i];
	}
	return NULL;
}

/* Overtaken by a batch: again, in pieces that fit between two batches. */
static enum verdict refresh_again(
	struct run *run, const struct rebuild_part *part, struct row *const *rows, size_t count)
{
	struct refresh_request request = {.route = run->pass->route,
		.partition = part->partition,
		.wanted = rows,
		.count = count,
		.advance_from = -1,
		.advance_to = -1};
	enum verdict v = VERDICT_MOVED;

	for (int i = 0; i < TRIES && v == VERDICT_MOVED && !stopping(run); i++) {
		v = refresh_keys(
			run->pass->mysql, run->pass->redis, &request, &run->again, run->error);
		if (v != VERDICT_MOVED || strcmp(run->error->class, "newer"))
			return v;
		if (count > 1) {
			v = refresh_again(run, part, rows, count / 2);
			if (v == VERDICT_DONE)
				v = refresh_again(
					run, part, rows + count / 2, count - count / 2);
			return v;
		}
		pause_ms(i);
	}
	return v;
}

/* A part's rows as the chunk's snapshot had them. */
static enum verdict refresh_part(struct run *run, struct rebuild_part *part)
{
	struct refresh refresh = {.route = run->pass->route,
		.partition = part->partition,
		.snapshot = run->next[part->partition],
		.generation = run->generation[part->partition],
		.advance_from = -1,
		.advance_to = -1,
		.rows = part->rows,
		.count = part->count};
	enum verdict v;

	if (part->count == 0)
		return VERDICT_DONE;
	v = redis_store_refresh(run->pass->redis, &refresh, run->error);
	if (v == VERDICT_MOVED && !strcmp(run->error->class, "newer"))
		v = refresh_again(run, part, part->rows, part->count);
	if (v == VERDICT_MOVED && !stopping(run)) { /* another pass will do */
		part->failed = true;
		log_limited(LOG_WARN, "rebuild_refused",
			LOG_F("topic", LOG_STR(run->pass->route->topic)),
			LOG_F("partition", LOG_INT(part->partition)),
			LOG_F("error", LOG_STR(run->error->msg.text)));
		v = VERDICT_DONE;
	}
	return v;
}

/* The rows of the list to their parts, and out. With `gone`, only those MySQL does not have. */
static enum verdict refresh_chunk(struct run *run, bool gone)
{
	struct rebuild_pass *pass = run->pass;
	enum verdict v = VERDICT_DONE;

	for (size_t i = 0; i < pass->part_count; i++)
		pass->parts[i].count = 0;
	for (size_t i = 0; i < run->rows.count; i++) {
		struct row *row = &run->rows.rows[i];
		struct rebuild_part *part = gone && !row->tombstone ? NULL : part_of(pass, row);

		if (part)
			part->rows[part->count++] = row;
	}
	for (size_t i = 0; v == VERDICT_DONE && i < pass->part_count; i++)
		v = refresh_part(run, &pass->parts[i]);
	return v;
}

/* One snapshot: positions, and either the next chunk behind `after` or the rows of `wanted`. */
static enum verdict read_chunk(
	struct run *run, const struct row *after, struct row *const *wanted, size_t count)
{
	struct rebuild_pass *pass = run->pass;
	struct store_error ignored;
	enum verdict end, v = mysql_store_snapshot_begin(pass->mysql, run->error);

	if (v == VERDICT_DONE)
		v = mysql_store_snapshot_positions(pass->mysql, pass->route, run->next,
			run->generation, pass->partitions, run->error);
	if (v == VERDICT_DONE && wanted)
		v = mysql_store_snapshot_rows(
			pass->mysql, pass->route, wanted, count, &run->rows, run->error);
	else if (v == VERDICT_DONE)
		v = mysql_store_snapshot_scan(
			pass->mysql, pass->route, after, CHUNK_ROWS, &run->rows, run->error);
	end = mysql_store_snapshot_end(pass->mysql, v == VERDICT_DONE ? run->error : &ignored);
	return v == VERDICT_DONE ? end : v;
}

/* The key cells of a row, kept beyond the chunk it came in. */
static const struct row *keep_key(
	const struct route *route, const struct row *row, struct row *kept, struct arena *arena)
{
	size_t bytes = (size_t)route->column_count * sizeof(struct cell);

	arena_clear(arena, 64 * 1024);
	*kept = (struct row){.cells = arena_alloc(arena, bytes)};
	memset(kept->cells, 0, bytes);
	for (int k = 0; k < route->key_count; k++) {
		struct cell *cell = &kept->cells[route->keys[k]];

		*cell = row->cells[route->keys[k]];
		if (cell->kind == CELL_TEXT)
			cell->text = arena_copy(arena, cell->text, cell->length);
	}
	return kept;
}

static void note_ratio(const struct run *run)
{
	double ratio = run->pass->rows_expected > 0
			       ? (double)run->written / (double)run->pass->rows_expected
			       : 0;

	atomic_store(run->pass->ratio, ratio > 0.99 ? 0.99 : ratio);
}

static enum verdict table_into_cache(struct run *run)
{
	struct arena arena = {0};
	struct row kept;
	const struct row *after = NULL;
	enum verdict v;

	do {
		row_list_clear(&run->rows);
		v = stopping(run) ? VERDICT_MOVED : read_chunk(run, after, NULL, 0);
		if (v == VERDICT_DONE && run->rows.count > 0) {
			after = keep_key(run->pass->route, &run->rows.rows[run->rows.count - 1],
				&kept, &arena);
			v = refresh_chunk(run, false);
		}
		keep_rate(run, run->rows.count);
		note_ratio(run);
	} while (v == VERDICT_DONE && run->rows.count > 0);
	arena_release(&arena);
	return v;
}

/* The rows that these cache keys would belong to, if they are of a wanted part. */
static enum verdict check_keys(struct run *run, const struct key_list *keys)
{
	struct rebuild_pass *pass = run->pass;
	struct row *readings[CACHE_KEY_READINGS];
	struct row **wanted =
		mem_alloc((keys->count + 1) * CACHE_KEY_READINGS * sizeof(*wanted));
	struct arena arena = {0};
	size_t count = 0, start = 0;
	enum verdict v = VERDICT_DONE;

	for (size_t i = 0; i < keys->count; start = keys->ends[i++]) {
		size_t found = cache_key_parse(pass->route, keys->text.data + start,
			keys->ends[i] - start, &arena, readings);

		for (size_t r = 0; r < found; r++) {
			if (part_of(pass, readings[r]))
				wanted[count++] = readings[r];
		}
	}
	for (size_t at = 0; v == VERDICT_DONE && at < count; at += CHUNK_ROWS) {
		row_list_clear(&run->rows);
		v = read_chunk(run, NULL, wanted + at,
			count - at > CHUNK_ROWS ? CHUNK_ROWS : count - at);
		if (v == VERDICT_DONE)
			v = refresh_chunk(run, true);
	}
	arena_release(&arena);
	free(wanted);
	return v;
}

static enum verdict cache_against_table(struct run *run)
{
	char cursor[REDIS_CURSOR_CHARS] = "0";
	struct key_list keys = {0};
	enum verdict v;

	run->started_ms = clock_mono_ms();
	run->written = 0;
	do {
		v = stopping(run) ? VERDICT_MOVED
				  : redis_store_scan(run->pass->redis, run->pass->route, cursor,
					    &keys, run->error);
		if (v == VERDICT_DONE)
			v = check_keys(run, &keys);
		keep_rate(run, v == VERDICT_DONE ? keys.count : 0);
	} while (v == VERDICT_DONE && strcmp(cursor, "0"));
	key_list_release(&keys);
	return v;
}

static enum verdict take_marks_off(struct run *run)
{
	struct rebuild_pass *pass = run->pass;
	enum verdict v = VERDICT_DONE;

	for (size_t i = 0; v == VERDICT_DONE && i < pass->part_count; i++) {
		struct rebuild_part *part = &pass->parts[i];

		if (part->failed)
			continue;
		v = redis_store_rebuilt(
			pass->redis, pass->route, part->partition, part->id, run->error);
		if (v == VERDICT_MOVED) { /* somebody marked it anew meanwhile */
			part->failed = true;
			v = VERDICT_DONE;
		}
	}
	return v;
}

enum verdict rebuild_pass_run(struct rebuild_pass *pass, struct store_error *error)
{
	size_t partitions = (size_t)pass->partitions;
	struct run run = {.pass = pass,
		.next = mem_alloc(partitions * sizeof(int64_t)),
		.generation = mem_alloc(partitions * sizeof(int64_t)),
		.started_ms = clock_mono_ms(),
		.error = error};
	enum verdict v;

	for (size_t i = 0; i < pass->part_count; i++) {
		pass->parts[i].failed = false;
		pass->parts[i].rows = mem_alloc(CHUNK_ROWS * sizeof(struct row *));
	}
	v = table_into_cache(&run);
	if (v == VERDICT_DONE)
		v = cache_against_table(&run);
	if (v == VERDICT_DONE)
		v = take_marks_off(&run);
	for (size_t i = 0; i < pass->part_count; i++)
		free(pass->parts[i].rows);
	row_list_release(&run.rows);
	row_list_release(&run.again);
	free(run.next);
	free(run.generation);
	return v;
}
