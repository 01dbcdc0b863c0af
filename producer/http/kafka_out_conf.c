/* How librdkafka is set for kafka_out. */
#include "producer/http/kafka_out_private.h"

#include "common/kafka_conf.h"
#include "producer/http/sender.h"

#include <stdio.h>

int kafka_out_conf(const struct kafka_out_config *c, rd_kafka_conf_t **conf, struct errmsg *msg)
{
	static const char *const why = "an answer promises that the brokers hold the record";
	char text[32];
	int err = kafka_conf_new(conf, c->conf, "wt-producer", msg);

	if (err != 0)
		return err;
	rd_kafka_conf_set_events(*conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
	err = kafka_conf_require(*conf, c->conf, "acks", "all", why, msg);
	if (err == 0)
		err = kafka_conf_require(
			*conf, c->conf, "enable.idempotence", "true", why, msg);
	if (err == 0)
		err = kafka_conf_require(*conf, c->conf, "delivery.report.only.error", "false",
			"an answer waits for the report of its record", msg);
	if (err == 0)
		err = kafka_conf_require(*conf, c->conf, "transactional.id", NULL,
			"records go to the brokers one by one, in no transaction", msg);
	if (err == 0)
		err = kafka_conf_default(*conf, c->conf, "linger.ms", "0", msg);
	if (err == 0)
		err = kafka_conf_default(*conf, c->conf, "socket.nagle.disable", "true", msg);
	/* Admission bounds what is in flight; librdkafka's own limit must not be met first. */
	snprintf(text, sizeof(text), "%zu", c->max_records + 1000);
	if (err == 0)
		err = kafka_conf_default(
			*conf, c->conf, "queue.buffering.max.messages", text, msg);
	snprintf(text, sizeof(text), "%lld", (long long)c->delivery_timeout_ms);
	if (err == 0)
		err = kafka_conf_default(*conf, c->conf, "message.timeout.ms", text, msg);
	if (err == 0 && c->sender_gives_way)
		err = sender_gives_way(*conf, msg);
	if (err != 0)
		rd_kafka_conf_destroy(*conf);
	return err;
}
