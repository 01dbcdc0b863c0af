#include "producer/http/sender.h"

#include <sched.h>

#define NAME "sender"

static rd_kafka_resp_err_t on_thread_start(
	rd_kafka_t *rk, rd_kafka_thread_type_t type, const char *name, void *user)
{
	const struct sched_param none = {0};

	(void)rk;
	(void)name;
	(void)user;
	/* A class that somebody chose for the whole process (chrt) is left alone. */
	if (type == RD_KAFKA_THREAD_BROKER && sched_getscheduler(0) == SCHED_OTHER)
		sched_setscheduler(0, SCHED_BATCH, &none);
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(
	rd_kafka_t *rk, const rd_kafka_conf_t *conf, void *user, char *why, size_t why_bytes)
{
	(void)conf;
	(void)user;
	(void)why;
	(void)why_bytes;
	return rd_kafka_interceptor_add_on_thread_start(rk, NAME, on_thread_start, NULL);
}

int sender_gives_way(rd_kafka_conf_t *conf, struct errmsg *msg)
{
	rd_kafka_resp_err_t err =
		rd_kafka_conf_interceptor_add_on_new(conf, NAME, on_new, NULL);

	if (err)
		return errmsg_set(
			msg, ERR_CONFIG, "option sender.gives-way: %s", rd_kafka_err2str(err));
	return 0;
}
