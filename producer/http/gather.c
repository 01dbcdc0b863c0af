#include "producer/http/gather.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

#define FEW    4 /* in all: there is nothing to be gained */
#define ENOUGH 16 /* of one partition at most: more would gain little */
#define RATIO  2 /* a partition goes when it has so many times of what is under way */

void gather_release(struct gather *gather)
{
	free(gather->queues);
	*gather = (struct gather){0};
}

static void grow(struct gather *gather, int32_t partitions)
{
	size_t had = (size_t)gather->partitions;

	gather->queues =
		mem_resize(gather->queues, (size_t)partitions, sizeof(*gather->queues));
	memset(gather->queues + had, 0, ((size_t)partitions - had) * sizeof(*gather->queues));
	gather->partitions = partitions;
}

size_t gather_add(struct gather *gather, struct gather_record *record, int64_t now_ns)
{
	struct gather_queue *queue;

	if (record->partition >= gather->partitions)
		grow(gather, record->partition + 1);
	queue = &gather->queues[record->partition];
	record->next = NULL;
	if (queue->last)
		queue->last->next = record;
	else
		queue->first = record;
	queue->last = record;
	if (queue->count++ == 0)
		queue->since_ns = now_ns;
	gather->waiting++;
	return queue->count;
}

/* Its share of all that is on its way: of a few clients no partition ever has many. */
static size_t enough(const struct gather *gather)
{
	size_t share = (gather->waiting + gather->under_way) / (size_t)gather->partitions;

	return share < FEW ? FEW : share > ENOUGH ? ENOUGH : share;
}

int32_t gather_next(const struct gather *gather, int64_t now_ns)
{
	int32_t fullest = 0;
	size_t many;

	if (gather->waiting == 0)
		return GATHER_NONE;
	many = enough(gather);
	for (int32_t i = 0; i < gather->partitions; i++) {
		const struct gather_queue *queue = &gather->queues[i];

		if (queue->count >= many)
			return i;
		if (queue->count > 0 && now_ns - queue->since_ns >= gather->max_ns)
			return i;
		if (queue->count > gather->queues[fullest].count)
			fullest = i;
	}
	if (gather->waiting + gather->under_way <= FEW ||
		gather->queues[fullest].count >= RATIO * gather->under_way)
		return fullest;
	return GATHER_NONE;
}

struct gather_record *gather_take(struct gather *gather, int32_t partition)
{
	struct gather_queue *queue;
	struct gather_record *first;

	if (partition >= gather->partitions)
		return NULL;
	queue = &gather->queues[partition];
	first = queue->first;
	gather->waiting -= queue->count;
	gather->under_way += queue->count;
	*queue = (struct gather_queue){0};
	return first;
}

void gather_done(struct gather *gather)
{
	gather->under_way--;
}

int64_t gather_due_ns(const struct gather *gather)
{
	int64_t due = INT64_MAX;

	for (int32_t i = 0; gather->waiting > 0 && i < gather->partitions; i++) {
		const struct gather_queue *queue = &gather->queues[i];

		if (queue->count > 0 && queue->since_ns + gather->max_ns < due)
			due = queue->since_ns + gather->max_ns;
	}
	return due;
}
