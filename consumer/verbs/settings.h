/*
 * settings: options -> what the stores and Kafka clients are made with. Shared by the verbs.
 * Everything borrows from the options, which live as long as the program.
 */
#ifndef CONSUMER_VERBS_SETTINGS_H
#define CONSUMER_VERBS_SETTINGS_H

#include "consumer/mapping.h"
#include "consumer/pipeline/mysql_store.h"
#include "consumer/pipeline/redis_store.h"
#include "consumer/verbs/options.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

struct settings {
	const struct consumer_options *options;
	struct mapping mapping;
	struct mysql_config mysql;
	struct redis_config redis;
	char updated_by[300];
};

/* Reads the mapping and the password files. */
int settings_init(
	struct settings *settings, struct consumer_options *options, struct errmsg *msg);
void settings_release(struct settings *settings);

/* A client configuration with brokers, security and kafka.* applied. Caller owns it. */
int settings_kafka(const struct settings *settings, const char *client_id,
	rd_kafka_conf_t **conf, struct errmsg *msg);

/* Fatal mistakes of a store at start -> ERR_CONFIG, ERR_UNAVAILABLE or ERR_REFUSED. */
int settings_store_error(
	const struct store_error *error, enum verdict verdict, struct errmsg *msg);

#endif
