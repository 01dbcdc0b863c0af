/*
 * kafka_out_private: the inside of kafka_out, shared by its files only.
 *
 *	kafka_out.c		start, brokers up and down, reports, end; kafka_out_conf.c: its options
 *	kafka_out_gather.c	records wait for one another (gather.h) and are handed over
 */
#ifndef PRODUCER_KAFKA_OUT_PRIVATE_H
#define PRODUCER_KAFKA_OUT_PRIVATE_H

#include "producer/http/kafka_out.h"

struct kafka_out {
	/* set before start */
	struct kafka_out_config config;
	char *topic;
	rd_kafka_t *rk;
	rd_kafka_topic_t *rkt;
	rd_kafka_queue_t *queue;
	int wake_fd;
	/* loop thread only */
	uv_poll_t wake;
	uv_timer_t timer;
	uv_work_t probe;
	uv_idle_t turn; /* runs at the end of a turn in which something may go */
	uv_timer_t waited; /* something has waited long enough */
	struct gather gather;
	size_t left; /* of gather.waiting, by the turn before */
	bool all_go; /* at the end of this turn */
	int handles;
	int32_t partitions;
	int64_t probe_due_ms;
	bool up, probing, closing;
	char reason[256]; /* why not ready; "" = ready */
	/* the probe's thread while `probing`, else the loop's */
	int32_t seen_partitions;
	rd_kafka_resp_err_t seen_err;
};

/* kafka_out_conf.c */
int kafka_out_conf(
	const struct kafka_out_config *config, rd_kafka_conf_t **conf, struct errmsg *msg);

/* kafka_out_gather.c */
void kafka_out_gather_init(struct kafka_out *out, uv_loop_t *loop);
/* At the end of this turn: what is under way has become less, or what waits more. */
void kafka_out_look_again(struct kafka_out *out);

#endif
