/*
 * service: what wt-producer is made of, and its life. One libuv loop, one thread.
 *
 *	open -> (loop runs) -> drain: no new connections, everything in flight is answered and flushed
 *	-> or stop_now -> the loop becomes empty -> release
 *
 * Who does what: routes.c looks at the path, write.c and batch.c take records in, answer.c answers,
 * read.c reads by id, stores.c connects to Redis and MySQL, pages.c says how things are.
 */
#ifndef PRODUCER_SERVICE_H
#define PRODUCER_SERVICE_H

#include "common/conf.h"
#include "common/http_server.h"
#include "common/uuid.h"
#include "producer/http/fence_wait.h"
#include "producer/http/http_in.h"
#include "producer/http/inflight.h"
#include "producer/http/kafka_out.h"
#include "producer/http/mysql_reader.h"
#include "producer/http/prefer.h"

struct producer_options {
	struct conf conf;
#define OPTION CONF_FIELD
#include "common/options.def"
#include "producer/http/options.def"
#undef OPTION
};

/* A request refused for being too much: its 503 comes a moment later, or refusing costs a core. */
struct refusal {
	struct refusal *next;
	struct http_request *request;
	int64_t due_ms;
	bool down;
};

#define REDIS_KEY_MAX 256

struct http_in_problem;

struct service {
	const struct producer_options *options;
	uv_loop_t *loop;
	struct http_server *http;
	struct kafka_out *kafka;
	struct http_in_form form;
	struct inflight_pool pool;
	struct uuid_generator uuid;
	uv_timer_t tick;
	char *token; /* NULL: none wanted */
	char topic_json[512];
	size_t topic_json_length;
	struct refusal *refused_first, *refused_last;
	size_t refused_waiting;
	uint64_t acknowledged, failed, unconfirmed, refused_full, refused_down;
	/* NULL where the option is not set */
	struct redis_link *redis; /* redis.host */
	struct fence_wait *fences; /* redis.host */
	struct mysql_reader *reader; /* mysql.host */
	char *redis_password, *mysql_password;
	const char *key_before, *key_after; /* of the id, in redis.key */
	size_t key_before_length, key_after_length;
	size_t waiting; /* records with Prefer: wait, until they are answered */
	uint64_t applied, not_applied;
	uint64_t read_hits, read_misses, read_absent, reads_failed;
	bool draining, http_drained, finished;
	int64_t drain_deadline_ms;
	int exit_err; /* 0 or ERR_*; valid when the loop is empty */
};

int service_open(struct service *service, uv_loop_t *loop,
	const struct producer_options *options, struct errmsg *msg);
void service_drain(struct service *service);
void service_stop_now(struct service *service);
/* After the loop has become empty. */
void service_release(struct service *service);

/* routes.c: struct service as `user`. */
void service_handle(void *user, struct http_request *request);

/* write.c */
void service_write(struct service *service, struct http_request *request, const char *path_id,
	size_t path_id_length);
void service_delete(struct service *service, struct http_request *request, const char *path_id,
	size_t path_id_length);
/* For batch.c too: false and answered when so many more records may not wait for the stores. */
bool service_may_wait(struct service *service, struct http_request *request,
	const struct preference *preference, size_t records);
/* The path's id, or a new one, for a record without. ERR_INVALID. */
int service_give_id(struct service *service, struct http_in *record, const char *path_id,
	size_t path_id_length, struct http_in_problem *problem);
struct inflight *service_slot(struct service *service, const struct http_in *record,
	bool tombstone, const struct preference *preference, int64_t now_ms);
/* At once. False: whoever asked was answered, and the slot is gone. */
bool service_send(struct service *service, struct inflight *slot);
void service_refused(void *user, struct kafka_out_record *record, int err);
void service_report(void *user, struct kafka_out_record *record, rd_kafka_resp_err_t err,
	int32_t partition, int64_t offset);
/* Every few hundredths of a second: what waited too long. */
void service_expire(struct service *service, int64_t now_ms);

/* read.c */
void service_read(
	struct service *service, struct http_request *request, const char *id, size_t length);
void service_on_row(void *user, int err, char *row, size_t length, const char *why);

/* stores.c */
int service_open_stores(struct service *service, struct errmsg *msg);
void service_close_stores(struct service *service);
void service_release_stores(struct service *service);

/* pages.c */
void service_healthz(struct service *service, struct http_request *request);
void service_readyz(struct service *service, struct http_request *request);
void service_metrics(struct service *service, struct http_request *request);
void service_openapi(struct service *service, struct http_request *request);

#endif
