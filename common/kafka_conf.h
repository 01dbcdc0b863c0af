/*
 * kafka_conf: a program's options -> rd_kafka_conf_t. Order, last wins: --kafka.brokers when it is
 * only the default < --kafka.config FILE (a Kafka client.properties; Java names for SASL and TLS are
 * translated, keys that only make sense in a JVM are listed in one warning) < --kafka.brokers when
 * somebody set it < kafka.KEY=VALUE pairs.
 *
 * librdkafka's own log lines go through log_event("librdkafka") with a rate limit.
 * Any thread, after conf_load().
 */
#ifndef COMMON_KAFKA_CONF_H
#define COMMON_KAFKA_CONF_H

#include "common/conf.h"

#include <librdkafka/rdkafka.h>

/*
 * `conf` is the head of an option struct with the rows of common/options.def. On success *out is
 * the caller's (rd_kafka_new() takes it, or rd_kafka_conf_destroy()). ERR_CONFIG names the key and
 * where it came from.
 */
int kafka_conf_new(rd_kafka_conf_t **out, const struct conf *conf, const char *client_id,
	struct errmsg *msg);

/* A default of the program's own: set unless the user chose a value for `key`. ERR_CONFIG. */
int kafka_conf_default(rd_kafka_conf_t *out, const struct conf *conf, const char *key,
	const char *value, struct errmsg *msg);

/*
 * The same for what the program cannot do without (acks=all, ...): a different choice of the user,
 * by whatever name of the property, is an ERR_CONFIG that says why. NULL: it must not be set.
 */
int kafka_conf_require(rd_kafka_conf_t *out, const struct conf *conf, const char *key,
	const char *value, const char *why, struct errmsg *msg);

/* The brokers in effect, for messages ("kafka.brokers=... (default)"). Caller frees with free(). */
char *kafka_conf_brokers_text(const struct conf *conf);

#endif
