/*
 * mysql_reader: see mysql_reader.h.
 *   loop     ask: a job into `waiting`
 *   thread   takes the oldest, connects if need be, asks, puts it into `done`, wakes the loop
 *   loop     on_wake: on_row for each of `done`
 */
#include "producer/http/mysql_reader.h"

#include "common/clock.h"
#include "common/mem.h"
#include "producer/http/mysql_session.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 500

struct job {
	struct job *next;
	void *user;
	int64_t asked_ms;
	size_t id_length;
	char id[MYSQL_READER_ID_BYTES];
	/* the answer */
	int err;
	char *row;
	size_t length;
	struct errmsg why;
};

struct queue {
	struct job *first, *last;
	size_t count;
};

struct thread {
	pthread_t id;
	struct mysql_reader *reader;
	struct mysql_session *session;
};

struct mysql_reader {
	/* set before start */
	struct mysql_reader_config config;
	struct thread *threads;
	uv_async_t wake;
	/* under mu */
	pthread_mutex_t mu;
	pthread_cond_t work;
	struct queue waiting, done;
	int64_t down_until_ms;
	int alive;
	bool stopping;
};

static void push(struct queue *queue, struct job *job)
{
	job->next = NULL;
	if (queue->last)
		queue->last->next = job;
	else
		queue->first = job;
	queue->last = job;
	queue->count++;
}

static struct job *pull(struct queue *queue)
{
	struct job *job = queue->first;

	if (!job)
		return NULL;
	queue->first = job->next;
	if (!queue->first)
		queue->last = NULL;
	queue->count--;
	return job;
}

/* The next job, or NULL: stop. */
static struct job *next_job(struct mysql_reader *reader, int64_t *down_until_ms)
{
	struct job *job;

	pthread_mutex_lock(&reader->mu);
	while (reader->waiting.count == 0 && !reader->stopping)
		pthread_cond_wait(&reader->work, &reader->mu);
	job = reader->stopping ? NULL : pull(&reader->waiting);
	*down_until_ms = reader->down_until_ms;
	pthread_mutex_unlock(&reader->mu);
	return job;
}

static void answer_job(struct thread *thread, struct job *job, int64_t down_until_ms)
{
	struct mysql_reader *reader = thread->reader;
	bool open = mysql_session_is_open(thread->session);
	int64_t now = clock_mono_ms();

	if (now - job->asked_ms >= reader->config.io_timeout_ms) {
		job->err = errmsg_set(&job->why, ERR_UNAVAILABLE, "it waited too long");
		return;
	}
	if (!open && now < down_until_ms) {
		job->err = errmsg_set(&job->why, ERR_UNAVAILABLE, "not reachable");
		return;
	}
	job->err = open ? 0 : mysql_session_open(thread->session, &job->why);
	if (job->err == 0)
		job->err = mysql_session_row(thread->session, job->id, job->id_length,
			&job->row, &job->length, &job->why);
	/* A connection that was kept may have been closed by the server meanwhile. */
	if (job->err != 0 && open && mysql_session_open(thread->session, &job->why) == 0)
		job->err = mysql_session_row(thread->session, job->id, job->id_length,
			&job->row, &job->length, &job->why);
}

static void *work(void *data)
{
	struct thread *thread = data;
	struct mysql_reader *reader = thread->reader;
	int64_t down_until_ms;
	struct job *job;

	mysql_session_thread_begin();
	while ((job = next_job(reader, &down_until_ms))) {
		answer_job(thread, job, down_until_ms);
		pthread_mutex_lock(&reader->mu);
		if (job->err != 0 && !mysql_session_is_open(thread->session) &&
			reader->down_until_ms <= clock_mono_ms())
			reader->down_until_ms = clock_mono_ms() + RETRY_MS;
		push(&reader->done, job);
		pthread_mutex_unlock(&reader->mu);
		uv_async_send(&reader->wake);
	}
	mysql_session_close(thread->session);
	mysql_session_thread_end();
	pthread_mutex_lock(&reader->mu);
	reader->alive--;
	uv_async_send(&reader->wake);
	pthread_mutex_unlock(&reader->mu);
	return NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct mysql_reader *reader = handle->data;

	for (int i = 0; i < reader->config.connections; i++)
		mysql_session_free(reader->threads[i].session);
	pthread_cond_destroy(&reader->work);
	pthread_mutex_destroy(&reader->mu);
	free(reader->threads);
	free(reader);
}

static void report(struct mysql_reader *reader, struct job *job)
{
	reader->config.on_row(job->user, job->err, job->row, job->length, job->why.text);
	free(job);
}

static void on_wake(uv_async_t *wake)
{
	struct mysql_reader *reader = wake->data;
	struct queue done;
	struct job *job;
	bool over;

	pthread_mutex_lock(&reader->mu);
	done = reader->done;
	reader->done = (struct queue){0};
	over = reader->stopping && reader->alive == 0;
	pthread_mutex_unlock(&reader->mu);
	while ((job = pull(&done)))
		report(reader, job);
	if (!over || uv_is_closing((uv_handle_t *)wake))
		return;
	for (int i = 0; i < reader->config.connections; i++)
		pthread_join(reader->threads[i].id, NULL);
	uv_close((uv_handle_t *)wake, on_closed);
}

int mysql_reader_open(struct mysql_reader **result, uv_loop_t *loop,
	const struct mysql_reader_config *config, struct errmsg *msg)
{
	struct mysql_reader *reader;

	if (!*config->table || strchr(config->table, '`') || strlen(config->table) > 64)
		return errmsg_set(msg, ERR_CONFIG, "'%s' is no table's name", config->table);
	reader = mem_zero(1, sizeof(*reader));
	reader->config = *config;
	reader->threads = mem_zero((size_t)config->connections, sizeof(*reader->threads));
	pthread_mutex_init(&reader->mu, NULL);
	pthread_cond_init(&reader->work, NULL);
	uv_async_init(loop, &reader->wake, on_wake);
	reader->wake.data = reader;
	mysql_session_library_begin();
	reader->alive = config->connections;
	for (int i = 0; i < config->connections; i++) {
		struct thread *thread = &reader->threads[i];

		thread->reader = reader;
		thread->session = mysql_session_new(&reader->config);
		if (pthread_create(&thread->id, NULL, work, thread) != 0)
			abort();
	}
	*result = reader;
	return 0;
}

int mysql_reader_ask(struct mysql_reader *reader, const char *id, size_t length, void *user)
{
	struct job *job = NULL;
	int err = 0;

	pthread_mutex_lock(&reader->mu);
	if (reader->stopping)
		err = ERR_CLOSED;
	else if (reader->waiting.count >= reader->config.queue ||
		 length > MYSQL_READER_ID_BYTES)
		err = ERR_FULL;
	if (err == 0) {
		job = mem_zero(1, sizeof(*job));
		job->user = user;
		job->asked_ms = clock_mono_ms();
		job->id_length = length;
		memcpy(job->id, id, length);
		push(&reader->waiting, job);
		pthread_cond_signal(&reader->work);
	}
	pthread_mutex_unlock(&reader->mu);
	return err;
}

void mysql_reader_close(struct mysql_reader *reader)
{
	struct queue waiting;
	struct job *job;

	if (!reader || reader->stopping)
		return;
	pthread_mutex_lock(&reader->mu);
	reader->stopping = true;
	waiting = reader->waiting;
	reader->waiting = (struct queue){0};
	pthread_cond_broadcast(&reader->work);
	pthread_mutex_unlock(&reader->mu);
	for (int i = 0; i < reader->config.connections; i++)
		mysql_session_interrupt(reader->threads[i].session);
	while ((job = pull(&waiting))) {
		job->err = errmsg_set(&job->why, ERR_UNAVAILABLE, "stopping");
		report(reader, job);
	}
}
