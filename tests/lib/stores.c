#include "tests/lib/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/lib/users.h"

struct mysql_config test_mysql_config(const struct test_server *server)
{
	return (struct mysql_config){.host = server->host,
		.port = server->port,
		.user = "root",
		.database = "wt",
		.connect_timeout_ms = 3000,
		.io_timeout_ms = 3000,
		.group = "g",
		.updated_by = "test:1",
		.mapping = users_mapping()};
}

struct redis_config test_redis_config(const struct test_server *server)
{
	return (struct redis_config){.host = server->host,
		.port = server->port,
		.connect_timeout_ms = 2000,
		.io_timeout_ms = 2000,
		.group = "g"};
}

redisContext *test_redis_plain(const struct test_server *server)
{
	redisContext *redis = redisConnect(server->host, server->port);

	assert_non_null(redis);
	assert_int_equal(redis->err, 0);
	return redis;
}

enum verdict test_redis_apply(
	struct redis_store *store, const struct batch *batch, struct store_error *error)
{
	enum verdict v = redis_store_send(store, batch, error);

	return v == VERDICT_DONE ? redis_store_answer(store, batch, error) : v;
}

const char *test_redis_ask(redisContext *redis, const char *format, ...)
{
	static char text[4096];
	redisReply *reply;
	va_list args;

	va_start(args, format);
	reply = redisvCommand(redis, format, args);
	va_end(args);
	assert_non_null(reply);
	if (reply->type == REDIS_REPLY_INTEGER)
		snprintf(text, sizeof(text), "%lld", reply->integer);
	else
		snprintf(text, sizeof(text), "%s", reply->str ? reply->str : "(nil)");
	freeReplyObject(reply);
	return text;
}

void test_verdict(enum verdict got, enum verdict expected, const struct store_error *error,
	const char *what, int line)
{
	if (got != expected)
		fail_msg("line %d: %s is %s, not %s: %s", line, what, verdict_name(got),
			verdict_name(expected), got == VERDICT_DONE ? "" : error->msg.text);
}
