/*
 * wt-consumer verify on real stores: what it calls a difference, what it does not, and what
 * --repair mends. needs: mariadb redis
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "consumer/pipeline/mysql_store.h"
#include "consumer/pipeline/redis_store.h"
#include "tests/lib/stores.h"
#include "tests/lib/users.h"

static struct test_server mysql_server, redis_server;
static struct mysql_config mysql_config;
static struct redis_config redis_config;
static MYSQL *root;
static redisContext *redis;
static struct mysql_store *mysql;
static struct redis_store *cache;
static struct store_error error;
static const struct route *route;

#define done(expression) is_done(expression, #expression, __LINE__)

static void is_done(enum verdict got, const char *what, int line)
{
	if (got != VERDICT_DONE)
		fail_msg(
			"line %d: %s is %s: %s", line, what, verdict_name(got), error.msg.text);
}

/* hiredis formats: %s, and %b for bytes and their length */
static void redis_do(const char *format, ...)
{
	va_list args;
	redisReply *reply;

	va_start(args, format);
	reply = redisvCommand(redis, format, args);
	va_end(args);
	assert_non_null(reply);
	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	freeReplyObject(reply);
}

/* Runs it with these options; returns the report, and its exit code in *code. */
static json_t *verify(const char *options, int *code)
{
	char self[512] = "", command[2048];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	json_error_t json_error;
	json_t *report;
	FILE *out;

	assert_true(length > 0);
	for (int i = 0; i < 3; i++)
		*strrchr(self, '/') = 0;
	snprintf(command, sizeof(command),
		"exec '%s/bin/wt-consumer' verify --json --group g --mysql.host %s "
		"--mysql.port "
		"%d "
		"--mysql.user root --mysql.database wt --redis.host %s --redis.port %d %s",
		self, mysql_server.host, mysql_server.port, redis_server.host,
		redis_server.port, options);
	out = popen(command, "r");
	assert_non_null(out);
	report = json_loadf(out, JSON_DISABLE_EOF_CHECK, &json_error);
	*code = WEXITSTATUS(pclose(out));
	return report;
}

static long figure(const json_t *report, const char *name)
{
	json_t *first = json_array_get(json_object_get(report, "routes"), 0);

	assert_non_null(first);
	return (long)json_integer_value(json_object_get(first, name));
}

/* One report: exit code, and the figures in this order. */
#define expect(options, code, missing, stale, extra, unreadable, unsettled)                    \
	expect_at(__LINE__, options, code,                                                     \
		(const long[]){missing, stale, extra, unreadable, unsettled})

static void expect_at(int line, const char *options, int code, const long *figures)
{
	static const char *const names[] = {
		"missing", "stale", "extra", "unreadable", "unsettled"};
	int got;
	json_t *report = verify(options, &got);

	if (!report)
		fail_msg("line %d: no report, exit %d", line, got);
	for (int i = 0; i < 5; i++) {
		if (figure(report, names[i]) != figures[i])
			fail_msg("line %d: %ld %s, not %ld", line, figure(report, names[i]),
				names[i], figures[i]);
	}
	if (got != code)
		fail_msg("line %d: exit %d, not %d", line, got, code);
	json_decref(report);
}

static void apply(struct users *users)
{
	done(mysql_store_execute(mysql, &users->batch, &error));
	done(mysql_store_commit(mysql, &error));
	done(test_redis_apply(cache, &users->batch, &error));
}

/* Empty stores at position 0, one partition, then `count` users. */
static void begin(int count)
{
	const struct fence none = {.exists = false}, first = {.exists = true};
	struct users *users = users_new(route, 0, count);

	test_sql(root, "DELETE FROM users; DELETE FROM writethrough_ledger; DELETE FROM "
		       "writethrough_route; INSERT INTO writethrough_route VALUES "
		       "('users','g','users',1)");
	redis_do("FLUSHALL");
	done(mysql_store_create_position(mysql, route, 0, 0, &error));
	done(redis_store_create_fence(cache, route, 0, &none, &first, &error));
	users_put_many(users, 0, count, 1);
	apply(users);
	users_free(users);
}

/* ---- what is a difference ------------------------------------------------------------------------ */

static void stores_that_agree_are_clean(void **state)
{
	json_t *report;
	int code;

	(void)state;
	begin(1500); /* more than a chunk */
	report = verify("", &code);
	assert_int_equal(code, 0);
	assert_int_equal(figure(report, "rows"), 1500);
	assert_int_equal(figure(report, "keys"), 1500);
	assert_true(json_is_true(json_object_get(report, "clean")));
	json_decref(report);
}

static void every_sort_of_difference_is_found_and_named(void **state)
{
	json_t *report, *listed;
	int code;

	(void)state;
	begin(1200);
	redis_do("DEL user:k00000");
	redis_do("DEL user:k01199");
	redis_do("SET user:k00500 %s",
		"{\"id\":\"k00500\",\"name\":\"older\",\"age\":1,\"occupation\":\"x\"}");
	redis_do("SET user:nobody {}");
	redis_do("SET user:k00700 rubbish");
	redis_do("DEL user:k00701");
	redis_do("LPUSH user:k00701 x");
	redis_do("SET other:k00701 x");
	expect("", 1, 2, 1, 1, 2, 0);
	report = verify("--verify.keys 100", &code);
	listed = json_object_get(
		json_array_get(json_object_get(report, "routes"), 0), "differences");
	assert_int_equal(json_array_size(listed), 6);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(listed, 0), "key")),
		"user:k00000");
	json_decref(report);
}

static void repair_mends_what_differs(void **state)
{
	json_t *report;
	int code;

	(void)state;
	begin(1200);
	redis_do("DEL user:k00000");
	redis_do("SET user:k00500 {}");
	redis_do("SET user:nobody {}");
	redis_do("DEL user:k00701");
	redis_do("LPUSH user:k00701 x");
	report = verify("--repair", &code);
	assert_int_equal(code, 0);
	assert_int_equal(figure(report, "repaired"), 4);
	json_decref(report);
	expect("", 0, 0, 0, 0, 0, 0);
}

static void a_row_whose_record_is_on_its_way_is_no_difference(void **state)
{
	struct users *users = users_new(route, 1200, 1210);

	(void)state;
	begin(1200);
	users_put_many(users, 100, 5, 2);
	users_put_many(users, 5000, 5, 2);
	done(mysql_store_execute(mysql, &users->batch, &error));
	done(mysql_store_commit(mysql, &error));
	expect("--verify.patience-ms 100", 75, 0, 0, 0, 0, 10);
	/* nor does a repair touch it */
	expect("--repair --verify.patience-ms 100", 75, 0, 0, 0, 0, 10);
	done(test_redis_apply(cache, &users->batch, &error));
	expect("", 0, 0, 0, 0, 0, 0);
	users_free(users);
}

static void without_a_fence_all_is_missing_and_nothing_repaired(void **state)
{
	json_t *report;
	int code;

	(void)state;
	begin(1200);
	redis_do("FLUSHALL");
	expect("", 1, 1200, 0, 0, 0, 0);
	report = verify("--repair", &code);
	assert_int_equal(code, 1);
	assert_int_equal(figure(report, "repaired"), 0);
	assert_int_equal(figure(report, "not_repaired"), 1200);
	json_decref(report);
}

static void keys_that_no_row_could_have_are_extra(void **state)
{
	(void)state;
	begin(10);
	redis_do("SET user:%b x", "\xff\xfe", (size_t)2);
	redis_do("SET user:%s x", "K00001"); /* the id compares by its bytes */
	expect("", 1, 0, 0, 2, 0, 0);
}

static void a_sample_looks_at_some_and_finds_what_is_common(void **state)
{
	json_t *report;
	int code;

	(void)state;
	begin(2000);
	report = verify("--sample 300", &code);
	assert_int_equal(code, 0);
	assert_in_range(figure(report, "rows"), 300, 400);
	json_decref(report);
	for (int i = 0; i < 2000; i += 4)
		redis_do("DEL user:k%05d", i);
	report = verify("--sample 300", &code);
	assert_int_equal(code, 1);
	assert_in_range(figure(report, "missing"), 50, 200);
	json_decref(report);
	redis_do("FLUSHALL");
	report = verify("--sample 300", &code);
	assert_int_equal(code, 1);
	assert_true(figure(report, "missing") > 0);
	json_decref(report);
}

static void another_groups_table_is_refused(void **state)
{
	int code;
	json_t *report;

	(void)state;
	begin(10);
	test_sql(root, "UPDATE writethrough_route SET group_id='other'");
	report = verify("2>&1", &code);
	assert_null(report);
	assert_int_equal(code, 77);
}

/* ---- while the pipeline runs ----------------------------------------------------------------------- */

static atomic_bool stop;
static atomic_long batches;

static void *keep_writing(void *arg)
{
	int64_t at = 1500;

	(void)arg;
	mysql_thread_init();
	for (int salt = 2; !atomic_load(&stop); salt++) {
		struct users *users = users_new(route, at, at + 40);

		users_put_many(users, salt * 37 % 1460, 40, salt);
		apply(users);
		users_free(users);
		at += 40;
		atomic_fetch_add(&batches, 1);
		usleep(500);
	}
	mysql_thread_end();
	return NULL;
}

static void a_running_pipeline_makes_no_false_alarm(void **state)
{
	pthread_t writer;
	int64_t before;

	(void)state;
	begin(1500);
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&writer, NULL, keep_writing, NULL), 0);
	for (int i = 0; i < 15; i++) {
		before = atomic_load(&batches);
		expect("", 0, 0, 0, 0, 0, 0);
		assert_true(atomic_load(&batches) > before);
	}
	/* true ones are found all the same: a key that the writer never touches */
	redis_do("SET user:k01499 {}");
	expect("", 1, 0, 1, 0, 0, 0);
	expect("--repair", 0, 0, 1, 0, 0, 0);
	expect("", 0, 0, 0, 0, 0, 0);
	atomic_store(&stop, true);
	pthread_join(writer, NULL);
}

/* ---- other shapes ---------------------------------------------------------------------------------- */

static void write_mapping(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void hashes_and_keys_of_two_columns_are_compared(void **state)
{
	char path[] = "/tmp/wt-verify-XXXXXX", options[128];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_mapping(path,
		"{\"routes\":[{\"topic\":\"seats\",\"table\":\"seats\",\"columns\":["
		"{\"field\":\"hall\",\"type\":\"string\",\"key\":true},"
		"{\"field\":\"seat\",\"type\":\"int\",\"key\":true},"
		"{\"field\":\"price\",\"type\":\"double\"},"
		"{\"field\":\"taken\",\"type\":\"bool\",\"nullable\":true}],"
		"\"cache\":{\"key\":\"seat:{hall}:{seat}\",\"format\":\"hash\"}}]}");
	snprintf(options, sizeof(options), "--mapping %s", path);
	test_sql(root,
		"DROP TABLE IF EXISTS seats; CREATE TABLE seats (hall VARCHAR(20) COLLATE "
		"utf8mb4_bin, seat INT, price DOUBLE NOT NULL, taken TINYINT(1), PRIMARY KEY "
		"(hall, seat)) DEFAULT CHARSET=utf8mb4; INSERT INTO seats VALUES "
		"('a',1,1.5,1),('a:b',2,2,NULL),('c',-3,0.1,0)");
	redis_do("FLUSHALL");
	redis_do("HSET seat:a:1 hall a seat 1 price 1.5 taken true");
	redis_do("HSET seat:a:b:2 hall a:b seat 2 price 2");
	redis_do("HSET seat:c:-3 hall c seat -3 price 0.1 taken false");
	expect(options, 0, 0, 0, 0, 0, 0);
	redis_do("HSET seat:a:b:2 taken true"); /* a field too many */
	redis_do("HDEL seat:c:-3 taken"); /* one too few */
	redis_do("HSET seat:a:01 hall a"); /* these two spell no row's key */
	redis_do("HSET seat:a:1.0 hall a");
	redis_do("HSET seat:a:7 hall a");
	redis_do("DEL seat:a:1");
	redis_do("SET seat:a:1 x");
	expect(options, 1, 0, 2, 3, 1, 0);
	unlink(path);
}

static int setup(void **state)
{
	(void)state;
	test_mysql_start(&mysql_server);
	test_redis_start(&redis_server, NULL);
	root = test_mysql_root(&mysql_server);
	redis = test_redis_plain(&redis_server);
	route = &users_mapping()->routes[0];
	mysql_config = test_mysql_config(&mysql_server);
	redis_config = test_redis_config(&redis_server);
	mysql = mysql_store_new(&mysql_config);
	cache = redis_store_new(&redis_config);
	done(mysql_store_connect(mysql, &error));
	done(redis_store_connect(cache, &error));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mysql_store_free(mysql);
	redis_store_free(cache);
	redisFree(redis);
	mysql_close(root);
	test_server_stop(&redis_server);
	test_server_stop(&mysql_server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores_that_agree_are_clean),
		cmocka_unit_test(every_sort_of_difference_is_found_and_named),
		cmocka_unit_test(repair_mends_what_differs),
		cmocka_unit_test(a_row_whose_record_is_on_its_way_is_no_difference),
		cmocka_unit_test(without_a_fence_all_is_missing_and_nothing_repaired),
		cmocka_unit_test(keys_that_no_row_could_have_are_extra),
		cmocka_unit_test(a_sample_looks_at_some_and_finds_what_is_common),
		cmocka_unit_test(another_groups_table_is_refused),
		cmocka_unit_test(a_running_pipeline_makes_no_false_alarm),
		cmocka_unit_test(hashes_and_keys_of_two_columns_are_compared),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
