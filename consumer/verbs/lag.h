/*
 * lag: the verb `wt-consumer lag`, how far any group is behind on any topic, from the brokers. It
 * joins no group and writes nothing. Main thread; with `watch` it returns at SIGINT or SIGTERM.
 */
#ifndef CONSUMER_VERBS_LAG_H
#define CONSUMER_VERBS_LAG_H

#include "common/err.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct lag_verb {
	const char *group;
	const char *topic; /* NULL or "": every topic the group has committed on */
	bool json; /* one object a line, unknown is null */
	bool watch; /* again every period */
	int64_t period_ms; /* of the watching; 0: 1000 */
};

/*
 * Prints to `out`; `kafka` is owned by the callee in every case. ERR_UNAVAILABLE when no broker
 * answers, ERR_CONFIG when there is no such topic, or no such group (the
 * figures are printed all the same; with `watch` it may come). 0 says that the figures are there, not that they
 * are good.
 */
int lag_verb(
	const struct lag_verb *verb, rd_kafka_conf_t *kafka, FILE *out, struct errmsg *msg);

#endif
