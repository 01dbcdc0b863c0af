/*
 * sender: the threads of librdkafka that talk to the brokers, told to give way when they wake
 * (SCHED_BATCH). Each record that is queued wakes such a thread. Where the cores are busy it would
 * interrupt whoever queues, and send one record alone; so it starts a moment later and sends what
 * has come together until then. An idle core runs it at once, as before, and its share of the
 * processor stays the same.
 */
#ifndef PRODUCER_SENDER_H
#define PRODUCER_SENDER_H

#include "common/err.h"

#include <librdkafka/rdkafka.h>

/* For a client that is made of `conf` later. A system that refuses it: nothing changes. */
int sender_gives_way(rd_kafka_conf_t *conf, struct errmsg *msg);

#endif
