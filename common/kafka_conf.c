#include "common/kafka_conf.h"

#include "common/conf_value.h"
#include "common/kafka_properties.h"
#include "common/log.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

/* librdkafka's threads call this; it repeats itself every second while a broker is away. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	static struct log_limit limits[16];
	enum log_level ours = level <= 3   ? LOG_ERROR
			      : level == 4 ? LOG_WARN
			      : level <= 6 ? LOG_INFO
					   : LOG_DEBUG;
	unsigned hash = 0;

	(void)rk;
	if (!log_enabled(ours))
		return;
	for (const char *c = facility; *c; c++)
		hash = hash * 31 + (unsigned char)*c;
	const struct log_field fields[] = {
		LOG_F("facility", LOG_STR(facility)), LOG_F("text", LOG_STR(text))};
	if (ours == LOG_DEBUG) /* somebody asked for it with kafka.debug: all of it */
		log_fields(ours, "librdkafka", fields, 2);
	else
		log_fields_limited(&limits[hash % 16], ours, "librdkafka", fields, 2);
}

static const char *option_text(const struct conf *conf, const char *name, const char **origin)
{
	for (size_t i = 0; i < conf->program->count; i++) {
		const struct conf_option *option = &conf->program->options[i];

		if (strcmp(option->name, name) != 0)
			continue;
		*origin = conf->origins[i];
		return *(char *const *)((const char *)conf + option->offset);
	}
	*origin = "default";
	return NULL;
}

static int set_brokers(
	rd_kafka_conf_t *out, const char *brokers, const char *origin, struct errmsg *msg)
{
	char why[256];

	if (rd_kafka_conf_set(out, "bootstrap.servers", brokers, why, sizeof(why)) !=
		RD_KAFKA_CONF_OK)
		return errmsg_set(msg, ERR_CONFIG, "option kafka.brokers=%s (%s): %s", brokers,
			origin, why);
	return 0;
}

static int set_file(rd_kafka_conf_t *out, const char *path, struct errmsg *msg)
{
	struct kafka_properties result = {0};
	int err = kafka_properties_load(out, path, &result, msg);
	char *list = mem_strdup("");

	for (size_t i = 0; err == 0 && i < result.ignored.count; i++) {
		char *longer =
			mem_printf("%s%s%s", list, *list ? "," : "", result.ignored.items[i]);

		free(list);
		list = longer;
	}
	if (*list)
		log_event(LOG_WARN, "kafka_config_ignored", LOG_F("file", LOG_STR(path)),
			LOG_F("keys", LOG_STR(list)));
	free(list);
	kafka_properties_release(&result);
	return err;
}

static int set_pairs(rd_kafka_conf_t *out, const struct conf *conf, struct errmsg *msg)
{
	for (size_t i = 0; i < conf->kafka.count; i++) {
		const char *pair = conf->kafka.items[i];
		const char *equals = strchr(pair, '=');
		char *key = mem_strndup(pair, (size_t)(equals - pair));
		char why[256];
		int err = 0;

		if (rd_kafka_conf_set(out, key, equals + 1, why, sizeof(why)) !=
			RD_KAFKA_CONF_OK)
			err = errmsg_set(msg, ERR_CONFIG, "option kafka.%s (%s): %s", key,
				conf->kafka_origins.items[i], why);
		free(key);
		if (err != 0)
			return err;
	}
	return 0;
}

int kafka_conf_new(rd_kafka_conf_t **out, const struct conf *conf, const char *client_id,
	struct errmsg *msg)
{
	rd_kafka_conf_t *made = rd_kafka_conf_new();
	const char *brokers_origin, *file_origin;
	const char *brokers = option_text(conf, "kafka.brokers", &brokers_origin);
	const char *file = option_text(conf, "kafka.config", &file_origin);
	bool chosen = strcmp(brokers_origin, "default") != 0;
	int err = 0;

	rd_kafka_conf_set_log_cb(made, on_log);
	rd_kafka_conf_set(made, "client.id", client_id, NULL, 0);
	rd_kafka_conf_set(made, "log.thread.name", "true", NULL, 0);
	if (brokers)
		err = set_brokers(made, brokers, brokers_origin, msg);
	if (err == 0 && file)
		err = set_file(made, file, msg);
	if (err == 0 && brokers && chosen)
		err = set_brokers(made, brokers, brokers_origin, msg);
	if (err == 0)
		err = set_pairs(made, conf, msg);
	if (err != 0) {
		rd_kafka_conf_destroy(made);
		return err;
	}
	*out = made;
	return 0;
}

/* By whatever name: librdkafka has two for some. */
static bool is_changed(const rd_kafka_conf_t *out, const char *key)
{
	rd_kafka_conf_t *fresh = rd_kafka_conf_new();
	char was[256] = "", now[256] = "";
	size_t was_bytes = sizeof(was), now_bytes = sizeof(now);
	bool changed;

	/* A topic's properties are there only since the first of them was set. */
	rd_kafka_conf_set_default_topic_conf(fresh, rd_kafka_topic_conf_new());
	rd_kafka_conf_get(fresh, key, was, &was_bytes);
	changed = rd_kafka_conf_get(out, key, now, &now_bytes) == RD_KAFKA_CONF_OK &&
		  strcmp(was, now) != 0;
	rd_kafka_conf_destroy(fresh);
	return changed;
}

/* Where the user set a property, and by which of its names. */
struct choice {
	char *name, *origin;
};

static void choice_release(struct choice *choice)
{
	free(choice->name);
	free(choice->origin);
}

/* Does "NAME=VALUE" say something of librdkafka's `key`? */
static bool pair_sets(const char *pair, const char *key)
{
	const char *equals = strchr(pair, '=');
	char *name = mem_strndup(pair, (size_t)(equals - pair));
	bool sets = strcmp(name, key) == 0;

	if (!sets) {
		rd_kafka_conf_t *scratch = rd_kafka_conf_new();
		char why[256];

		rd_kafka_conf_set(scratch, name, equals + 1, why, sizeof(why));
		sets = is_changed(scratch, key);
		rd_kafka_conf_destroy(scratch);
	}
	free(name);
	return sets;
}

static bool file_sets(const char *path, const char *key)
{
	struct kafka_properties result = {0};
	rd_kafka_conf_t *scratch = rd_kafka_conf_new();
	struct errmsg ignored;
	bool sets;

	kafka_properties_load(scratch, path, &result, &ignored);
	sets = is_changed(scratch, key);
	for (size_t i = 0; i < result.keys.count; i++)
		sets = sets || strcmp(result.keys.items[i], key) == 0;
	rd_kafka_conf_destroy(scratch);
	kafka_properties_release(&result);
	return sets;
}

/* False: nowhere. */
static bool find_choice(struct choice *choice, const struct conf *conf, const char *key)
{
	const char *origin, *path = option_text(conf, "kafka.config", &origin);

	*choice = (struct choice){NULL, NULL};
	for (size_t i = conf->kafka.count; i-- > 0;) {
		const char *pair = conf->kafka.items[i];

		if (!pair_sets(pair, key))
			continue;
		choice->name = mem_strndup(pair, (size_t)(strchr(pair, '=') - pair));
		choice->origin = mem_strdup(conf->kafka_origins.items[i]);
		return true;
	}
	if (!path || !file_sets(path, key))
		return false;
	choice->name = mem_strdup(key);
	choice->origin = mem_strdup(path);
	return true;
}

static int set_own(rd_kafka_conf_t *out, const char *key, const char *value, struct errmsg *msg)
{
	char why[256];

	if (rd_kafka_conf_set(out, key, value, why, sizeof(why)) != RD_KAFKA_CONF_OK)
		return errmsg_set(
			msg, ERR_CONFIG, "kafka.%s=%s: %s", key, value ? value : "", why);
	return 0;
}

int kafka_conf_default(rd_kafka_conf_t *out, const struct conf *conf, const char *key,
	const char *value, struct errmsg *msg)
{
	struct choice choice;
	bool chosen = find_choice(&choice, conf, key);
	int err = chosen ? 0 : set_own(out, key, value, msg);

	choice_release(&choice);
	return err;
}

int kafka_conf_require(rd_kafka_conf_t *out, const struct conf *conf, const char *key,
	const char *value, const char *why, struct errmsg *msg)
{
	struct choice choice;
	bool chosen = find_choice(&choice, conf, key);
	char was[256] = "", now[256] = ""; /* as librdkafka writes them: acks=all is -1 */
	size_t was_bytes = sizeof(was), now_bytes = sizeof(now);
	int err;

	rd_kafka_conf_get(out, key, was, &was_bytes);
	err = set_own(out, key, value, msg);
	rd_kafka_conf_get(out, key, now, &now_bytes);
	if (err == 0 && chosen && strcmp(was, now) != 0)
		err = errmsg_set(msg, ERR_CONFIG, "kafka.%s=%s (%s) must %s%s here: %s",
			choice.name, was, choice.origin, value ? "be " : "not be set",
			value ? value : "", why);
	choice_release(&choice);
	return err;
}

char *kafka_conf_brokers_text(const struct conf *conf)
{
	const char *origin;
	const char *brokers = option_text(conf, "kafka.brokers", &origin);

	return mem_printf("kafka.brokers=%s (%s)", brokers ? brokers : "", origin);
}
