#include "producer/ingest/kafka_setup.h"

#include "common/kafka_conf.h"
#include "producer/ingest/codec.h"
#include "producer/ingest/kafka_txn.h"
#include "producer/ingest/source.h"

#include <stdio.h>

int kafka_setup_conf(rd_kafka_conf_t **out, const struct sink *sink, struct errmsg *msg)
{
	const struct ingest_options *o = sink->options;
	const struct conf *conf = &o->conf;
	char codec[16];
	char linger[32];
	rd_kafka_conf_t *c;
	int err = kafka_conf_new(&c, conf, "wt-ingest", msg);

	if (err != 0)
		return err;
	err = codec_word(
		codec, o->compression, "kafka", "none|gzip|snappy|lz4|zstd", "none", msg);
	snprintf(linger, sizeof(linger), "%lld", (long long)o->linger_ms);
	if (err == 0)
		err = kafka_conf_require(c, conf, "enable.idempotence", "true",
			"a retry must not write a record twice", msg);
	if (err == 0)
		err = kafka_conf_require(
			c, conf, "acks", "all", "acknowledged must mean held by all", msg);
	if (err == 0)
		err = kafka_conf_default(c, conf, "compression.codec", codec, msg);
	if (err == 0)
		err = kafka_conf_default(c, conf, "linger.ms", linger, msg);
	/* more of them are read from memory when their answer comes, not from the core's cache */
	if (err == 0)
		err = kafka_conf_default(c, conf, "queue.buffering.max.messages", "40000", msg);
	/* what a broker takes by default, less a little; librdkafka counts its own overhead in */
	if (err == 0)
		err = kafka_conf_default(c, conf, "message.max.bytes", "1048576", msg);
	if (err == 0)
		err = kafka_conf_default(c, conf, "queue.buffering.max.kbytes", "65536", msg);
	if (err == 0 && o->transactional)
		err = kafka_txn_configure(c, o, sink->target, msg);
	if (err != 0) {
		rd_kafka_conf_destroy(c);
		return err;
	}
	*out = c;
	return 0;
}
