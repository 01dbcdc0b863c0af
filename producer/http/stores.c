/* The producer's connections to Redis and MySQL: for reading by id and for Prefer: wait. */
#include "producer/http/answer.h"

#include "common/log.h"
#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The password from its file, else from the option; caller frees. NULL: none. */
static int read_password(char **password, const char *file, const char *text,
	const char *option, struct errmsg *msg)
{
	int err = 0;

	*password = NULL;
	if (file)
		err = conf_read_secret_file(file, password, msg);
	else if (text)
		*password = mem_strdup(text);
	if (err != 0)
		errmsg_wrap(msg, "option %s", option);
	return err;
}

/* "user:{id}" -> what stands before the id, and behind it. The id by its field's name. */
static int read_key(struct service *service, struct errmsg *msg)
{
	const char *key = service->options->redis_key;
	char mark[KEY_NAME_BYTES + 3];
	const char *at;

	snprintf(mark, sizeof(mark), "{%s}", service->form.key);
	at = strstr(key, mark);
	if (!at || strlen(key) > REDIS_KEY_MAX)
		return errmsg_set(msg, ERR_CONFIG,
			"option redis.key=%s: it must contain %s, as user:{id} does of id, and "
			"be at most %d bytes long",
			key, mark, REDIS_KEY_MAX);
	if (memchr(key, '{', (size_t)(at - key)) || strchr(at + 1, '{'))
		return errmsg_set(msg, ERR_CONFIG,
			"option redis.key=%s: of a record only its id is known here, so %s "
			"must be "
			"the only field in it, once",
			key, mark);
	service->key_before = key;
	service->key_before_length = (size_t)(at - key);
	service->key_after = at + strlen(mark);
	service->key_after_length = strlen(service->key_after);
	return 0;
}

static int open_redis(struct service *service, struct errmsg *msg)
{
	const struct producer_options *o = service->options;
	struct redis_link_config config = {
		.host = o->redis_host,
		.port = (int)o->redis_port,
		.user = o->redis_user,
		.database = (int)o->redis_database,
		.connect_timeout_ms = o->redis_connect_timeout,
		.io_timeout_ms = o->redis_io_timeout,
	};
	int err = read_key(service, msg);

	if (err == 0)
		err = read_password(&service->redis_password, o->redis_password_file,
			o->redis_password, "redis.password-file", msg);
	if (err != 0)
		return err;
	config.password = service->redis_password;
	service->redis = redis_link_open(service->loop, &config);
	service->fences = fence_wait_open(
		service->loop, service->redis, o->group, o->topic, answer_applied, service);
	return 0;
}

static int open_mysql(struct service *service, struct errmsg *msg)
{
	const struct producer_options *o = service->options;
	struct mysql_reader_config config = {
		.host = o->mysql_host,
		.port = (int)o->mysql_port,
		.user = o->mysql_user,
		.database = o->mysql_database,
		.table = o->mysql_table,
		.tls = (enum mysql_reader_tls)o->mysql_tls,
		.tls_ca = o->mysql_tls_ca,
		.connect_timeout_ms = (int)o->mysql_connect_timeout,
		.io_timeout_ms = (int)o->mysql_io_timeout,
		.connections = (int)o->mysql_connections,
		.queue = (size_t)o->mysql_queue,
		.on_row = service_on_row,
	};
	int err = read_password(&service->mysql_password, o->mysql_password_file,
		o->mysql_password, "mysql.password-file", msg);

	if (err != 0)
		return err;
	config.password = service->mysql_password;
	err = mysql_reader_open(&service->reader, service->loop, &config, msg);
	if (err != 0)
		errmsg_wrap(msg, "option mysql.table");
	return err;
}

int service_open_stores(struct service *service, struct errmsg *msg)
{
	int err = 0;

	if (service->options->redis_host)
		err = open_redis(service, msg);
	if (err == 0 && service->options->mysql_host && service->form.object)
		log_event(LOG_WARN, "mysql_not_asked",
			LOG_F("reason", LOG_STR("GET reads the cache alone with "
						"http.record=object")));
	else if (err == 0 && service->options->mysql_host)
		err = open_mysql(service, msg);
	return err;
}

void service_close_stores(struct service *service)
{
	fence_wait_close(service->fences);
	/* What Redis does not answer any more asks the reader, which refuses. */
	mysql_reader_close(service->reader);
	redis_link_close(service->redis);
}

void service_release_stores(struct service *service)
{
	free(service->redis_password);
	free(service->mysql_password);
}
