/*
 * A record's way through the producer:
 *   1 the request's form (content type, length, Prefer)
 *   2 http_in: the body against the table of fields; an id is made where there is none
 *   3 admission: room for it, or 503 before anything is queued
 *   4 inflight + kafka_out: a slot owns the bytes until the delivery report
 *   5 the report, or the time limit, answers
 */
#include "producer/http/http_in.h"
#include "producer/http/service.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFUSAL_DELAY_MS 100
#define REFUSALS_WAITING 10000
#define ANSWER_ROOM	 (RECORD_ID_BYTES * 6 + 1024)

static void answer_refusal(struct http_request *request, bool down)
{
	if (down)
		http_respond_problem(request, 503, "Retry-After: 2\r\n", NULL,
			"the brokers are not reachable; nothing was queued");
	else
		http_respond_problem(request, 503, "Retry-After: 1\r\n", NULL,
			"too many records wait for the brokers; nothing was queued");
}

static void refuse(struct service *service, struct http_request *request, bool down)
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

static char *put(char *to, const char *text, size_t length)
{
	memcpy(to, text, length);
	return to + length;
}

#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

static char *put_number(char *to, int64_t number)
{
	char digits[20];
	int count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while (number /= 10);
	while (count > 0)
		*to++ = digits[--count];
	return to;
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
	at = put_number(at, slot->partition);
	at = PUT(at, ",\"offset\":");
	at = offset < 0 ? PUT(at, "null") : put_number(at, offset);
	return (size_t)(at - to);
}

static void answer_stored(struct service *service, struct inflight *slot, int64_t offset)
{
	char text[ANSWER_ROOM];
	size_t length = write_answer(service, slot, offset, text);

	text[length++] = '}';
	text[length++] = '\n';
	http_respond(slot->request, 202, "application/json", NULL, text, length);
}

static void answer_async(struct service *service, struct inflight *slot)
{
	static const char end[] = ",\"promise\":\"queued in this process; a crash or a broker "
				  "failure can still lose it\"}\n";
	char text[ANSWER_ROOM];
	size_t length = write_answer(service, slot, -1, text);

	memcpy(text + length, end, sizeof(end) - 1);
	http_respond(slot->request, 202, "application/json",
		"Preference-Applied: respond-async\r\n", text, length + sizeof(end) - 1);
}

static void answer_unknown(struct inflight *slot, const char *reason)
{
	char members[ANSWER_ROOM];

	snprintf(members, sizeof(members), "\"id\":%.*s", (int)slot->id_length,
		slot->value + slot->id_at);
	http_respond_problem(slot->request, 504, NULL, members,
		"delivery not confirmed (%s): the record may or may not be stored; repeating "
		"the request with this id is harmless",
		reason);
}

static void answer_too_large(struct http_request *request)
{
	http_respond_problem(request, 413, NULL, NULL,
		"the record is larger than kafka.message.max.bytes or the topic's "
		"max.message.bytes");
}

static void answer_not_queued(struct service *service, struct http_request *request, int err)
{
	if (err == ERR_INVALID)
		answer_too_large(request);
	else if (err == ERR_FULL)
		refuse(service, request, false);
	else
		http_respond_problem(request, 503, "Retry-After: 2\r\n", NULL,
			"kafka: %s; nothing was queued",
			rd_kafka_err2str(rd_kafka_last_error()));
}

/* Steps 3 and 4 for a checked record; its request is answered now or later. */
static void submit(struct service *service, struct http_request *request,
	const struct http_in *record, bool tombstone, bool async)
{
	char value[RECORD_VALUE_ROOM];
	size_t length = tombstone ? record->id_json_length : http_in_write(record, value);
	int64_t now = clock_mono_ms();
	enum admission_answer room = admission_ask(
		&service->pool.admission, 1, length + sizeof(struct inflight), now);
	struct inflight *slot;
	int err;

	if (room != ADMISSION_YES) {
		refuse(service, request, room == ADMISSION_DOWN);
		return;
	}
	slot = inflight_take(&service->pool, tombstone ? record->id_json : value, length);
	slot->id_at = tombstone ? 0 : sizeof("{\"id\":") - 1;
	slot->id_length = record->id_json_length;
	slot->request = request;
	slot->partition = kafka_out_partition(service->kafka, record->key, record->key_length);
	err = kafka_out_send(service->kafka, slot->partition, record->key, record->key_length,
		tombstone ? NULL : slot->value, tombstone ? 0 : length, slot);
	if (err != 0) {
		answer_not_queued(service, request, err);
		inflight_drop(&service->pool, slot);
	} else if (async) {
		answer_async(service, slot);
		slot->request = NULL;
	} else {
		inflight_wait(&service->pool, slot, now + service->options->http_timeout_ms);
	}
}

/* Step 1. True when the body may be read as JSON. */
static bool check_form(struct http_request *request)
{
	size_t length;
	const char *type = http_request_header(request, "content-type", &length);

	if (type && !http_list_has(type, length, "application/json")) {
		if (http_list_has(type, length, "application/x-ndjson"))
			http_respond_problem(request, 415, NULL, NULL,
				"NDJSON is not part of this version; send one JSON object");
		else
			http_respond_problem(request, 415, NULL, NULL,
				"Content-Type must be application/json");
		return false;
	}
	if (http_request_header(request, "content-encoding", &length)) {
		http_respond_problem(
			request, 415, NULL, NULL, "a Content-Encoding is not understood here");
		return false;
	}
	if (!http_request_header(request, "content-length", &length) &&
		!http_request_header(request, "transfer-encoding", &length)) {
		http_respond_problem(
			request, 411, NULL, NULL, "a body is needed: one JSON object");
		return false;
	}
	return true;
}

/* Prefer: respond-async. False and answered when a preference is refused. */
static bool read_preference(struct http_request *request, bool *async)
{
	*async = http_request_header_has(request, "prefer", "respond-async");
	if (http_request_header_has(request, "prefer", "wait")) {
		http_respond_problem(request, 501, NULL, NULL,
			"Prefer: wait is not part of this version; the record was not taken");
		return false;
	}
	return true;
}

static void refuse_record(struct http_request *request, const struct http_in_problem *problem)
{
	http_respond_problem(request, 400, NULL, *problem->members ? problem->members : NULL,
		"%s", problem->msg.text);
}

void service_write(struct service *service, struct http_request *request, const char *path_id,
	size_t path_id_length)
{
	struct http_in_problem problem;
	struct http_in record;
	size_t length;
	const char *body = http_request_body(request, &length);
	bool async;

	if (!check_form(request) || !read_preference(request, &async))
		return;
	if (http_in_read(&record, body, length, &problem) != 0) {
		refuse_record(request, &problem);
		return;
	}
	if (path_id && record.key_length > 0 &&
		(record.key_length != path_id_length ||
			memcmp(record.key, path_id, path_id_length) != 0)) {
		http_respond_problem(request, 400, NULL, "\"field\":\"id\"",
			"field 'id' differs from the id in the path");
		return;
	}
	if (record.key_length == 0) {
		char made[UUID_TEXT_BYTES];

		if (!path_id) {
			uuid7(&service->uuid, made);
			path_id = made;
			path_id_length = UUID_TEXT_BYTES - 1;
		}
		if (http_in_set_id(&record, path_id, path_id_length, &problem) != 0) {
			refuse_record(request, &problem);
			return;
		}
	}
	submit(service, request, &record, false, async);
}

void service_delete(struct service *service, struct http_request *request, const char *path_id,
	size_t path_id_length)
{
	struct http_in_problem problem = {.members = ""};
	struct http_in record;
	bool async;

	if (!read_preference(request, &async))
		return;
	if (http_in_set_id(&record, path_id, path_id_length, &problem) != 0)
		refuse_record(request, &problem);
	else
		submit(service, request, &record, true, async);
}

void service_report(
	void *user, void *opaque, rd_kafka_resp_err_t err, int32_t partition, int64_t offset)
{
	struct service *service = user;
	struct inflight *slot = opaque;

	slot->partition = partition;
	if (err) {
		service->failed++;
		log_limited(LOG_WARN, "delivery_failed", LOG_F("partition", LOG_INT(partition)),
			LOG_F("error", LOG_STR(rd_kafka_err2str(err))));
	} else {
		service->acknowledged++;
	}
	if (slot->request) {
		if (!err)
			answer_stored(service, slot, offset);
		else if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
			answer_too_large(slot->request);
		else
			answer_unknown(slot, rd_kafka_err2str(err));
	}
	inflight_drop(&service->pool, slot);
}

void service_expire(struct service *service, int64_t now_ms)
{
	struct inflight *slot;

	while ((slot = service->pool.first) && slot->deadline_ms <= now_ms) {
		service->unconfirmed++;
		answer_unknown(slot, "the brokers did not answer in time");
		inflight_leave(&service->pool, slot);
	}
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
