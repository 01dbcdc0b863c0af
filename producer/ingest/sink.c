#include "producer/ingest/sink.h"

#include "common/kafka_topic.h"
#include "common/mem.h"

#include <string.h>

static const struct {
	const char *word;
	struct sink *(*make)(void);
} kinds[] = {
	{"kafka", sink_kafka_new},
	{"json", sink_json_new},
	{"csv", sink_csv_new},
	{"avro", sink_avro_new},
	{"parquet", sink_parquet_new},
};

int sink_new(struct sink **out, const char *spec, const struct ingest_options *options,
	const struct source *source, int index, struct errmsg *msg)
{
	size_t word = strcspn(spec, ":");
	struct sink *sink;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *target = spec[word] ? spec + word + 1 : "";

		if (strlen(kinds[i].word) != word || strncmp(kinds[i].word, spec, word) != 0)
			continue;
		if (!*target && i == 0)
			target = options->topic;
		if (!*target)
			return errmsg_set(
				msg, ERR_CONFIG, "option to: '%s' names no file", spec);
		if (strcmp(kinds[i].word, "kafka") == 0) {
			int err = kafka_topic_name_check(target, "to", spec, msg);

			if (err != 0)
				return err;
		}
		sink = kinds[i].make();
		sink->name = mem_printf("%s:%s", kinds[i].word, target);
		sink->target = sink->name + word + 1;
		sink->options = options;
		sink->source = source;
		sink->index = index;
		*out = sink;
		return 0;
	}
	return errmsg_set(msg, ERR_CONFIG,
		"option to: '%s' is not kafka:TOPIC, json:FILE, csv:FILE, avro:FILE or "
		"parquet:FILE",
		spec);
}
