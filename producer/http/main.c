/*
 * wt-producer: HTTP -> Kafka, answered when the brokers have the record.
 *
 *   1 options (options.def), log
 *   2 service_open: brokers and topic must be there, then the port is opened
 *   3 the loop: common/http_server reads requests, routes.c and write.c send them on, kafka_out
 *     brings the delivery reports back into the loop, write.c answers
 *   4 SIGTERM: drain; a second signal or the deadline: now
 */
#include "producer/http/service.h"

#include "common/lifecycle.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>

#define OPTION(...) CONF_ROW(struct producer_options, __VA_ARGS__)
static const struct conf_option rows[] = {
#include "common/options.def"
#include "producer/http/options.def"
};
#undef OPTION

static const struct conf_program program = {
	.name = "wt-producer",
	.summary = "takes records over HTTP and answers when Kafka has them",
	.usage = "[OPTIONS]",
	.more = "Example:\n"
		"  curl -d '{\"name\":\"Ann\",\"age\":41,\"occupation\":\"smith\"}' \\\n"
		"    -H 'Content-Type: application/json' http://127.0.0.1:8080/write-through\n"
		"\nExit codes: 0 done, 64 options, 69 no broker or no topic at start, 75 "
		"stopped "
		"before everything was confirmed\n",
	.options = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

static void on_stop(void *user)
{
	service_drain(user);
}

static void on_now(void *user)
{
	service_stop_now(user);
}

static int run(const struct producer_options *options, struct errmsg *msg)
{
	struct service service;
	struct lifecycle lifecycle = {.on_stop = on_stop, .on_now = on_now, .user = &service};
	uv_loop_t loop;
	int err;

	uv_loop_init(&loop);
	err = service_open(&service, &loop, options, msg);
	if (err == 0) {
		lifecycle_start(&lifecycle, &loop);
		uv_run(&loop, UV_RUN_DEFAULT);
		lifecycle_close(&lifecycle);
		err = service.exit_err;
		if (err != 0)
			errmsg_set(msg, err, "%s",
				err == ERR_UNFINISHED
					? "stopped before everything was confirmed"
					: "the connection to Kafka cannot be used any more");
	}
	uv_run(&loop, UV_RUN_DEFAULT); /* what was closed goes away */
	service_release(&service);
	uv_loop_close(&loop);
	return err;
}

int main(int argc, char **argv)
{
	struct producer_options options;
	struct errmsg msg = {""};
	int err = conf_load(&options, &program, argc, argv, &msg);

	if (err == CONF_RUN)
		err = conf_no_more_words(&options.conf, 0, &msg);
	if (err == CONF_RUN) {
		log_setup(
			(enum log_level)options.log_level, (enum log_format)options.log_format);
		err = run(&options, &msg);
	} else if (err == CONF_DONE) {
		err = 0;
	}
	if (err != 0)
		fprintf(stderr, "wt-producer: %s\n", msg.text);
	conf_release(&options);
	return err_exit_code(err);
}
