#include "consumer/pipeline/batch_sort.h"

#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FEW  24 /* from here on insertion sort loses */
#define DEEP 512 /* bytes in common from here on: bounds the recursion */

/* By key, then by offset: rows lie in one array in offset order. */
static int compare(const struct row *a, const struct row *b, size_t skip)
{
	size_t left = a->sort_key_length - skip, right = b->sort_key_length - skip;
	size_t shorter = left < right ? left : right;
	int order = shorter ? memcmp(a->sort_key + skip, b->sort_key + skip, shorter) : 0;

	if (order)
		return order;
	return left != right ? (left > right) - (left < right) : (a > b) - (a < b);
}

static int compare_items(const void *a, const void *b)
{
	return compare(
		((const struct sort_item *)a)->row, ((const struct sort_item *)b)->row, 0);
}

static void insertion_sort(struct sort_item *items, size_t count, size_t skip)
{
	for (size_t i = 1; i < count; i++) {
		struct sort_item item = items[i];
		size_t at = i;

		for (; at > 0 && compare(items[at - 1].row, item.row, skip) > 0; at--)
			items[at] = items[at - 1];
		items[at] = item;
	}
}

/* How many bytes all keys have in common, from `skip` that is known; *all_equal when that is all. */
static size_t common_length(
	const struct sort_item *items, size_t count, size_t skip, bool *all_equal)
{
	const struct row *first = items[0].row;
	size_t common = first->sort_key_length;

	*all_equal = true;
	for (size_t i = 1; i < count; i++) {
		const struct row *row = items[i].row;
		size_t at = skip;

		*all_equal &= row->sort_key_length == first->sort_key_length;
		if (row->sort_key_length < common)
			common = row->sort_key_length;
		while (at < common && row->sort_key[at] == first->sort_key[at])
			at++;
		common = at;
	}
	*all_equal &= common == first->sort_key_length;
	return common;
}

/* Eight bytes from `skip` on as a number that orders like them; shorter keys end in zeros. */
static uint64_t prefix_of(const struct row *row, size_t skip)
{
	size_t left = row->sort_key_length - skip;
	uint64_t word = 0;

	if (left >= sizeof(word))
		memcpy(&word, row->sort_key + skip, sizeof(word));
	else
		memcpy(&word, row->sort_key + skip, left);
	return be64toh(word);
}

/* Least significant byte first; bytes that are the same everywhere are left out. */
__attribute__((noinline)) static void radix_sort(
	struct sort_item *items, struct sort_item *scratch, size_t count)
{
	uint32_t counts[8][256] = {{0}};
	struct sort_item *from = items, *to = scratch;

	for (size_t i = 0; i < count; i++) {
		for (int byte = 0; byte < 8; byte++)
			counts[byte][items[i].prefix >> (8 * byte) & 0xff]++;
	}
	for (int byte = 0; byte < 8; byte++) {
		uint32_t *starts = counts[byte], sum = 0;

		if (starts[items[0].prefix >> (8 * byte) & 0xff] == count)
			continue;
		for (int value = 0; value < 256; value++) {
			uint32_t here = starts[value];

			starts[value] = sum;
			sum += here;
		}
		for (size_t i = 0; i < count; i++)
			to[starts[from[i].prefix >> (8 * byte) & 0xff]++] = from[i];
		to = from;
		from = from == items ? scratch : items;
	}
	if (from != items)
		memcpy(items, from, count * sizeof(*items));
}

static void sort_behind(
	struct sort_item *items, struct sort_item *scratch, size_t count, size_t skip);

/* Rows whose eight bytes from `skip` are equal. */
static void sort_run(
	struct sort_item *items, struct sort_item *scratch, size_t count, size_t skip)
{
	for (size_t i = 0; i < count; i++) {
		bool all_equal;

		if (items[i].row->sort_key_length > skip + 8)
			continue;
		/* one of them ends here: all the same short key, or one that goes on with NULs */
		common_length(items, count, skip, &all_equal);
		if (!all_equal)
			qsort(items, count, sizeof(*items), compare_items);
		return;
	}
	sort_behind(items, scratch, count, skip + 8);
}

static void sort_behind(
	struct sort_item *items, struct sort_item *scratch, size_t count, size_t skip)
{
	bool all_equal;

	if (count <= FEW) {
		insertion_sort(items, count, skip);
		return;
	}
	skip = common_length(items, count, skip, &all_equal);
	if (all_equal)
		return;
	if (skip > DEEP) {
		qsort(items, count, sizeof(*items), compare_items);
		return;
	}
	for (size_t i = 0; i < count; i++)
		items[i].prefix = prefix_of(items[i].row, skip);
	radix_sort(items, scratch, count);
	for (size_t from = 0, to; from < count; from = to) {
		uint64_t prefix = items[from].prefix;

		for (to = from + 1; to < count && items[to].prefix == prefix; to++)
			;
		if (to - from > 1)
			sort_run(items + from, scratch, to - from, skip);
	}
}

void batch_sort(struct sort_item *items, struct sort_item *scratch, size_t count)
{
	sort_behind(items, scratch, count, 0);
}
