/* fetch_limits: how far ahead of the workers each partition's records are fetched. */
#ifndef CONSUMER_VERBS_FETCH_LIMITS_H
#define CONSUMER_VERBS_FETCH_LIMITS_H

#include "consumer/verbs/options.h"

#include <librdkafka/rdkafka.h>

/* Bytes by fetch.bytes, records so that small ones cost no more than it; kafka.* may say else. */
int fetch_limits(
	const struct consumer_options *options, rd_kafka_conf_t *conf, struct errmsg *msg);

#endif
