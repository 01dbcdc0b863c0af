/*
 * kafka_properties: a Kafka client.properties -> librdkafka's keys. Part of kafka_conf. Understands
 * Java's line rules (comments, ':' or '=' or a blank, a backslash that continues the line).
 */
#ifndef COMMON_KAFKA_PROPERTIES_H
#define COMMON_KAFKA_PROPERTIES_H

#include "common/conf.h"

#include <librdkafka/rdkafka.h>

/* What became of a file: the keys set, "key=origin" each, and the keys ignored. */
struct kafka_properties {
	struct conf_list keys; /* librdkafka's names, in order; caller releases */
	struct conf_list ignored;
};

/* Sets everything in `path` on `out`. ERR_CONFIG names key, file and line. */
int kafka_properties_load(rd_kafka_conf_t *out, const char *path,
	struct kafka_properties *result, struct errmsg *msg);
void kafka_properties_release(struct kafka_properties *result);

/* username="..." and the like out of a sasl.jaas.config; NULL when absent. free() it. */
char *kafka_jaas_option(const char *jaas, const char *name);

#endif
