/*
 * batch: see batch.h.
 *   1 count the lines: too many is 413 for all of them
 *   2 room for all of them, or 503 for all: nothing was queued
 *   3 line by line: check, queue; what is wrong with a line is the end of that line only
 *   4 reports, time limits and fences end the lines one by one
 *   5 the last end writes the answer
 */
#include "producer/http/batch.h"

#include "common/clock.h"
#include "common/mem.h"
#include "producer/http/answer.h"
#include "producer/http/http_in.h"
#include "producer/http/put_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_ROOM 256 /* of an answer's line, besides id, topic and problem */

struct batch_line {
	size_t number; /* in the body, from 1 */
	size_t id_at, id_length; /* in the batch's ids; 0: none */
	int64_t offset;
	int32_t partition;
	int status;
	char *problem; /* "\"detail\":...,...", or NULL */
};

struct batch_answer {
	struct service *service;
	struct http_request *request;
	struct preference preference;
	int64_t arrived_ms;
	struct batch_line *lines;
	size_t count, left; /* left: not ended; one more while lines are still taken */
	char *ids;
	size_t ids_used, ids_room;
};

/* ---- the answer */

static char *put_line(const struct batch_answer *batch, const struct batch_line *line, char *at)
{
	const struct service *service = batch->service;

	at = PUT(at, "{\"line\":");
	at = put_number(at, (int64_t)line->number);
	at = PUT(at, ",\"status\":");
	at = put_number(at, line->status);
	if (line->id_length > 0) {
		at = PUT(at, ",\"id\":");
		at = put(at, batch->ids + line->id_at, line->id_length);
	}
	if (line->problem) {
		at = PUT(at, ",");
		at = put(at, line->problem, strlen(line->problem));
		return PUT(at, "}\n");
	}
	at = PUT(at, ",\"topic\":");
	at = put(at, service->topic_json, service->topic_json_length);
	at = PUT(at, ",\"partition\":");
	at = put_number(at, line->partition);
	at = PUT(at, ",\"offset\":");
	at = line->offset < 0 ? PUT(at, "null") : put_number(at, line->offset);
	if (batch->preference.wait)
		at = line->status == 200 ? PUT(at, ",\"applied\":true")
					 : PUT(at, ",\"applied\":false");
	if (batch->preference.async)
		at = PUT(at, ",\"promise\":\"" BATCH_ASYNC_PROMISE "\"");
	return PUT(at, "}\n");
}

/* 200 or 202 when that is every line's status or better, else 207: look at the lines. */
static int whole_status(const struct batch_answer *batch)
{
	int status = 200;

	for (size_t i = 0; i < batch->count; i++) {
		int one = batch->lines[i].status;

		if (one >= 300)
			return 207;
		if (one > status)
			status = one;
	}
	return status;
}

static void finish(struct batch_answer *batch)
{
	size_t room = 0;
	char header[64] = "", *text, *at;

	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_line *line = &batch->lines[i];

		room += LINE_ROOM + line->id_length + batch->service->topic_json_length +
			(line->problem ? strlen(line->problem) : 0);
	}
	at = text = mem_alloc(room);
	for (size_t i = 0; i < batch->count; i++) {
		at = put_line(batch, &batch->lines[i], at);
		free(batch->lines[i].problem);
	}
	if (batch->preference.wait)
		snprintf(header, sizeof(header), "Preference-Applied: wait=%d\r\n",
			(int)batch->preference.wait_s);
	else if (batch->preference.async)
		snprintf(header, sizeof(header), "Preference-Applied: respond-async\r\n");
	http_respond_owned(batch->request, whole_status(batch), "application/x-ndjson", header,
		text, (size_t)(at - text));
	free(batch->lines);
	free(batch->ids);
	free(batch);
}

static void one_less(struct batch_answer *batch)
{
	if (--batch->left == 0)
		finish(batch);
}

/* ---- the end of a line */

static void set_problem(
	struct batch_line *line, int status, const char *detail, const char *members)
{
	char quoted[1300];
	size_t length = http_json_quote(quoted, sizeof(quoted), detail, strlen(detail));

	line->status = status;
	line->problem = mem_printf(
		"\"detail\":%.*s%s%s", (int)length, quoted, *members ? "," : "", members);
}

void batch_line_place(
	struct batch_answer *batch, size_t line, int32_t partition, int64_t offset)
{
	batch->lines[line].partition = partition;
	batch->lines[line].offset = offset;
}

void batch_line_end(struct batch_answer *batch, size_t line, int status, const char *detail)
{
	if (detail)
		set_problem(&batch->lines[line], status, detail, "");
	batch->lines[line].status = status;
	one_less(batch);
}

void batch_line_applied(struct batch_answer *batch, size_t line, bool applied)
{
	batch_line_end(batch, line, applied ? 200 : 202, NULL);
}

/* ---- the lines */

static void keep_id(
	struct batch_answer *batch, struct batch_line *line, const struct http_in *record)
{
	if (batch->ids_used + record->id_json_length > batch->ids_room) {
		batch->ids_room = 2 * batch->ids_room + record->id_json_length + 1024;
		batch->ids = mem_resize(batch->ids, batch->ids_room, 1);
	}
	memcpy(batch->ids + batch->ids_used, record->id_json, record->id_json_length);
	line->id_at = batch->ids_used;
	line->id_length = record->id_json_length;
	batch->ids_used += record->id_json_length;
}

static void take_line(struct batch_answer *batch, const char *text, size_t length)
{
	struct service *service = batch->service;
	struct batch_line *line = &batch->lines[batch->count - 1];
	struct http_in_problem problem;
	struct http_in record;
	struct inflight *slot;

	if (http_in_read(&record, &service->form, text, length, &problem) != 0 ||
		service_give_id(service, &record, NULL, 0, &problem) != 0) {
		set_problem(line, 400, problem.msg.text, problem.members);
		if (record.key_length > 0) /* as far as it was read */
			keep_id(batch, line, &record);
		return;
	}
	keep_id(batch, line, &record);
	batch->left++;
	slot = service_slot(service, &record, false, &batch->preference, batch->arrived_ms);
	slot->batch = batch;
	slot->line = batch->count - 1;
	if (!batch->preference.async) {
		inflight_wait(&service->pool, slot,
			batch->arrived_ms + service->options->http_timeout_ms);
		kafka_out_add(service->kafka, &slot->record);
	} else if (service_send(service, slot)) {
		batch_line_place(batch, slot->line, slot->record.gather.partition, -1);
		slot->batch = NULL;
		batch_line_end(batch, batch->count - 1, 202, NULL);
	}
}

/* The next line that is not blank; NULL when there is none. *number counts every line. */
static const char *next_line(const char **body, const char *end, size_t *length, size_t *number)
{
	while (*body < end) {
		const char *line = *body;
		const char *newline = memchr(line, '\n', (size_t)(end - line));

		*body = newline ? newline + 1 : end;
		*length = (size_t)((newline ? newline : end) - line);
		++*number;
		for (size_t i = 0; i < *length; i++) {
			if (!strchr(" \t\r", line[i]) || !line[i])
				return line;
		}
	}
	return NULL;
}

/* Steps 1 and 2. 0: answered. */
static size_t admit(struct service *service, struct http_request *request,
	const struct preference *preference, const char *body, size_t length)
{
	const size_t max = (size_t)service->options->http_max_lines;
	const char *at = body;
	size_t count = 0, number = 0, one;
	enum admission_answer room;

	while (next_line(&at, body + length, &one, &number))
		count++;
	if (count == 0) {
		http_respond_problem(request, 400, NULL, NULL, "there is no record in it");
		return 0;
	}
	if (count > max || count > service->pool.admission.max_records) {
		http_respond_problem(request, 413, NULL, NULL,
			"%zu records in one request; http.max-lines=%zu and http.max-inflight "
			"bound them, and nothing was queued",
			count, max);
		return 0;
	}
	if (!service_may_wait(service, request, preference, count))
		return 0;
	room = admission_ask(&service->pool.admission, count,
		length + count * sizeof(struct inflight), clock_mono_ms());
	if (room == ADMISSION_YES)
		return count;
	answer_refuse(service, request, room == ADMISSION_DOWN);
	return 0;
}

void service_write_lines(struct service *service, struct http_request *request,
	const struct preference *preference)
{
	size_t length, one, number = 0;
	const char *body = http_request_body(request, &length), *end = body + length, *line;
	size_t count = admit(service, request, preference, body, length);
	struct batch_answer *batch;

	if (count == 0)
		return;
	batch = mem_zero(1, sizeof(*batch));
	batch->service = service;
	batch->request = request;
	batch->preference = *preference;
	batch->arrived_ms = clock_mono_ms();
	batch->lines = mem_zero(count, sizeof(*batch->lines));
	batch->left = 1;
	while ((line = next_line(&body, end, &one, &number))) {
		batch->lines[batch->count++].number = number;
		take_line(batch, line, one);
	}
	kafka_out_go(service->kafka);
	one_less(batch);
}
