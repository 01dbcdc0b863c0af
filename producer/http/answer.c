#include "producer/http/answer.h"

#include "common/clock.h"
#include "common/mem.h"
#include "producer/http/batch.h"
#include "producer/http/http_in.h"
#include "producer/http/put_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSAL_DELAY_MS 100
#define REFUSALS_WAITING 10000
#define ANSWER_ROOM	 (RECORD_ID_BYTES * 6 + 1024)

/* A record that is stored and whose client waits for both stores. */
struct applied_waiter {
	struct fence_waiter waiter;
	struct http_request *request; /* or */
	struct batch_answer *batch;
	size_t line;
	int32_t wait_s;
	size_t length;
	char text[]; /* the answer so far; none for a line */
};

static void answer_refusal(struct http_request *request, bool down)
{
	if (down)
		http_respond_problem(request, 503, "Retry-After: 2\r\n", NULL,
			"the brokers are not reachable; nothing was queued");
	else
		http_respond_problem(request, 503, "Retry-After: 1\r\n", NULL,
			"too many records wait for the brokers; nothing was queued");
}

void answer_refuse(struct service *service, struct http_request *request, bool down)
{
	struct refusal *refusal;

	*(down ? &service->refused_down : &service->refused_full) += 1;
	if (service->draining || service->refused_waiting >= REFUSALS_WAITING) {
		answer_refusal(request, down);
		return;
	}
	refusal = mem_alloc(sizeof(*refusal));
	*refusal = (struct refusal){NULL, request, clock_mono_ms() + REFUSAL_DELAY_MS, down};
	if (service->refused_last)
		service->refused_last->next = refusal;
	else
		service->refused_first = refusal;
	service->refused_last = refusal;
	service->refused_waiting++;
}

void answer_refusals(struct service *service, int64_t now_ms)
{
	while (service->refused_first &&
		(service->draining || service->refused_first->due_ms <= now_ms)) {
		struct refusal *refusal = service->refused_first;

		service->refused_first = refusal->next;
		if (!refusal->next)
			service->refused_last = NULL;
		service->refused_waiting--;
		answer_refusal(refusal->request, refusal->down);
		free(refusal);
	}
}

/* {"id":...,"topic":...,"partition":...,"offset":...; offset < 0: null. */
static size_t write_answer(
	struct service *service, const struct inflight *slot, int64_t offset, char *to)
{
	char *at = to;

	at = PUT(at, "{\"id\":");
	at = put(at, slot->value + slot->id_at, slot->id_length);
	at = PUT(at, ",\"topic\":");
	at = put(at, service->topic_json, service->topic_json_length);
	at = PUT(at, ",\"partition\":");
	at = put_number(at, slot->record.gather.partition);
	at = PUT(at, ",\"offset\":");
	at = offset < 0 ? PUT(at, "null") : put_number(at, offset);
	return (size_t)(at - to);
}

static void wait_for_stores(struct service *service, struct inflight *slot, int64_t offset)
{
	char text[ANSWER_ROOM];
	size_t length = slot->batch ? 0 : write_answer(service, slot, offset, text);
	struct applied_waiter *waiter = mem_alloc(sizeof(*waiter) + length);

	*waiter = (struct applied_waiter){
		.waiter = {NULL, offset, slot->wait_until_ms},
		.request = slot->request,
		.batch = slot->batch,
		.line = slot->line,
		.wait_s = slot->wait_s,
		.length = length,
	};
	memcpy(waiter->text, text, length);
	if (slot->batch)
		batch_line_place(
			slot->batch, slot->line, slot->record.gather.partition, offset);
	if (service->draining)
		answer_applied(service, &waiter->waiter, false);
	else
		fence_wait_add(service->fences, slot->record.gather.partition, &waiter->waiter);
}

void answer_applied(void *user, struct fence_waiter *ended, bool applied)
{
	struct applied_waiter *waiter = (struct applied_waiter *)(void *)ended;
	struct service *service = user;
	char text[ANSWER_ROOM], header[64], *at;

	service->waiting--;
	*(applied ? &service->applied : &service->not_applied) += 1;
	if (waiter->batch) {
		batch_line_applied(waiter->batch, waiter->line, applied);
	} else {
		snprintf(header, sizeof(header), "Preference-Applied: wait=%d\r\n",
			(int)waiter->wait_s);
		at = put(text, waiter->text, waiter->length);
		at = applied ? PUT(at, ",\"applied\":true}\n")
			     : PUT(at, ",\"applied\":false}\n");
		http_respond(waiter->request, applied ? 200 : 202, "application/json", header,
			text, (size_t)(at - text));
	}
	free(waiter);
}

/* It will not be stored as it wanted: its place among those who wait is free. */
static void stop_waiting(struct service *service, struct inflight *slot)
{
	if (slot->applied_wanted)
		service->waiting--;
	slot->applied_wanted = false;
}

void answer_stored(struct service *service, struct inflight *slot, int64_t offset)
{
	char text[ANSWER_ROOM];
	size_t length;

	if (slot->applied_wanted) {
		wait_for_stores(service, slot, offset);
	} else if (slot->batch) {
		batch_line_place(
			slot->batch, slot->line, slot->record.gather.partition, offset);
		batch_line_end(slot->batch, slot->line, 202, NULL);
	} else {
		length = write_answer(service, slot, offset, text);
		text[length++] = '}';
		text[length++] = '\n';
		http_respond(slot->request, 202, "application/json", NULL, text, length);
	}
}

void answer_async(struct service *service, struct inflight *slot)
{
	static const char end[] = ",\"promise\":\"" BATCH_ASYNC_PROMISE "\"}\n";
	char text[ANSWER_ROOM];
	size_t length = write_answer(service, slot, -1, text);

	memcpy(text + length, end, sizeof(end) - 1);
	http_respond(slot->request, 202, "application/json",
		"Preference-Applied: respond-async\r\n", text, length + sizeof(end) - 1);
}

void answer_unknown(struct service *service, struct inflight *slot, const char *reason)
{
	char members[ANSWER_ROOM], detail[400];

	stop_waiting(service, slot);
	snprintf(detail, sizeof(detail),
		"delivery not confirmed (%s): the record may or may not be stored; repeating "
		"the request with this id is harmless%s",
		reason, service->form.object ? ", unless the mapping appends its rows" : "");
	if (slot->batch) {
		batch_line_end(slot->batch, slot->line, 504, detail);
		return;
	}
	snprintf(members, sizeof(members), "\"id\":%.*s", (int)slot->id_length,
		slot->value + slot->id_at);
	http_respond_problem(slot->request, 504, NULL, members, "%s", detail);
}

void answer_too_large(struct service *service, struct inflight *slot)
{
	static const char detail[] =
		"the record is larger than kafka.message.max.bytes or the topic's "
		"max.message.bytes";

	stop_waiting(service, slot);
	if (slot->batch)
		batch_line_end(slot->batch, slot->line, 413, detail);
	else
		http_respond_problem(slot->request, 413, NULL, NULL, "%s", detail);
}

void answer_not_queued(struct service *service, struct inflight *slot, int err)
{
	char detail[300];

	if (err == ERR_INVALID) {
		answer_too_large(service, slot);
		return;
	}
	stop_waiting(service, slot);
	if (err == ERR_FULL && !slot->batch) {
		answer_refuse(service, slot->request, false);
		return;
	}
	snprintf(detail, sizeof(detail), "kafka: %s; nothing was queued",
		rd_kafka_err2str(rd_kafka_last_error()));
	if (slot->batch)
		batch_line_end(slot->batch, slot->line, 503, detail);
	else
		http_respond_problem(
			slot->request, 503, "Retry-After: 2\r\n", NULL, "%s", detail);
}
