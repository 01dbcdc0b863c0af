#include "consumer/verbs/settings.h"

#include "common/dead_letter.h"
#include "common/http_address.h"
#include "common/kafka_conf.h"
#include "common/kafka_topic.h"
#include "common/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A password file is read into the option itself: one place to look, released with the options. */
static int read_password(
	char **password, const char *file, const char *option, struct errmsg *msg)
{
	char *secret;
	int err;

	if (!file)
		return 0;
	err = conf_read_secret_file(file, &secret, msg);
	if (err != 0) {
		errmsg_wrap(msg, "option %s", option);
		return err;
	}
	free(*password);
	*password = secret;
	return 0;
}

static void name_process(struct settings *settings)
{
	char host[256] = "unknown";

	gethostname(host, sizeof(host) - 1);
	snprintf(settings->updated_by, sizeof(settings->updated_by), "%s:%d", host,
		(int)getpid());
}

static void fill_mysql(struct settings *settings, const struct consumer_options *o)
{
	settings->mysql = (struct mysql_config){.host = o->mysql_host,
		.port = (int)o->mysql_port,
		.user = o->mysql_user,
		.password = o->mysql_password,
		.database = o->mysql_database,
		.tls = (enum mysql_tls)o->mysql_tls,
		.tls_ca = o->mysql_tls_ca,
		.connect_timeout_ms = (int)o->mysql_connect_timeout,
		.io_timeout_ms = (int)o->mysql_io_timeout,
		.shapes_only = !o->mysql_arrays,
		.group = o->group,
		.updated_by = settings->updated_by,
		.mapping = &settings->mapping};
}

static void fill_redis(struct settings *settings, const struct consumer_options *o)
{
	settings->redis = (struct redis_config){.host = o->redis_host,
		.port = (int)o->redis_port,
		.user = o->redis_user,
		.password = o->redis_password,
		.database = (int)o->redis_database,
		.tls = o->redis_tls,
		.tls_ca = o->redis_tls_ca,
		.connect_timeout_ms = (int)o->redis_connect_timeout,
		.io_timeout_ms = (int)o->redis_io_timeout,
		.scripts_only = !o->redis_transactions,
		.group = o->group};
}

/* A letter that is read as a record would be dead again, for ever. */
static int check_letters(
	const struct settings *settings, const char *letters, struct errmsg *msg)
{
	int err = kafka_topic_name_check(letters, "deadletter.topic",
		conf_origin(&settings->options->conf, "deadletter.topic"), msg);

	if (err == 0 && mapping_route(&settings->mapping, letters))
		err = errmsg_set(msg, ERR_CONFIG,
			"option deadletter.topic: %s is itself a topic of the mapping",
			letters);
	return err;
}

static int check_topics(const struct settings *settings, struct errmsg *msg)
{
	const struct consumer_options *o = settings->options;
	const struct mapping *mapping = &settings->mapping;
	int err = 0;

	for (int i = 0; err == 0 && i < mapping->route_count; i++) {
		const char *topic = mapping->routes[i].topic;
		char *letters = dead_letter_topic(o->deadletter_topic, topic);

		err = kafka_topic_name_check(topic, o->mapping ? "mapping" : "topic",
			o->mapping ? o->mapping : conf_origin(&o->conf, "topic"), msg);
		if (err == 0)
			err = check_letters(settings, letters, msg);
		free(letters);
	}
	return err;
}

static int check_listen(const struct consumer_options *o, struct errmsg *msg)
{
	struct sockaddr_storage address;
	int err = http_address_parse(o->status_listen, &address, msg);

	if (err != 0)
		errmsg_wrap(msg, "option status.listen (%s)",
			conf_origin(&o->conf, "status.listen"));
	return err;
}

/* The libraries' words for a file that is not there do not name it. */
static int check_ca(const struct consumer_options *o, struct errmsg *msg)
{
	const char *const files[][2] = {
		{"mysql.tls-ca", o->mysql_tls_ca}, {"redis.tls-ca", o->redis_tls_ca}};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i][1] && access(files[i][1], R_OK) != 0)
			return errmsg_set(msg, ERR_CONFIG, "option %s (%s): %s: %s",
				files[i][0], conf_origin(&o->conf, files[i][0]), files[i][1],
				strerror(errno));
	}
	return 0;
}

int settings_init(
	struct settings *settings, struct consumer_options *options, struct errmsg *msg)
{
	int err;

	*settings = (struct settings){.options = options};
	name_process(settings);
	err = read_password(&options->mysql_password, options->mysql_password_file,
		"mysql.password-file", msg);
	if (err == 0)
		err = read_password(&options->redis_password, options->redis_password_file,
			"redis.password-file", msg);
	if (err == 0)
		err = check_ca(options, msg);
	if (err != 0)
		return err;
	if (options->mapping) {
		err = mapping_init_file(&settings->mapping, options->mapping, msg);
		if (err != 0) {
			errmsg_wrap(msg, "option mapping");
			return err;
		}
	} else {
		mapping_init_users(&settings->mapping, options->topic);
	}
	for (int i = 0; i < settings->mapping.route_count; i++)
		settings->mapping.routes[i].key_mismatch =
			(enum key_mismatch)options->key_mismatch;
	err = check_topics(settings, msg);
	if (err == 0 && options->status_listen && strcmp(options->status_listen, "off") != 0)
		err = check_listen(options, msg);
	if (err != 0) {
		mapping_release(&settings->mapping);
		return err;
	}
	fill_mysql(settings, options);
	fill_redis(settings, options);
	return 0;
}

void settings_release(struct settings *settings)
{
	mapping_release(&settings->mapping);
}

int settings_kafka(const struct settings *settings, const char *client_id,
	rd_kafka_conf_t **conf, struct errmsg *msg)
{
	return kafka_conf_new(conf, &settings->options->conf, client_id, msg);
}

/* A person who reads this wants to know which options to look at. */
static void name_options(struct errmsg *msg, bool there)
{
	const char *store = strncmp(msg->text, "mysql ", 6) == 0   ? "mysql"
			    : strncmp(msg->text, "redis ", 6) == 0 ? "redis"
								   : NULL;
	bool tls = strstr(msg->text, "TLS") || strstr(msg->text, "certificate");
	struct errmsg said = *msg;

	if (!store)
		return;
	errmsg_set(msg, 0, "options %s.host, .port%s%s: %s", store,
		there ? ", .user, .password-file, .database" : "", tls ? ", .tls, .tls-ca" : "",
		said.text);
}

int settings_store_error(
	const struct store_error *error, enum verdict verdict, struct errmsg *msg)
{
	*msg = error->msg;
	name_options(msg, verdict == VERDICT_FATAL);
	switch (verdict) {
	case VERDICT_DONE:
		return 0;
	case VERDICT_RETRY:
	case VERDICT_RECONNECT:
	case VERDICT_MOVED:
		return ERR_UNAVAILABLE;
	case VERDICT_FATAL:
		return strcmp(error->class, "schema") == 0 ? ERR_CONFIG : ERR_REFUSED;
	case VERDICT_POISON:
		break;
	}
	return ERR_BUG;
}
