/*
 * batch_sort: rows by the bytes of their sort keys; rows of one key stay in their order. Bytes are
 * looked at eight at a time behind what all keys have in common, so no comparison is called for
 * most of them. Pure.
 */
#ifndef CONSUMER_PIPELINE_BATCH_SORT_H
#define CONSUMER_PIPELINE_BATCH_SORT_H

#include "consumer/pipeline/row.h"

#include <stddef.h>
#include <stdint.h>

struct sort_item {
	uint64_t prefix; /* scratch */
	struct row *row;
};

/* `items` come in offset order, their rows out of one array; `scratch` has room for as many. */
void batch_sort(struct sort_item *items, struct sort_item *scratch, size_t count);

#endif
