#include "producer/ingest/deliver.h"

#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>

#define REPORTED 100 /* bad rows that have a line of the log each */
#define SLOTS	 256 /* more than there are chunks */

struct deliver {
	/* set before start */
	const struct ingest_options *options;
	struct source *source;
	struct checkpoint *checkpoint;
	int lanes;
	deliver_sink *to_all;
	void *arg;
	FILE *rejects;
	bool skip_bad;
	uint64_t resumed;
	uint64_t limit; /* records of all runs; 0: none */
	pthread_mutex_t mu;
	/* under mu */
	struct chunk *slots[SLOTS]; /* parsed, waiting for their turn */
	uint64_t next_seq, expected;
	bool ended, failed;
	struct position at;
	bool at_changed;
	int64_t started_ns, barrier_ms;
	/* written under mu, read by anyone */
	_Atomic uint64_t records, rejected;
	_Atomic bool full, cut;
	/* written by anyone */
	_Atomic bool stopped;
};

struct deliver *deliver_new(const struct ingest_options *options, struct source *source,
	struct checkpoint *checkpoint, int lanes, deliver_sink *to_all, void *arg)
{
	struct deliver *d = mem_zero(1, sizeof(*d));

	d->options = options;
	d->source = source;
	d->checkpoint = checkpoint;
	d->lanes = lanes;
	d->to_all = to_all;
	d->arg = arg;
	d->limit = (uint64_t)options->count;
	d->skip_bad = options->bad_rows == 1 || options->rejects;
	d->expected = UINT64_MAX;
	pthread_mutex_init(&d->mu, NULL);
	return d;
}

void deliver_free(struct deliver *d)
{
	if (d->rejects)
		fclose(d->rejects);
	pthread_mutex_destroy(&d->mu);
	free(d);
}

int deliver_open(struct deliver *d, struct errmsg *msg)
{
	d->resumed = checkpoint_records(d->checkpoint);
	atomic_store(&d->records, d->resumed);
	d->started_ns = clock_mono_ns();
	d->barrier_ms = clock_mono_ms();
	if (d->limit && d->resumed >= d->limit)
		atomic_store(&d->full, true);
	if (!d->options->rejects)
		return 0;
	d->rejects = fopen(d->options->rejects, "a");
	return d->rejects ? 0
			  : errmsg_set(msg, ERR_IO, "option rejects: %s: %s",
				    d->options->rejects, strerror(errno));
}

static const char *file_name(const struct deliver *d, const struct chunk *chunk)
{
	return d->source->input ? input_file(d->source->input, chunk->from.file)->path : "-";
}

#define ROW_FIELDS                                                                             \
	LOG_F("file", LOG_STR(file_name(d, chunk))), LOG_F("line", LOG_INT(r->line)),          \
		LOG_F("reason", LOG_STR(r->reason)), LOG_F("column", LOG_STR(r->column))

/* Each of a few by its line; of very many, one now and then. */
static void report(struct deliver *d, const struct chunk *chunk, const struct reject *r)
{
	if (atomic_fetch_add(&d->rejected, 1) < REPORTED)
		log_event(LOG_WARN, "row_left_out", ROW_FIELDS);
	else
		log_limited(LOG_WARN, "row_left_out", ROW_FIELDS);
	if (!d->rejects)
		return;
	fwrite(chunk->raw.data + r->at, 1, r->len, d->rejects);
	if (r->len == 0 || chunk->raw.data[r->at + r->len - 1] != '\n')
		fputc('\n', d->rejects);
}

/* Keeps the first `count` records; the position moves to the last one's end. */
static void trim(struct chunk *chunk, size_t count)
{
	uint64_t end = count ? chunk->records[count - 1].end : 0;
	struct position after = chunk->from;

	after.offset += end;
	for (uint64_t i = 0; i < end && i < chunk->raw.used; i++)
		after.line += chunk->raw.data[i] == '\n';
	if (end > 0)
		after.mid_line = chunk->raw.data[end - 1] != '\n';
	if (end > 0 && end == chunk->raw.used) /* a line may have been cut there */
		after = chunk->after;
	after.rows = chunk->from.rows + count;
	chunk->count = count;
	chunk->after = after;
}

/* What ends the run in this chunk, if anything: the records before it stay. *rejects: that may be left
 * out before it. */
static int find_end(
	const struct deliver *d, struct chunk *chunk, size_t *rejects, struct errmsg *msg)
{
	for (size_t i = 0; i < chunk->reject_count; i++) {
		const struct reject *r = &chunk->rejects[i];

		if (d->skip_bad && !r->ends_run)
			continue;
		*rejects = i;
		trim(chunk, r->before);
		return errmsg_set(msg, ERR_INVALID, "%s:%llu: %s%s%s%s", file_name(d, chunk),
			(unsigned long long)r->line, r->reason, *r->column ? " (column " : "",
			r->column, *r->column ? ")" : "");
	}
	*rejects = chunk->reject_count;
	if (!chunk->fatal)
		return 0;
	trim(chunk, 0); /* nothing of it was taken: a later run reads it again */
	return errmsg_set(msg, ERR_INVALID, "%s:%llu: %s", file_name(d, chunk),
		(unsigned long long)chunk->from.line + 1, chunk->fatal);
}

static int report_rejects(
	struct deliver *d, const struct chunk *chunk, size_t count, struct errmsg *msg)
{
	for (size_t i = 0; i < count; i++)
		report(d, chunk, &chunk->rejects[i]);
	if (d->rejects && count > 0 && fflush(d->rejects) != 0)
		return errmsg_set(msg, ERR_IO, "%s: %s", d->options->rejects, strerror(errno));
	return 0;
}

static void barrier(struct deliver *d, bool last)
{
	uint64_t records = atomic_load(&d->records);

	d->barrier_ms = clock_mono_ms();
	d->at_changed = false;
	d->to_all(d->arg, LANE_BARRIER,
		barrier_new(d->checkpoint, &d->at, records, d->lanes, last));
}

static void barrier_if_due(struct deliver *d)
{
	if (d->options->checkpoint && d->at_changed && !d->ended &&
		clock_mono_ms() - d->barrier_ms >= d->options->checkpoint_ms)
		barrier(d, false);
}

/* Waits until this chunk's last record is due. False: it was stopped before. */
static bool pace(struct deliver *d, uint64_t records)
{
	double due = d->options->rate > 0 ? (double)records / d->options->rate : 0;
	double now = (double)(clock_mono_ns() - d->started_ns) / 1e9;

	while (due > now && !atomic_load(&d->stopped)) {
		barrier_if_due(d);
		poll(NULL, 0, due - now > 0.1 ? 100 : (int)((due - now) * 1000) + 1);
		now = (double)(clock_mono_ns() - d->started_ns) / 1e9;
	}
	return due <= now;
}

static int deliver_one(struct deliver *d, struct chunk *chunk, struct errmsg *msg)
{
	uint64_t records = atomic_load(&d->records);
	size_t rejects;
	struct errmsg failed;
	int err = find_end(d, chunk, &rejects, msg);

	if (d->limit && records + chunk->count >= d->limit) {
		trim(chunk, (size_t)(d->limit - records));
		atomic_store(&d->full, true);
	}
	records += chunk->count;
	if (!pace(d, records - d->resumed)) {
		chunk_unref(chunk);
		d->failed = true;
		atomic_store(&d->cut, true);
		return 0;
	}
	if (report_rejects(d, chunk, rejects, &failed) != 0 && err == 0) {
		*msg = failed;
		err = ERR_IO;
	}
	d->at = chunk->after;
	d->at_changed = true;
	atomic_store(&d->records, records);
	atomic_store(&chunk->refs, d->lanes);
	d->to_all(d->arg, LANE_CHUNK, chunk);
	barrier_if_due(d);
	return err;
}

static void end_if_complete(struct deliver *d)
{
	if (d->ended || d->next_seq < d->expected)
		return;
	d->ended = true;
	if (d->options->checkpoint && d->at_changed)
		barrier(d, !d->failed);
	d->to_all(d->arg, LANE_END, NULL);
}

int deliver_chunk(struct deliver *d, struct chunk *chunk, struct errmsg *msg)
{
	int err = 0;

	pthread_mutex_lock(&d->mu);
	d->slots[chunk->seq % SLOTS] = chunk;
	while ((chunk = d->slots[d->next_seq % SLOTS])) {
		d->slots[d->next_seq++ % SLOTS] = NULL;
		if (d->failed || atomic_load(&d->full))
			chunk_unref(chunk);
		else
			err = deliver_one(d, chunk, msg);
		d->failed = d->failed || err != 0;
	}
	end_if_complete(d);
	pthread_mutex_unlock(&d->mu);
	return err;
}

void deliver_idle(struct deliver *d)
{
	if (pthread_mutex_trylock(&d->mu) != 0)
		return; /* a worker delivers, and sees to the barrier itself */
	barrier_if_due(d);
	pthread_mutex_unlock(&d->mu);
}

void deliver_expect(struct deliver *d, uint64_t chunks)
{
	pthread_mutex_lock(&d->mu);
	d->expected = chunks;
	end_if_complete(d);
	pthread_mutex_unlock(&d->mu);
}

void deliver_stop(struct deliver *d)
{
	atomic_store(&d->stopped, true);
}

bool deliver_was_cut(const struct deliver *d)
{
	return atomic_load(&d->cut);
}

bool deliver_is_full(struct deliver *d)
{
	return atomic_load(&d->full);
}

void deliver_progress(
	struct deliver *d, uint64_t *records, uint64_t *resumed, uint64_t *rejected)
{
	*records = atomic_load(&d->records);
	*resumed = d->resumed;
	*rejected = atomic_load(&d->rejected);
}
