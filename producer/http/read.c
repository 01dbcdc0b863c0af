/*
 * GET /write-through/ID:
 *   1 the cache: what it holds is the answer (X-Cache: hit)
 *   2 not there, of another form, or Redis away: the database (X-Cache: miss), 404, or 503;
 *     of http.record=object nobody knows columns here: not there is 404, Redis away 503
 * Nothing is written into the cache from here: that is for who holds the fence (docs/protocol).
 */
#include "producer/http/http_in.h"
#include "producer/http/service.h"

#include "common/log.h"
#include "common/mem.h"
#include "producer/http/put_text.h"

#include <stdlib.h>
#include <string.h>

/* A GET under way. */
struct reading {
	struct service *service;
	struct http_request *request;
	size_t length;
	char id[RECORD_ID_BYTES];
};

static void end(struct reading *reading)
{
	free(reading);
}

static void answer_failed(struct reading *reading, const char *detail)
{
	reading->service->reads_failed++;
	http_respond_problem(reading->request, 503, "Retry-After: 1\r\n", NULL, "%s", detail);
	end(reading);
}

static void answer_absent(struct reading *reading, const char *detail)
{
	reading->service->read_absent++;
	http_respond_problem(reading->request, 404, "X-Cache: miss\r\n", NULL, "%s", detail);
	end(reading);
}

void service_on_row(void *user, int err, char *row, size_t length, const char *why)
{
	struct reading *reading = user;

	if (err != 0) {
		log_limited(LOG_WARN, "read_failed", LOG_F("reason", LOG_STR(why)));
		answer_failed(
			reading, "the cache does not hold it and the database did not answer");
	} else if (row) {
		reading->service->read_misses++;
		http_respond_owned(reading->request, 200, "application/json",
			"X-Cache: miss\r\n", row, length);
		end(reading);
	} else {
		answer_absent(reading, "there is no record with this id");
	}
}

/* `absent`: the cache answered that it does not hold it. */
static void ask_database(struct reading *reading, bool absent)
{
	struct service *service = reading->service;

	if (!service->reader && absent)
		answer_absent(reading, "the cache holds no record with this id");
	else if (!service->reader)
		answer_failed(reading, "the cache does not answer");
	else if (mysql_reader_ask(service->reader, reading->id, reading->length, reading) != 0)
		answer_failed(reading,
			"the cache does not hold it and too many requests wait for the "
			"database");
}

static void on_cached(void *user, const redisReply *reply)
{
	struct reading *reading = user;

	if (reply && reply->type == REDIS_REPLY_STRING) {
		size_t length = (size_t)reply->len;
		char *text = mem_alloc(length + 1);

		memcpy(text, reply->str, length);
		text[length] = '\n';
		reading->service->read_hits++;
		http_respond_owned(reading->request, 200, "application/json",
			"X-Cache: hit\r\n", text, length + 1);
		end(reading);
		return;
	}
	if (reply && reply->type == REDIS_REPLY_ERROR)
		log_limited(LOG_WARN, "cache_refused", LOG_F("reason", LOG_STR(reply->str)));
	ask_database(reading, reply && reply->type == REDIS_REPLY_NIL);
}

static int ask_cache(struct reading *reading)
{
	const struct service *service = reading->service;
	char key[REDIS_KEY_MAX + RECORD_ID_BYTES], *at = key;

	at = put(at, service->key_before, service->key_before_length);
	at = put(at, reading->id, reading->length);
	at = put(at, service->key_after, service->key_after_length);
	return redis_link_ask(service->redis, 2, (const char *[]){"GET", key},
		(const size_t[]){3, (size_t)(at - key)}, on_cached, reading);
}

void service_read(
	struct service *service, struct http_request *request, const char *id, size_t length)
{
	struct http_in_problem problem = {.members = ""};
	struct reading *reading;
	struct http_in record;

	if (!service->reader && !(service->form.object && service->redis)) {
		http_respond_problem(request, 501, NULL, NULL,
			service->form.object
				? "reading by id needs the cache: set redis.host of wt-producer"
				: "reading by id needs the stores: set mysql.host, and "
				  "redis.host for the cache, of wt-producer");
		return;
	}
	if (http_in_set_id(&record, &service->form, id, length, &problem) != 0) {
		http_respond_problem(
			request, 400, NULL, "\"field\":\"id\"", "%s", problem.msg.text);
		return;
	}
	reading = mem_alloc(sizeof(*reading));
	reading->service = service;
	reading->request = request;
	reading->length = length;
	memcpy(reading->id, id, length);
	if (!service->redis || ask_cache(reading) != 0)
		ask_database(reading, false);
}
