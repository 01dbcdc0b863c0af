/*
 * A record's way through the producer:
 *   1 the request's form (content type, length, Prefer)
 *   2 http_in: the body against the table of fields, or any object; an id is made where there is none
 *   3 admission: room for it, or 503 before anything is queued
 *   4 inflight + kafka_out: a slot owns the bytes until the delivery report; it may wait a moment for
 *     others of its partition (gather.h)
 *   5 the report, or the time limit, answers (answer.c); Prefer: wait goes on in fence_wait
 * NDJSON goes through batch.c, a record at a time, with the same steps.
 */
#include "producer/http/answer.h"
#include "producer/http/batch.h"
#include "producer/http/http_in.h"

#include "common/clock.h"
#include "common/log.h"

#include <stdio.h>
#include <string.h>

/* Step 4, first half: a slot with the record's bytes, counted. */
struct inflight *service_slot(struct service *service, const struct http_in *record,
	bool tombstone, const struct preference *preference, int64_t now_ms)
{
	struct inflight *slot = inflight_take(&service->pool,
		tombstone ? record->id_json_length : http_in_length(record), record->key,
		record->key_length);

	if (tombstone) { /* its value is none; the id is kept for the answer */
		memcpy(slot->value, record->id_json, record->id_json_length);
	} else {
		http_in_write(record, slot->value);
		slot->record.value = slot->value;
		slot->record.value_length = slot->value_length;
	}
	slot->id_at = tombstone ? 0 : record->id_at;
	slot->id_length = record->id_json_length;
	slot->record.gather.partition =
		kafka_out_partition(service->kafka, record->key, record->key_length);
	if (preference->wait) {
		slot->applied_wanted = true;
		slot->wait_s = preference->wait_s;
		slot->wait_until_ms = now_ms + (int64_t)preference->wait_s * 1000;
		service->waiting++;
	}
	return slot;
}

void service_refused(void *user, struct kafka_out_record *record, int err)
{
	struct service *service = user;
	struct inflight *slot = (struct inflight *)(void *)record;

	if (slot->request || slot->batch)
		answer_not_queued(service, slot, err);
	inflight_drop(&service->pool, slot);
}

bool service_send(struct service *service, struct inflight *slot)
{
	int err = kafka_out_send(service->kafka, &slot->record);

	if (err != 0)
		service_refused(service, &slot->record, err);
	return err == 0;
}

/* Steps 3 and 4 for a checked record; its request is answered now or later. */
static void submit(struct service *service, struct http_request *request,
	const struct http_in *record, bool tombstone, const struct preference *preference)
{
	int64_t now = clock_mono_ms();
	size_t bytes = tombstone ? record->id_json_length : http_in_length(record);
	enum admission_answer room = admission_ask(
		&service->pool.admission, 1, bytes + sizeof(struct inflight), now);
	struct inflight *slot;

	if (room != ADMISSION_YES) {
		answer_refuse(service, request, room == ADMISSION_DOWN);
		return;
	}
	slot = service_slot(service, record, tombstone, preference, now);
	slot->request = request;
	if (!preference->async) {
		inflight_wait(&service->pool, slot, now + service->options->http_timeout_ms);
		kafka_out_add(service->kafka, &slot->record);
	} else if (service_send(service, slot)) {
		answer_async(service, slot);
		slot->request = NULL;
	}
}

enum body_form { FORM_REFUSED, FORM_RECORD, FORM_LINES };

/* Step 1. FORM_REFUSED: answered. */
static enum body_form check_form(struct http_request *request, bool lines_allowed)
{
	size_t length;
	const char *type = http_request_header(request, "content-type", &length);
	bool lines =
		type && lines_allowed && http_list_has(type, length, "application/x-ndjson");

	if (type && !lines && !http_list_has(type, length, "application/json")) {
		http_respond_problem(request, 415, NULL, NULL,
			lines_allowed ? "Content-Type must be application/json, or "
					"application/x-ndjson for a record a line"
				      : "Content-Type must be application/json");
		return FORM_REFUSED;
	}
	if (http_request_header(request, "content-encoding", &length)) {
		http_respond_problem(
			request, 415, NULL, NULL, "a Content-Encoding is not understood here");
		return FORM_REFUSED;
	}
	if (!http_request_header(request, "content-length", &length) &&
		!http_request_header(request, "transfer-encoding", &length)) {
		http_respond_problem(
			request, 411, NULL, NULL, "a body is needed: one JSON object");
		return FORM_REFUSED;
	}
	return lines ? FORM_LINES : FORM_RECORD;
}

/* False and answered when a preference is refused. */
static bool read_preference(
	struct service *service, struct http_request *request, struct preference *preference)
{
	size_t length;
	const char *text;
	int32_t max_s = (int32_t)(service->options->http_max_wait_ms / 1000);

	*preference = (struct preference){.async = false};
	for (int i = 0; (text = http_request_header_nth(request, "prefer", i, &length)); i++) {
		if (prefer_read(preference, text, length, max_s) == 0)
			continue;
		http_respond_problem(request, 400, NULL, NULL,
			"Prefer: wait needs whole seconds, as in wait=5; the record was not "
			"taken");
		return false;
	}
	return true;
}

bool service_may_wait(struct service *service, struct http_request *request,
	const struct preference *preference, size_t records)
{
	if (!preference->wait)
		return true;
	if (!service->fences) {
		http_respond_problem(request, 501, NULL, NULL,
			"Prefer: wait needs to see the cache: set redis.host (and group) of "
			"wt-producer; the record was not taken");
		return false;
	}
	if (service->waiting + records <= (size_t)service->options->http_max_waiting)
		return true;
	http_respond_problem(request, 503, "Retry-After: 1\r\n", NULL,
		"http.max-waiting=%lld records wait for the stores; nothing was queued",
		(long long)service->options->http_max_waiting);
	return false;
}

static void refuse_record(struct http_request *request, const struct http_in_problem *problem)
{
	http_respond_problem(request, 400, NULL, *problem->members ? problem->members : NULL,
		"%s", problem->msg.text);
}

int service_give_id(struct service *service, struct http_in *record, const char *path_id,
	size_t path_id_length, struct http_in_problem *problem)
{
	char made[UUID_TEXT_BYTES];

	if (record->key_length > 0)
		return 0;
	if (!path_id) {
		uuid7(&service->uuid, made);
		path_id = made;
		path_id_length = UUID_TEXT_BYTES - 1;
	}
	return http_in_set_id(record, &service->form, path_id, path_id_length, problem);
}

void service_write(struct service *service, struct http_request *request, const char *path_id,
	size_t path_id_length)
{
	enum body_form form = check_form(request, !path_id);
	struct http_in_problem problem;
	struct preference preference;
	struct http_in record;
	size_t length;
	const char *body = http_request_body(request, &length);

	if (form == FORM_REFUSED || !read_preference(service, request, &preference))
		return;
	if (form == FORM_LINES) {
		service_write_lines(service, request, &preference);
		return;
	}
	if (http_in_read(&record, &service->form, body, length, &problem) != 0) {
		refuse_record(request, &problem);
		return;
	}
	if (path_id && record.key_length > 0 &&
		(record.key_length != path_id_length ||
			memcmp(record.key, path_id, path_id_length) != 0)) {
		snprintf(problem.members, sizeof(problem.members), "\"field\":\"%s\"",
			service->form.key);
		errmsg_set(&problem.msg, ERR_INVALID,
			"field '%s' differs from the id in the path", service->form.key);
		refuse_record(request, &problem);
		return;
	}
	if (service_give_id(service, &record, path_id, path_id_length, &problem) != 0)
		refuse_record(request, &problem);
	else if (service_may_wait(service, request, &preference, 1))
		submit(service, request, &record, false, &preference);
}

void service_delete(struct service *service, struct http_request *request, const char *path_id,
	size_t path_id_length)
{
	struct http_in_problem problem = {.members = ""};
	struct preference preference;
	struct http_in record;

	if (!read_preference(service, request, &preference))
		return;
	if (http_in_set_id(&record, &service->form, path_id, path_id_length, &problem) != 0)
		refuse_record(request, &problem);
	else if (service_may_wait(service, request, &preference, 1))
		submit(service, request, &record, true, &preference);
}

void service_report(void *user, struct kafka_out_record *record, rd_kafka_resp_err_t err,
	int32_t partition, int64_t offset)
{
	struct service *service = user;
	struct inflight *slot = (struct inflight *)(void *)record;

	slot->record.gather.partition = partition;
	if (err) {
		service->failed++;
		log_limited(LOG_WARN, "delivery_failed", LOG_F("partition", LOG_INT(partition)),
			LOG_F("error", LOG_STR(rd_kafka_err2str(err))));
	} else {
		service->acknowledged++;
	}
	if (slot->request || slot->batch) {
		if (!err)
			answer_stored(service, slot, offset);
		else if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
			answer_too_large(service, slot);
		else
			answer_unknown(service, slot, rd_kafka_err2str(err));
	}
	inflight_drop(&service->pool, slot);
}

void service_expire(struct service *service, int64_t now_ms)
{
	struct inflight *slot;

	while ((slot = service->pool.first) && slot->deadline_ms <= now_ms) {
		service->unconfirmed++;
		answer_unknown(service, slot, "the brokers did not answer in time");
		inflight_leave(&service->pool, slot);
	}
	answer_refusals(service, now_ms);
}
