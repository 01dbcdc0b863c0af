/* redis_connect: the life of the connection; see redis_store.h. */
#include "consumer/pipeline/redis_internal.h"

#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifdef WT_REDIS_TLS
#include <hiredis/hiredis_ssl.h>
#endif

struct redis_store *redis_store_new(const struct redis_config *config)
{
	struct redis_store *store = mem_zero(1, sizeof(*store));

	store->config = config;
	store->fd = -1;
	store->key_digits = store->value_digits = 2;
	pthread_mutex_init(&store->mu, NULL);
	return store;
}

static void disconnect(struct redis_store *store)
{
	pthread_mutex_lock(&store->mu);
	store->fd = -1;
	pthread_mutex_unlock(&store->mu);
	if (store->context)
		redisFree(store->context);
	store->context = NULL;
	store->watch.route = NULL;
#ifdef WT_REDIS_TLS
	if (store->tls)
		redisFreeSSLContext(store->tls);
#endif
	store->tls = NULL;
}

void redis_store_free(struct redis_store *store)
{
	if (!store)
		return;
	disconnect(store);
	pthread_mutex_destroy(&store->mu);
	text_buffer_release(&store->head);
	text_buffer_release(&store->body);
	text_buffer_release(&store->trip);
	text_buffer_release(&store->scratch);
	free(store);
}

void redis_store_interrupt(struct redis_store *store)
{
	pthread_mutex_lock(&store->mu);
	if (store->fd >= 0)
		shutdown(store->fd, SHUT_RDWR);
	pthread_mutex_unlock(&store->mu);
}

static struct timeval timeval_ms(int ms)
{
	struct timeval tv = {1, 0};

	if (ms > 0) {
		tv.tv_sec = ms / 1000;
		tv.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	}
	return tv;
}

static enum verdict dial(struct redis_store *store, struct store_error *error)
{
	const struct redis_config *config = store->config;

	store->context = redisConnectWithTimeout(
		config->host, config->port, timeval_ms(config->connect_timeout_ms));
	if (!store->context)
		abort();
	if (store->context->err)
		return redis_lost(store, error);
	pthread_mutex_lock(&store->mu);
	store->fd = (int)store->context->fd;
	pthread_mutex_unlock(&store->mu);
	if (redisSetTimeout(store->context, timeval_ms(config->io_timeout_ms)) != REDIS_OK ||
		redisEnableKeepAlive(store->context) != REDIS_OK)
		return redis_lost(store, error);
	return VERDICT_DONE;
}

#ifdef WT_REDIS_TLS
static enum verdict tls_begin(struct redis_store *store, struct store_error *error)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	redisSSLContextError code = REDIS_SSL_CTX_NONE;
	const struct redis_config *config = store->config;

	pthread_once(&once, (void (*)(void))redisInitOpenSSL);
	store->tls = redisCreateSSLContext(config->tls_ca,
		config->tls_ca ? NULL : "/etc/ssl/certs", NULL, NULL, config->host, &code);
	if (!store->tls)
		return redis_refuse(
			error, VERDICT_FATAL, "tls", "TLS: %s", redisSSLContextGetError(code));
	if (redisInitiateSSLWithContext(store->context, store->tls) != REDIS_OK)
		return redis_lost(store, error);
	return VERDICT_DONE;
}
#else
static enum verdict tls_begin(struct redis_store *store, struct store_error *error)
{
	(void)store;
	return redis_refuse(error, VERDICT_FATAL, "tls",
		"redis.tls: this program was built without hiredis_ssl, which has TLS");
}
#endif

static enum verdict log_in(struct redis_store *store, struct store_error *error)
{
	const struct redis_config *config = store->config;
	const char *words[3] = {"AUTH", config->user, config->password};
	redisReply *reply;
	enum verdict v;

	if (!config->password)
		return VERDICT_DONE;
	if (!config->user)
		words[1] = config->password;
	v = redis_ask(store, config->user ? 3 : 2, words, &reply, error);
	if (v == VERDICT_DONE)
		freeReplyObject(reply);
	return v;
}

static enum verdict choose_database(struct redis_store *store, struct store_error *error)
{
	char number[16];
	const char *const words[2] = {"SELECT", number};
	redisReply *reply;
	enum verdict v;

	if (store->config->database == 0)
		return VERDICT_DONE;
	snprintf(number, sizeof(number), "%d", store->config->database);
	v = redis_ask(store, 2, words, &reply, error);
	if (v == VERDICT_DONE)
		freeReplyObject(reply);
	return v;
}

enum verdict redis_load_scripts(struct redis_store *store, struct store_error *error)
{
	for (int i = 0; i < SCRIPT_COUNT; i++) {
		const char *const words[3] = {"SCRIPT", "LOAD", redis_script_texts[i]};
		redisReply *reply;
		enum verdict v = redis_ask(store, 3, words, &reply, error);

		if (v != VERDICT_DONE)
			return v;
		if (reply->type != REDIS_REPLY_STRING || reply->len != REDIS_SHA_CHARS) {
			freeReplyObject(reply);
			return redis_refuse(error, VERDICT_RECONNECT, "protocol",
				"SCRIPT LOAD answered no digest");
		}
		memcpy(store->sha[i], reply->str, REDIS_SHA_CHARS + 1);
		freeReplyObject(reply);
	}
	return VERDICT_DONE;
}

enum verdict redis_store_connect(struct redis_store *store, struct store_error *error)
{
	enum verdict v;

	disconnect(store);
	v = dial(store, error);
	if (v == VERDICT_DONE && store->config->tls)
		v = tls_begin(store, error);
	if (v == VERDICT_DONE)
		v = log_in(store, error);
	if (v == VERDICT_DONE)
		v = choose_database(store, error);
	if (v == VERDICT_DONE)
		v = redis_load_scripts(store, error);
	if (v == VERDICT_DONE)
		v = redis_watch_probe(store, error);
	if (v == VERDICT_DONE)
		return v;
	errmsg_wrap(&error->msg, "redis %s:%d", store->config->host, store->config->port);
	disconnect(store);
	return v;
}

/* The value of "NAME:" in INFO's text; "" when it is not there. */
static void info_value(const char *info, const char *name, char *value, size_t bytes)
{
	char line[64];
	const char *at;
	size_t length;

	value[0] = 0;
	snprintf(line, sizeof(line), "\n%s:", name);
	at = strstr(info, line);
	if (!at)
		return;
	at += strlen(line);
	length = strcspn(at, "\r\n");
	snprintf(value, bytes, "%.*s", (int)length, at);
}

static enum verdict judge_info(
	const char *info, struct errmsg *warning, struct store_error *error)
{
	char value[64], memory[64];

	info_value(info, "cluster_enabled", value, sizeof(value));
	if (!strcmp(value, "1"))
		return redis_refuse(error, VERDICT_FATAL, "cluster",
			"this is a Redis Cluster: a batch and its fence need one server");
	info_value(info, "maxmemory", memory, sizeof(memory));
	info_value(info, "maxmemory_policy", value, sizeof(value));
	if (strcmp(memory, "0") && !strncmp(value, "allkeys-", 8))
		errmsg_set(warning, 0,
			"Redis may evict the fence (maxmemory-policy %s): each time the cache "
			"is "
			"rebuilt from MySQL; noeviction or a volatile-* policy keeps it",
			value);
	return VERDICT_DONE;
}

enum verdict redis_store_check(
	struct redis_store *store, struct errmsg *warning, struct store_error *error)
{
	static const char *const info[1] = {"INFO"};
	/* A write that changes nothing: refused where nothing can be written. */
	static const char *const write[2] = {"DEL", "writethrough:{check}"};
	redisReply *reply;
	enum verdict v;

	warning->text[0] = 0;
	v = redis_ask(store, 2, write, &reply, error);
	if (v != VERDICT_DONE)
		return v;
	freeReplyObject(reply);
	v = redis_ask(store, 1, info, &reply, error);
	if (v != VERDICT_DONE)
		return v;
	if (reply->type == REDIS_REPLY_STRING)
		v = judge_info(reply->str, warning, error);
	freeReplyObject(reply);
	return v;
}

enum verdict redis_store_is_empty(
	struct redis_store *store, bool *empty, struct store_error *error)
{
	static const char *const words[1] = {"DBSIZE"};
	redisReply *reply;
	enum verdict v = redis_ask(store, 1, words, &reply, error);

	*empty = false;
	if (v != VERDICT_DONE)
		return v == VERDICT_RECONNECT ? v : VERDICT_DONE;
	*empty = reply->type == REDIS_REPLY_INTEGER && reply->integer == 0;
	freeReplyObject(reply);
	return VERDICT_DONE;
}
