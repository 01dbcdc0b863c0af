#include "producer/http/fence_wait.h"

#include "common/clock.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

#define ROUND_MS 1

struct fence {
	struct fence_wait *owner;
	char *key;
	size_t key_length;
	struct fence_waiter *first, *last;
};

struct fence_wait {
	struct redis_link *link;
	char *group, *topic;
	fence_wait_end on_end;
	void *user;
	uv_timer_t timer;
	struct fence **fences; /* by partition; NULL until somebody waits there */
	int32_t count;
	size_t waiting, unanswered;
	int64_t first_until_ms; /* nobody's time is up before */
	bool closing, timer_closed;
};

static void end_first(struct fence *fence, bool applied)
{
	struct fence_waiter *waiter = fence->first;

	fence->first = waiter->next;
	if (!fence->first)
		fence->last = NULL;
	fence->owner->waiting--;
	fence->owner->on_end(fence->owner->user, waiter, applied);
}

/* "00000000000000000042": 42. -1 for anything else. */
static int64_t read_position(const redisReply *reply)
{
	int64_t position = 0;

	if (!reply || reply->type != REDIS_REPLY_STRING || reply->len == 0 || reply->len > 20)
		return -1;
	for (const char *c = reply->str; *c; c++) {
		if (*c < '0' || *c > '9' || position > INT64_MAX / 10 - 1)
			return -1;
		position = position * 10 + (*c - '0');
	}
	return position;
}

static void finish_close(struct fence_wait *fences)
{
	if (!fences->timer_closed || fences->unanswered > 0)
		return;
	for (int32_t i = 0; i < fences->count; i++) {
		if (fences->fences[i])
			free(fences->fences[i]->key);
		free(fences->fences[i]);
	}
	free(fences->fences);
	free(fences->group);
	free(fences->topic);
	free(fences);
}

static void on_fence(void *user, const redisReply *reply)
{
	struct fence *fence = user;
	struct fence_wait *fences = fence->owner;
	int64_t next = read_position(reply);

	while (fence->first && next > fence->first->offset)
		end_first(fence, true);
	fences->unanswered--;
	if (fences->closing)
		finish_close(fences);
}

/* Rebuilds the list without those whose time is up; learns whose is next. */
static void expire(struct fence *fence, int64_t now)
{
	struct fence_waiter *list = fence->first;

	fence->first = fence->last = NULL;
	while (list) {
		struct fence_waiter *waiter = list;

		list = waiter->next;
		if (waiter->until_ms <= now) {
			fence->owner->waiting--;
			fence->owner->on_end(fence->owner->user, waiter, false);
			continue;
		}
		waiter->next = NULL;
		if (fence->last)
			fence->last->next = waiter;
		else
			fence->first = waiter;
		fence->last = waiter;
		if (waiter->until_ms < fence->owner->first_until_ms)
			fence->owner->first_until_ms = waiter->until_ms;
	}
}

static void on_round(uv_timer_t *timer)
{
	struct fence_wait *fences = timer->data;
	int64_t now = clock_mono_ms();

	if (now >= fences->first_until_ms) {
		fences->first_until_ms = INT64_MAX;
		for (int32_t i = 0; i < fences->count; i++) {
			if (fences->fences[i])
				expire(fences->fences[i], now);
		}
	}
	if (fences->waiting == 0) {
		uv_timer_stop(timer);
		return;
	}
	if (fences->unanswered > 0)
		return;
	for (int32_t i = 0; i < fences->count; i++) {
		struct fence *fence = fences->fences[i];

		if (!fence || !fence->first)
			continue;
		fences->unanswered++;
		if (redis_link_ask(fences->link, 3,
			    (const char *[]){"HGET", fence->key, "next"},
			    (const size_t[]){4, fence->key_length, 4}, on_fence, fence) != 0)
			fences->unanswered--;
	}
}

struct fence_wait *fence_wait_open(uv_loop_t *loop, struct redis_link *link, const char *group,
	const char *topic, fence_wait_end on_end, void *user)
{
	struct fence_wait *fences = mem_zero(1, sizeof(*fences));

	fences->link = link;
	fences->group = mem_strdup(group);
	fences->topic = mem_strdup(topic);
	fences->on_end = on_end;
	fences->user = user;
	fences->first_until_ms = INT64_MAX;
	uv_timer_init(loop, &fences->timer);
	fences->timer.data = fences;
	return fences;
}

static struct fence *fence_of(struct fence_wait *fences, int32_t partition)
{
	struct fence *fence;

	if (partition >= fences->count) {
		fences->fences = mem_resize(
			fences->fences, (size_t)partition + 1, sizeof(struct fence *));
		while (fences->count <= partition)
			fences->fences[fences->count++] = NULL;
	}
	fence = fences->fences[partition];
	if (!fence) {
		fence = fences->fences[partition] = mem_zero(1, sizeof(*fence));
		fence->owner = fences;
		fence->key = mem_printf("writethrough:{%s:%s:%d}", fences->group, fences->topic,
			(int)partition);
		fence->key_length = strlen(fence->key);
	}
	return fence;
}

void fence_wait_add(struct fence_wait *fences, int32_t partition, struct fence_waiter *waiter)
{
	struct fence *fence = fence_of(fences, partition);
	struct fence_waiter **at = &fence->first;

	/* Reports of one partition come in the order of offsets: nearly always the end. */
	if (fence->last && fence->last->offset <= waiter->offset)
		at = &fence->last->next;
	while (*at && (*at)->offset <= waiter->offset)
		at = &(*at)->next;
	waiter->next = *at;
	*at = waiter;
	if (!waiter->next)
		fence->last = waiter;
	if (waiter->until_ms < fences->first_until_ms)
		fences->first_until_ms = waiter->until_ms;
	if (fences->waiting++ == 0)
		uv_timer_start(&fences->timer, on_round, ROUND_MS, ROUND_MS);
}

void fence_wait_flush(struct fence_wait *fences)
{
	for (int32_t i = 0; i < fences->count; i++) {
		while (fences->fences[i] && fences->fences[i]->first)
			end_first(fences->fences[i], false);
	}
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct fence_wait *fences = handle->data;

	fences->timer_closed = true;
	finish_close(fences);
}

void fence_wait_close(struct fence_wait *fences)
{
	if (!fences || fences->closing)
		return;
	fences->closing = true;
	fence_wait_flush(fences);
	uv_close((uv_handle_t *)&fences->timer, on_timer_closed);
}
