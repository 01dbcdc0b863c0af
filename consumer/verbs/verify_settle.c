/* verify_settle: what becomes of a key that differs: counted, looked at again, repaired. */
#include "common/clock.h"
#include "common/mem.h"
#include "consumer/pipeline/key_partition.h"
#include "consumer/pipeline/refresh.h"
#include "consumer/verbs/verify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define AGAIN_GROUP   50 /* keys in one look: few, so that the moment is short */
#define REPAIR_GROUP  200
#define REPAIR_TRIES  200
#define BETWEEN_US    2000
#define SHOWN_KEY_MAX 120

void verify_keep(struct row_list *list, const struct route *route, const struct row *row)
{
	size_t bytes = (size_t)route->column_count * sizeof(struct cell);
	struct row *copy;

	if (list->count == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		list->rows = mem_resize(list->rows, list->room, sizeof(*list->rows));
	}
	copy = &list->rows[list->count++];
	*copy = (struct row){.cells = arena_alloc(&list->arena, bytes)};
	memset(copy->cells, 0, bytes);
	for (int k = 0; k < route->key_count; k++) {
		struct cell *cell = &copy->cells[route->keys[k]];

		*cell = row->cells[route->keys[k]];
		if (cell->kind == CELL_TEXT)
			cell->text = arena_copy(&list->arena, cell->text, cell->length);
	}
}

/* ---- counting ------------------------------------------------------------------------------------ */

/* For people: control characters and what is not UTF-8's business become dots; long ones end in .. */
static char *printable(const char *key, size_t length)
{
	size_t shown = length > SHOWN_KEY_MAX ? SHOWN_KEY_MAX : length;
	char *text = mem_printf("%.*s%s", (int)shown, key, shown < length ? ".." : "");

	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '.';
	}
	return text;
}

static void list_finding(struct verify *v, enum difference kind, const char *key, size_t length)
{
	if (v->finding_count >= (size_t)v->options->verify_keys)
		return;
	if (!v->findings)
		v->findings = mem_zero((size_t)v->options->verify_keys, sizeof(*v->findings));
	v->findings[v->finding_count++] = (struct verify_finding){kind, printable(key, length)};
}

void verify_stray(struct verify *v, const char *key, size_t length)
{
	v->totals.differ[DIFFER_EXTRA]++;
	v->totals.not_repaired += v->options->repair;
	if (v->options->repair)
		v->why_not = "keys that no row could have are left alone";
	list_finding(v, DIFFER_EXTRA, key, length);
}

static void count(struct verify *v, const struct row *row, enum difference kind)
{
	v->totals.differ[kind]++;
	v->image.used = 0;
	cache_key_add(&v->image, v->route, row);
	list_finding(v, kind, v->image.data, v->image.used);
}

/* ---- repair -------------------------------------------------------------------------------------- */

static enum verdict refresh_group(
	struct verify *v, int32_t partition, struct row *const *wanted, size_t count_)
{
	struct refresh_request request = {.route = v->route,
		.partition = partition,
		.wanted = wanted,
		.count = count_,
		.advance_from = -1,
		.advance_to = -1};
	enum verdict verdict;

	for (int try = 0;; try++) {
		do
			verdict =
				refresh_keys(v->mysql, v->redis, &request, &v->rows, &v->error);
		while (verify_again(v, verdict));
		if (verdict != VERDICT_MOVED || try == REPAIR_TRIES ||
			strcmp(v->error.class, "no_fence") == 0)
			break;
		nanosleep(&(struct timespec){.tv_nsec = BETWEEN_US * 1000}, NULL);
	}
	if (verdict == VERDICT_DONE) {
		v->totals.repaired += (int64_t)count_;
	} else if (verdict == VERDICT_MOVED) {
		v->totals.not_repaired += (int64_t)count_;
		v->why_not = strcmp(v->error.class, "no_fence") == 0
				     ? "there is no fence: a running wt-consumer makes one and "
				       "rebuilds the cache"
				     : "newer records kept coming: try again";
		verdict = VERDICT_DONE;
	}
	return verdict;
}

static enum verdict repair(struct verify *v)
{
	struct row_list *list = &v->mend;
	struct row *group[REPAIR_GROUP];
	enum verdict verdict = VERDICT_DONE;

	for (int32_t p = 0; p < v->partitions && verdict == VERDICT_DONE; p++) {
		size_t used = 0;

		for (size_t i = 0; i < list->count && verdict == VERDICT_DONE; i++) {
			if (key_partition(v->route, &list->rows[i], v->partitions) == p)
				group[used++] = &list->rows[i];
			if (used == REPAIR_GROUP) {
				verdict = refresh_group(v, p, group, used);
				used = 0;
			}
		}
		if (used && verdict == VERDICT_DONE)
			verdict = refresh_group(v, p, group, used);
	}
	for (size_t i = 0; i < list->count; i++) {
		if (key_partition(v->route, &list->rows[i], v->partitions) >= 0)
			continue;
		v->totals.not_repaired++;
		v->why_not = v->partitions == 0
				     ? "no wt-consumer has written this table yet"
				     : "the partition of a key of several columns is not known";
	}
	row_list_clear(&v->mend);
	return verdict;
}

static void sure(struct verify *v, const struct row *row, enum difference kind)
{
	count(v, row, kind);
	if (v->options->repair && kind != DIFFER_UNSETTLED)
		verify_keep(&v->mend, v->route, row);
}

/* ---- looking again ------------------------------------------------------------------------------- */

void verify_note(struct verify *v, size_t row, enum difference kind)
{
	if (kind == DIFFER_NOT)
		return;
	if (verify_settled(v, &v->rows.rows[row]))
		sure(v, &v->rows.rows[row], kind);
	else
		verify_keep(&v->again, v->route, &v->rows.rows[row]);
}

/* One look at each key put aside; those that stay unsure are put aside anew. */
static enum verdict round_of_looks(struct verify *v)
{
	struct row_list old = v->again;
	struct row *group[AGAIN_GROUP];
	enum verdict verdict = VERDICT_DONE;

	v->again = (struct row_list){0};
	for (size_t at = 0; at < old.count && verdict == VERDICT_DONE; at += AGAIN_GROUP) {
		size_t used = old.count - at;

		if (used > AGAIN_GROUP)
			used = AGAIN_GROUP;
		for (size_t i = 0; i < used; i++)
			group[i] = &old.rows[at + i];
		verdict = verify_look_keys(v, group, used);
		for (size_t i = 0; i < used && verdict == VERDICT_DONE; i++)
			verify_note(v, i, verify_judge(v, i));
	}
	row_list_release(&old);
	return verdict;
}

enum verdict verify_settle(struct verify *v)
{
	int64_t until = clock_mono_ms() + v->options->verify_patience;
	enum verdict verdict = VERDICT_DONE;

	while (v->again.count > 0 && verdict == VERDICT_DONE) {
		nanosleep(&(struct timespec){.tv_nsec = BETWEEN_US * 1000}, NULL);
		verdict = round_of_looks(v);
		if (clock_mono_ms() >= until)
			break;
	}
	for (size_t i = 0; i < v->again.count && verdict == VERDICT_DONE; i++)
		sure(v, &v->again.rows[i], DIFFER_UNSETTLED);
	row_list_clear(&v->again);
	return verdict == VERDICT_DONE ? repair(v) : verdict;
}
