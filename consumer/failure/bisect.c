#include "consumer/failure/bisect.h"

#define NEIGHBOURS_ASKED 16

/* Is the store well? POISON: not even rows that fit are taken. */
static enum verdict neighbour_fits(
	const struct bisect_probe *probe, struct row *const *rows, size_t count, size_t culprit)
{
	struct store_error ignored;
	enum verdict v = probe->known_row(probe->context, &ignored);
	size_t asked = 0;

	if (v == VERDICT_MOVED) /* an empty table: nothing to hold the answer against */
		return VERDICT_DONE;
	for (size_t i = 0; v == VERDICT_POISON && i < count && asked < NEIGHBOURS_ASKED; i++) {
		if (i == culprit)
			continue;
		v = probe->rows(probe->context, rows + i, 1, &ignored);
		asked++;
	}
	return v;
}

/* POISON: this row is the culprit. DONE: it fits. RETRY: the store is sick, or could not say. */
static enum verdict alone(const struct bisect_probe *probe, struct row *const *rows,
	size_t count, size_t index, struct store_error *error)
{
	enum verdict v = probe->rows(probe->context, rows + index, 1, error);

	if (v != VERDICT_POISON)
		return v;
	v = neighbour_fits(probe, rows, count, index);
	if (v == VERDICT_DONE)
		return VERDICT_POISON;
	return v == VERDICT_POISON ? VERDICT_RETRY : v;
}

/*
 * Each fits alone, and all of them do not: one is refused because of another before it (a unique key
 * of an append table). The first that does not fit behind those before it is the culprit.
 */
static enum verdict behind_others(const struct bisect_probe *probe, struct row *const *rows,
	size_t count, size_t *culprit, struct store_error *error)
{
	size_t low = 0, high = count;
	enum verdict v = probe->rows(probe->context, rows, count, error);

	while (v == VERDICT_POISON && high - low > 1) {
		size_t middle = low + (high - low) / 2;

		v = probe->rows(probe->context, rows, middle, error);
		if (v == VERDICT_POISON) {
			high = middle;
		} else if (v == VERDICT_DONE) {
			low = middle;
			v = VERDICT_POISON; /* of all of them, still */
		}
	}
	if (v == VERDICT_POISON) /* the words about this row */
		v = probe->rows(probe->context, rows, high, error);
	if (v != VERDICT_POISON)
		return v;
	*culprit = high - 1;
	v = neighbour_fits(probe, rows, count, *culprit);
	if (v == VERDICT_DONE)
		return VERDICT_POISON;
	return v == VERDICT_POISON ? VERDICT_RETRY : v;
}

enum verdict bisect_find(const struct bisect_probe *probe, struct row *const *rows,
	size_t count, long hint, size_t *culprit, struct store_error *error)
{
	size_t low = 0, high = count;
	enum verdict v = VERDICT_DONE;

	if (hint >= 0 && (size_t)hint < count)
		v = alone(probe, rows, count, *culprit = (size_t)hint, error);
	while (v == VERDICT_DONE && high - low > 1) {
		size_t middle = low + (high - low) / 2;

		v = probe->rows(probe->context, rows + low, middle - low, error);
		if (v == VERDICT_DONE) {
			low = middle;
		} else if (v == VERDICT_POISON) {
			high = middle;
			v = VERDICT_DONE;
		}
	}
	if (v == VERDICT_DONE && count > 0)
		v = alone(probe, rows, count, *culprit = low, error);
	if (v == VERDICT_DONE && count > 1)
		v = behind_others(probe, rows, count, culprit, error);
	if (v == VERDICT_POISON)
		return VERDICT_DONE;
	return v == VERDICT_DONE ? VERDICT_RETRY : v; /* it all fits now: just try again */
}
