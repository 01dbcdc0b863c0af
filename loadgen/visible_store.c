#include "loadgen/visible_store.h"

#include "common/mem.h"

#include <hiredis/hiredis.h>
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define TIMEOUT_S 5

void visible_thread_begin(void)
{
	mysql_thread_init();
}

void visible_thread_end(void)
{
	mysql_thread_end();
}

/* --- MySQL --- */

static void mark(struct visible_sample *samples, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(samples[i].key, key) == 0)
			samples[i].found = true;
	}
}

static int mysql_look(
	void *connection, struct visible_sample *samples, size_t count, struct errmsg *msg)
{
	char *text = NULL, escaped[2 * VISIBLE_KEY_BYTES + 1];
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	MYSQL_RES *result = NULL;
	MYSQL_ROW row;
	int err = 0;

	fputs("SELECT id FROM users WHERE id IN (", out);
	for (size_t i = 0; i < count; i++) {
		mysql_real_escape_string(connection, escaped, samples[i].key,
			(unsigned long)strlen(samples[i].key));
		fprintf(out, "%s'%s'", i ? "," : "", escaped);
	}
	fputc(')', out);
	fclose(out);
	if (mysql_real_query(connection, text, (unsigned long)bytes) == 0)
		result = mysql_store_result(connection);
	if (!result)
		err = errmsg_set(msg, ERR_UNAVAILABLE, "mysql: %s", mysql_error(connection));
	while (result && (row = mysql_fetch_row(result)) != NULL)
		mark(samples, count, row[0]);
	mysql_free_result(result);
	free(text);
	return err;
}

static void mysql_link_close(void *connection)
{
	mysql_close(connection);
}

int visible_link_mysql(
	struct visible_link *link, const struct visible_config *config, struct errmsg *msg)
{
	MYSQL *mysql = mysql_init(NULL);
	unsigned timeout = TIMEOUT_S;
	int err = 0;

	mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
	mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &timeout);
	*link = (struct visible_link){mysql, mysql_look, mysql_link_close};
	if (!mysql_real_connect(mysql, config->mysql_host, config->mysql_user,
		    config->mysql_password ? config->mysql_password : "",
		    config->mysql_database, (unsigned)config->mysql_port, NULL, 0) ||
		/* each look must see what was committed before it */
		mysql_query(mysql, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"))
		err = errmsg_set(msg, ERR_UNAVAILABLE, "mysql %s:%d: %s", config->mysql_host,
			config->mysql_port, mysql_error(mysql));
	return err;
}

/* --- Redis --- */

static int redis_look(
	void *connection, struct visible_sample *samples, size_t count, struct errmsg *msg)
{
	redisContext *redis = connection;
	bool error = false;

	for (size_t i = 0; i < count; i++)
		redisAppendCommand(redis, "EXISTS user:%s", samples[i].key);
	for (size_t i = 0; i < count; i++) {
		redisReply *reply = NULL;

		if (redisGetReply(redis, (void **)&reply) != REDIS_OK)
			return errmsg_set(msg, ERR_UNAVAILABLE, "redis: %s", redis->errstr);
		if (reply->type == REDIS_REPLY_ERROR && !error) {
			error = true;
			errmsg_set(msg, ERR_UNAVAILABLE, "redis: %s", reply->str);
		}
		samples[i].found = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
		freeReplyObject(reply);
	}
	return error ? ERR_UNAVAILABLE : 0;
}

static void redis_link_close(void *connection)
{
	if (connection)
		redisFree(connection);
}

static int redis_say(redisContext *redis, redisReply *reply, struct errmsg *msg)
{
	int err = 0;

	if (!reply || reply->type == REDIS_REPLY_ERROR)
		err = errmsg_set(
			msg, ERR_UNAVAILABLE, "%s", reply ? reply->str : redis->errstr);
	if (reply)
		freeReplyObject(reply);
	return err;
}

int visible_link_redis(
	struct visible_link *link, const struct visible_config *config, struct errmsg *msg)
{
	struct timeval timeout = {TIMEOUT_S, 0};
	redisContext *redis =
		redisConnectWithTimeout(config->redis_host, config->redis_port, timeout);
	int err = 0;

	*link = (struct visible_link){redis, redis_look, redis_link_close};
	if (!redis || redis->err)
		return errmsg_set(msg, ERR_UNAVAILABLE, "redis %s:%d: %s", config->redis_host,
			config->redis_port, redis ? redis->errstr : "out of memory");
	redisSetTimeout(redis, timeout);
	if (config->redis_password)
		err = redis_say(
			redis, redisCommand(redis, "AUTH %s", config->redis_password), msg);
	if (err == 0)
		err = redis_say(
			redis, redisCommand(redis, "SELECT %d", config->redis_database), msg);
	if (err != 0)
		errmsg_wrap(msg, "redis %s:%d", config->redis_host, config->redis_port);
	return err;
}
