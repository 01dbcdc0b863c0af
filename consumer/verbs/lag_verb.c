/* The lag verb's options; the work is in lag.c. */
#include "consumer/verbs/lag.h"
#include "consumer/verbs/settings.h"
#include "consumer/verbs/verbs.h"

#include "common/kafka_conf.h"
#include "common/kafka_topic.h"

#include <string.h>

int verb_lag(struct consumer_options *options, struct errmsg *msg)
{
	struct lag_verb verb = {.group = options->group,
		.topic = strcmp(options->topic, "*") == 0 ? NULL : options->topic,
		.json = options->json,
		.watch = options->watch};
	rd_kafka_conf_t *conf;
	int err = verb.topic ? kafka_topic_name_check(verb.topic, "topic",
				       conf_origin(&options->conf, "topic"), msg)
			     : 0;

	if (err == 0)
		err = kafka_conf_new(&conf, &options->conf, "wt-consumer-lag", msg);
	return err ? err : lag_verb(&verb, conf, stdout, msg);
}
