/*
 * both-from-memory: the ceiling. The rows of a run, ready in memory, straight into MySQL and Redis in
 * the best shape there is, without Kafka, JSON, ledger or fence: per partition one thread with its own
 * connections, per batch one statement in its own durable transaction and one MSET.
 *
 *	both_from_memory --records=N --keys=N --batch=1000 [--window=N] [--threads=6] [--redis=0]
 *		[--array=1] [--hot=PERCENT] [--value-bytes=N]
 *
 * The batches are those of the consumer: `window` records in their order (as many as `batch`, if not
 * given), but no more than have `batch` keys; the last of a key wins, sorted by key. All of that,
 * and preparing a statement for every size that occurs, is done before the clock starts. Fewer
 * --threads take several partitions each. --redis=0: the database alone (db-only). --array=1:
 * MariaDB's array binding in place of one statement with many rows. Prints "RECORDS n SECONDS s CPU
 * s STORES s": CPU time of this program, and of the processes --mysql-pid and --redis-pid.
 */
#include "common/clock.h"
#include "common/mem.h"
#include "tests/bench/bench_rows.h"
#include "tests/bench/bench_stores.h"

#include <pthread.h>
#include <search.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct part { /* one batch: rows [first, first + count) of the lane */
	size_t first, count;
};

struct lane { /* one partition, one thread */
	struct bench_row *rows; /* as made; then, batch by batch, as written */
	size_t count, room;
	struct part *parts;
	size_t part_count;
	MYSQL *mysql;
	MYSQL_STMT **stmts; /* by row count */
	redisContext *redis;
	char *packet, *json; /* MSET in the wire's form; one value */
};

static bool with_redis, with_array;
static size_t batch_records, window;
static int threads;
static struct bench_shape shape;
static struct lane lanes[BENCH_PARTITIONS];
static pthread_barrier_t start;

static void lane_add(struct lane *lane, const struct bench_row *row)
{
	if (lane->count == lane->room) {
		lane->room = lane->room ? 2 * lane->room : 1024;
		lane->rows = mem_resize(lane->rows, lane->room, sizeof(*lane->rows));
	}
	lane->rows[lane->count++] = *row;
}

/* By key; of one key the newest record (which is further back in memory) first. */
static int by_key(const void *a, const void *b)
{
	const struct bench_row *left = *(const struct bench_row *const *)a;
	const struct bench_row *right = *(const struct bench_row *const *)b;
	int order = strcmp(left->id, right->id);

	return order ? order : (left < right) - (left > right);
}

/* How many of the next `most` records have no more than `batch_records` keys. */
static size_t batch_length(const struct bench_row *rows, size_t most)
{
	struct hsearch_data keys = {0};
	size_t records = 0, distinct = 0;

	if (!hcreate_r(2 * batch_records + 64, &keys))
		bench_fail("no memory");
	for (; records < most; records++) {
		ENTRY entry = {.key = (char *)(uintptr_t)rows[records].id}, *found;

		if (hsearch_r(entry, FIND, &found, &keys))
			continue;
		if (++distinct > batch_records)
			break;
		(void)hsearch_r(entry, ENTER, &found, &keys);
	}
	hdestroy_r(&keys);
	return records;
}

/* Turns the lane's records into its batches of rows, in place. */
static void lane_select(struct lane *lane)
{
	const struct bench_row **order = mem_alloc(window * sizeof(struct bench_row *));
	struct bench_row *made = mem_alloc(batch_records * sizeof(*made));
	size_t used = 0, records;

	lane->parts = mem_zero(lane->count / batch_records + 1, sizeof(*lane->parts));
	for (size_t at = 0; at < lane->count; at += records) {
		struct part *part = &lane->parts[lane->part_count++];
		size_t left = lane->count - at;

		records = batch_length(lane->rows + at, left < window ? left : window);
		for (size_t i = 0; i < records; i++)
			order[i] = &lane->rows[at + i];
		qsort(order, records, sizeof(struct bench_row *), by_key);
		part->first = used;
		for (size_t i = 0; i < records; i++) {
			if (i == 0 || strcmp(order[i]->id, order[i - 1]->id) != 0)
				made[part->count++] = *order[i];
		}
		memcpy(lane->rows + used, made, part->count * sizeof(*made));
		used += part->count;
	}
	free(order);
	free(made);
}

static void lane_open(struct lane *lane)
{
	lane->mysql = bench_mysql_open();
	lane->stmts = mem_zero(batch_records + 1, sizeof(MYSQL_STMT *));
	for (size_t i = 0; i < lane->part_count; i++) {
		size_t rows = with_array ? 1 : lane->parts[i].count;

		if (!lane->stmts[rows])
			lane->stmts[rows] = bench_upsert(lane->mysql, (unsigned)rows);
	}
	if (with_redis)
		lane->redis = bench_redis_open();
	lane->packet = mem_alloc(batch_records * (320 + shape.value_bytes) + 64);
	lane->json = mem_alloc(shape.value_bytes + 256);
}

static void bind(MYSQL_BIND *to, enum enum_field_types type, void *data, unsigned *length)
{
	memset(to, 0, sizeof(*to));
	to->buffer_type = type;
	to->buffer = data;
	if (length) {
		to->buffer_length = *length;
		to->length = &to->buffer_length;
	}
}

static void write_rows(struct lane *lane, struct bench_row *rows, size_t count)
{
	MYSQL_STMT *stmt = lane->stmts[count];
	MYSQL_BIND binds[4 * count], *to = binds;

	for (size_t i = 0; i < count; i++, to += 4) {
		bind(&to[0], MYSQL_TYPE_STRING, rows[i].id, &rows[i].id_length);
		bind(&to[1], MYSQL_TYPE_STRING, rows[i].name, &rows[i].name_length);
		bind(&to[2], MYSQL_TYPE_LONG, &rows[i].age, NULL);
		bind(&to[3], MYSQL_TYPE_STRING, (void *)(uintptr_t)rows[i].occupation,
			&rows[i].occupation_length);
	}
	bench_stmt_ok(stmt, mysql_stmt_bind_param(stmt, binds), "bind");
	bench_stmt_ok(stmt, mysql_stmt_execute(stmt), "upsert");
}

/* Column by column: pointers and lengths of all rows, one packet. MariaDB only. */
static void write_array(struct lane *lane, struct bench_row *rows, size_t count)
{
#ifdef LIBMARIADB
	MYSQL_STMT *stmt = lane->stmts[1];
	char *texts[3][count];
	unsigned long lengths[3][count];
	unsigned size = (unsigned)count;
	int32_t ages[count];
	MYSQL_BIND binds[4];

	memset(binds, 0, sizeof(binds));
	for (size_t i = 0; i < count; i++) {
		texts[0][i] = rows[i].id;
		lengths[0][i] = rows[i].id_length;
		texts[1][i] = rows[i].name;
		lengths[1][i] = rows[i].name_length;
		texts[2][i] = (char *)(uintptr_t)rows[i].occupation;
		lengths[2][i] = rows[i].occupation_length;
		ages[i] = rows[i].age;
	}
	for (int i = 0; i < 4; i++)
		binds[i].buffer_type = i == 2 ? MYSQL_TYPE_LONG : MYSQL_TYPE_STRING;
	for (int i = 0; i < 3; i++) {
		binds[i < 2 ? i : 3].buffer = texts[i];
		binds[i < 2 ? i : 3].length = lengths[i];
	}
	binds[2].buffer = ages;
	bench_stmt_ok(stmt, mysql_stmt_attr_set(stmt, STMT_ATTR_ARRAY_SIZE, &size), "array");
	bench_stmt_ok(stmt, mysql_stmt_bind_param(stmt, binds), "bind");
	bench_stmt_ok(stmt, mysql_stmt_execute(stmt), "upsert");
#else
	(void)lane, (void)rows, (void)count;
	bench_fail("array binding is MariaDB's");
#endif
}

static void write_redis(struct lane *lane, const struct bench_row *rows, size_t count)
{
	char *at = lane->packet;
	redisReply *reply;

	at += sprintf(at, "*%zu\r\n$4\r\nMSET\r\n", 1 + 2 * count);
	for (size_t i = 0; i < count; i++) {
		size_t bytes = bench_row_json(&rows[i], lane->json, shape.value_bytes + 256);

		at += sprintf(at, "$%u\r\nuser:%s\r\n$%zu\r\n", rows[i].id_length + 5,
			rows[i].id, bytes);
		memcpy(at, lane->json, bytes);
		at = stpcpy(at + bytes, "\r\n");
	}
	if (redisAppendFormattedCommand(
		    lane->redis, lane->packet, (size_t)(at - lane->packet)) != REDIS_OK ||
		redisGetReply(lane->redis, (void **)&reply) != REDIS_OK)
		bench_fail("redis: %s", lane->redis->errstr);
	if (reply->type == REDIS_REPLY_ERROR)
		bench_fail("redis: %s", reply->str);
	freeReplyObject(reply);
}

static void lane_write(struct lane *lane)
{
	for (size_t i = 0; i < lane->part_count; i++) {
		struct bench_row *rows = lane->rows + lane->parts[i].first;
		size_t count = lane->parts[i].count;

		(with_array ? write_array : write_rows)(lane, rows, count);
		if (with_redis)
			write_redis(lane, rows, count);
	}
}

/* arg: the thread's first lane; the others follow in steps. */
static void *run(void *arg)
{
	struct lane *first = arg;

	mysql_thread_init();
	for (struct lane *lane = first; lane < lanes + BENCH_PARTITIONS; lane += threads) {
		lane_select(lane);
		lane_open(lane);
	}
	pthread_barrier_wait(&start); /* ready */
	pthread_barrier_wait(&start); /* go */
	for (struct lane *lane = first; lane < lanes + BENCH_PARTITIONS; lane += threads)
		lane_write(lane);
	mysql_thread_end();
	return NULL;
}

/* What a process has used so far; 0 = this one. */
static double cpu_seconds(pid_t pid)
{
	struct timespec used = {0};
	clockid_t id;

	if (clock_getcpuclockid(pid, &id) || clock_gettime(id, &used))
		bench_fail("no process %d", (int)pid);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	uint64_t records = (uint64_t)bench_option(argc, argv, "records", 300000);
	pid_t stores[2] = {(pid_t)bench_option(argc, argv, "mysql-pid", 0),
		(pid_t)bench_option(argc, argv, "redis-pid", 0)};
	pthread_t ids[BENCH_PARTITIONS];
	double cpu, spent = 0;
	int64_t since, took;

	batch_records = (size_t)bench_option(argc, argv, "batch", 1000);
	window = (size_t)bench_option(argc, argv, "window", (long)batch_records);
	if (window < batch_records)
		bench_fail("--window: no less than --batch");
	threads = (int)bench_option(argc, argv, "threads", BENCH_PARTITIONS);
	if (threads < 1 || threads > BENCH_PARTITIONS)
		bench_fail("--threads=1 to %d", BENCH_PARTITIONS);
	shape = bench_shape_of(argc, argv);
	with_redis = bench_option(argc, argv, "redis", 1) != 0;
	with_array = bench_option(argc, argv, "array", 0) != 0;
	for (uint64_t i = 0; i < records; i++) {
		struct bench_row row;

		bench_row_make(&row, i, &shape);
		lane_add(&lanes[bench_row_partition(&row)], &row);
	}
	pthread_barrier_init(&start, NULL, (unsigned)threads + 1);
	for (int i = 0; i < threads; i++)
		pthread_create(&ids[i], NULL, run, &lanes[i]);
	pthread_barrier_wait(&start);
	for (int i = 0; i < 2; i++)
		spent -= stores[i] ? cpu_seconds(stores[i]) : 0;
	cpu = cpu_seconds(0);
	since = clock_mono_ns();
	pthread_barrier_wait(&start);
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	took = clock_mono_ns() - since;
	for (int i = 0; i < 2; i++)
		spent += stores[i] ? cpu_seconds(stores[i]) : 0;
	printf("RECORDS %llu SECONDS %.4f CPU %.4f STORES %.4f\n", (unsigned long long)records,
		(double)took / 1e9, cpu_seconds(0) - cpu, spent);
	return 0;
}
