/*
 * The engine (engine.h): who waits for whom.
 *
 *	1 read		the reader fills a chunk of the pool; no free chunk: it waits, that is all the
 *			backpressure there is
 *	2 parse		any worker, and what its sinks can encode there
 *	3 deliver	in `seq` order (deliver.c): refuse, count, pace, hand to all lanes
 *	4 lanes		write; between chunks their sinks are asked to sync for a checkpoint
 *	5 end		the reader's last chunk has gone through: END to every lane, they drain
 */
#include "producer/ingest/engine.h"

#include "common/clock.h"
#include "producer/ingest/deliver.h"
#include "producer/ingest/queue.h"

#include <poll.h>
#include <pthread.h>

#define IDLE_MS 20 /* how often a lane serves its sink when no chunk comes */

struct lane {
	struct engine *engine;
	struct sink *sink;
	struct queue queue;
	pthread_t thread;
	int64_t cpu_ns;
};

struct engine {
	/* set before start */
	const struct ingest_options *options;
	struct source *source;
	struct chunk_pool *pool;
	struct lane *lanes;
	int lane_count;
	pthread_t reader, *workers;
	int worker_count;
	struct checkpoint *checkpoint;
	/* threads */
	struct queue parse_queue;
	struct deliver *deliver;
	int64_t reader_cpu_ns; /* each stage's is written by its threads when they end */
	_Atomic int64_t workers_cpu_ns;
	atomic_int running; /* threads that have not ended */
	_Atomic bool stop; /* somebody asked, or it failed */
	_Atomic bool asked; /* somebody asked */
	pthread_mutex_t mu;
	/* under mu */
	int failed;
	struct errmsg why;
	bool input_ended;
};

static void fail(struct engine *e, int err, const struct errmsg *why)
{
	pthread_mutex_lock(&e->mu);
	if (!e->failed) {
		e->failed = err;
		e->why = *why;
	}
	pthread_mutex_unlock(&e->mu);
	atomic_store(&e->stop, true);
	chunk_pool_stop(e->pool);
}

/* What is due later would find nobody. (What came before a source's failure is still delivered.) */
static void sink_failed(struct lane *lane, int err, struct errmsg *why)
{
	errmsg_wrap(why, "%s", lane->sink->name);
	fail(lane->engine, err, why);
	deliver_stop(lane->engine->deliver);
}

/* One chunk from the source. False: there will be no more. */
static bool read_one(struct engine *e, uint64_t seq)
{
	struct chunk *chunk = chunk_pool_get(e->pool);
	struct errmsg msg;
	int state = INPUT_WAIT;

	if (!chunk)
		return false;
	chunk->seq = seq;
	atomic_store(&chunk->refs, 1);
	while (state == INPUT_WAIT && !atomic_load(&e->stop) && !deliver_is_full(e->deliver)) {
		state = e->source->ops->read(e->source, chunk, &msg);
		if (state == INPUT_WAIT)
			deliver_idle(e->deliver);
	}
	if (state == INPUT_DATA) {
		queue_push(&e->parse_queue, 0, chunk);
		return true;
	}
	chunk_unref(chunk);
	if (state < 0)
		fail(e, state, &msg);
	pthread_mutex_lock(&e->mu);
	e->input_ended = state == INPUT_END || deliver_is_full(e->deliver);
	pthread_mutex_unlock(&e->mu);
	return false;
}

static void *reader_main(void *arg)
{
	struct engine *e = arg;
	uint64_t seq = 0;

	while (!atomic_load(&e->stop) && !deliver_is_full(e->deliver) && read_one(e, seq))
		seq++;
	if (deliver_is_full(e->deliver)) {
		pthread_mutex_lock(&e->mu);
		e->input_ended = true;
		pthread_mutex_unlock(&e->mu);
	}
	for (int i = 0; i < e->worker_count; i++)
		queue_push(&e->parse_queue, 0, NULL);
	deliver_expect(e->deliver, seq);
	e->reader_cpu_ns = clock_thread_cpu_ns();
	atomic_fetch_sub(&e->running, 1);
	return NULL;
}

static void encode(const struct engine *e, struct chunk *chunk)
{
	chunk->encoded_count = chunk->count;
	for (int i = 0; i < e->lane_count; i++) {
		const struct sink *sink = e->lanes[i].sink;

		if (sink->ops->encode)
			sink->ops->encode(sink, chunk, &chunk->encoded[sink->index]);
	}
}

static void *worker_main(void *arg)
{
	struct engine *e = arg;
	struct queue_item item;
	struct errmsg msg;
	int err;

	while (queue_pop(&e->parse_queue, &item, -1) && item.what) {
		e->source->ops->parse(e->source, item.what);
		encode(e, item.what);
		err = deliver_chunk(e->deliver, item.what, &msg);
		if (err != 0)
			fail(e, err, &msg);
	}
	atomic_fetch_add(&e->workers_cpu_ns, clock_thread_cpu_ns());
	atomic_fetch_sub(&e->running, 1);
	return NULL;
}

/* False: the lane has ended. A failed lane goes on taking, so that nobody waits for it. */
static bool lane_step(struct lane *lane, const struct queue_item *item, bool *broken)
{
	struct sink *sink = lane->sink;
	struct errmsg msg = {""};
	int err = 0;

	switch ((enum lane_item)item->kind) {
	case LANE_CHUNK:
		if (!*broken)
			err = sink->ops->write(sink, item->what, &msg);
		chunk_unref(item->what);
		break;
	case LANE_BARRIER:
		if (*broken)
			barrier_drop(item->what);
		else
			err = sink->ops->sync(sink, item->what, &msg);
		break;
	case LANE_END:
		if (!*broken)
			err = sink->ops->drain(sink, &msg);
		break;
	}
	if (err != 0) {
		sink_failed(lane, err, &msg);
		*broken = true;
	}
	return item->kind != LANE_END;
}

static void *lane_main(void *arg)
{
	struct lane *lane = arg;
	struct sink *sink = lane->sink;
	struct queue_item item;
	struct errmsg msg;
	bool broken = false;
	int err;

	for (;;) {
		if (queue_pop(&lane->queue, &item, sink->ops->idle ? IDLE_MS : -1)) {
			if (!lane_step(lane, &item, &broken))
				break;
		} else if (!broken) {
			err = sink->ops->idle(sink, &msg);
			if (err != 0) {
				sink_failed(lane, err, &msg);
				broken = true;
			}
		}
	}
	lane->cpu_ns = clock_thread_cpu_ns();
	atomic_fetch_sub(&lane->engine->running, 1);
	return NULL;
}

static void to_all_lanes(void *arg, enum lane_item kind, void *what)
{
	struct engine *e = arg;

	for (int i = 0; i < e->lane_count; i++)
		queue_push(&e->lanes[i].queue, (int)kind, what);
}

struct engine *engine_new(const struct engine_setup *setup)
{
	struct engine *e = mem_zero(1, sizeof(*e));

	e->options = setup->options;
	e->source = setup->source;
	e->checkpoint = setup->checkpoint;
	e->lane_count = setup->sink_count;
	e->worker_count = (int)setup->options->workers;
	/* one being read, one in each worker, and a few in front of the lanes */
	e->pool = chunk_pool_new(4 + 2 * e->worker_count, e->lane_count);
	e->lanes = mem_zero((size_t)e->lane_count, sizeof(*e->lanes));
	e->workers = mem_zero((size_t)e->worker_count, sizeof(*e->workers));
	pthread_mutex_init(&e->mu, NULL);
	queue_init(&e->parse_queue);
	for (int i = 0; i < e->lane_count; i++) {
		e->lanes[i].engine = e;
		e->lanes[i].sink = setup->sinks[i];
		queue_init(&e->lanes[i].queue);
		e->source->wants.values |= setup->sinks[i]->ops->wants_values;
		e->source->wants.cells |= setup->sinks[i]->ops->wants_cells;
	}
	e->deliver = deliver_new(
		e->options, e->source, e->checkpoint, e->lane_count, to_all_lanes, e);
	return e;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	for (int i = 0; i < e->lane_count; i++)
		queue_release(&e->lanes[i].queue);
	queue_release(&e->parse_queue);
	deliver_free(e->deliver);
	chunk_pool_free(e->pool);
	pthread_mutex_destroy(&e->mu);
	free(e->lanes);
	free(e->workers);
	free(e);
}

int engine_start(struct engine *e, struct errmsg *msg)
{
	int err = deliver_open(e->deliver, msg);

	if (err != 0)
		return err;
	atomic_store(&e->running, 1 + e->worker_count + e->lane_count);
	for (int i = 0; i < e->lane_count; i++)
		pthread_create(&e->lanes[i].thread, NULL, lane_main, &e->lanes[i]);
	for (int i = 0; i < e->worker_count; i++)
		pthread_create(&e->workers[i], NULL, worker_main, e);
	pthread_create(&e->reader, NULL, reader_main, e);
	return 0;
}

bool engine_wait(struct engine *e, int timeout_ms)
{
	for (int waited = 0; waited < timeout_ms; waited += 5) {
		if (atomic_load(&e->running) == 0)
			return true;
		poll(NULL, 0, 5);
	}
	return atomic_load(&e->running) == 0;
}

int engine_join(struct engine *e, bool *stopped, struct errmsg *msg)
{
	int err;

	pthread_join(e->reader, NULL);
	for (int i = 0; i < e->worker_count; i++)
		pthread_join(e->workers[i], NULL);
	for (int i = 0; i < e->lane_count; i++)
		pthread_join(e->lanes[i].thread, NULL);
	err = e->failed;
	if (err != 0)
		*msg = e->why;
	else
		err = checkpoint_error(e->checkpoint, msg);
	*stopped = atomic_load(&e->asked) && (!e->input_ended || deliver_was_cut(e->deliver));
	return err;
}

void engine_stop(struct engine *e)
{
	atomic_store(&e->asked, true);
	atomic_store(&e->stop, true);
	deliver_stop(e->deliver);
}

void engine_progress(struct engine *e, struct engine_progress *out)
{
	*out = (struct engine_progress){.safe = UINT64_MAX};
	deliver_progress(e->deliver, &out->records, &out->resumed, &out->rejected);
	if (e->source->input) {
		out->input_bytes = input_consumed(e->source->input);
		out->input_total = input_total_bytes(e->source->input);
	}
	for (int i = 0; i < e->lane_count; i++) {
		uint64_t safe = atomic_load(&e->lanes[i].sink->records);

		out->safe = safe < out->safe ? safe : out->safe;
	}
}

int engine_stage(const struct engine *e, int number, struct engine_stage *stage)
{
	if (number == 0)
		*stage = (struct engine_stage){
			.name = "read", .threads = 1, .cpu_ns = e->reader_cpu_ns};
	else if (number == 1)
		*stage = (struct engine_stage){.name = "parse",
			.threads = e->worker_count,
			.cpu_ns = atomic_load(&e->workers_cpu_ns)};
	else if (number < e->lane_count + 2)
		*stage = (struct engine_stage){.name = e->lanes[number - 2].sink->name,
			.threads = 1,
			.cpu_ns = e->lanes[number - 2].cpu_ns};
	else
		return 0;
	return 1;
}
