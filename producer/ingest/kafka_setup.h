/* kafka_setup: the kafka sink's options as a librdkafka configuration. Before the lanes start. */
#ifndef PRODUCER_INGEST_KAFKA_SETUP_H
#define PRODUCER_INGEST_KAFKA_SETUP_H

#include "producer/ingest/sink.h"

#include <librdkafka/rdkafka.h>

/* On success *out is the caller's. ERR_CONFIG names the option. */
int kafka_setup_conf(rd_kafka_conf_t **out, const struct sink *sink, struct errmsg *msg);

#endif
