/*
 * A run:
 *	1 plan		which source, which sinks; what does not go together is refused here
 *	2 open		checkpoint, sinks (Kafka first: a transaction knows the position best), seek
 *	3 move		the engine, until the end of the input, a signal or a failure
 *	4 finish	only if every sink has everything: files get their names
 */
#include "producer/ingest/run.h"

#include "common/log.h"
#include "producer/ingest/engine.h"
#include "producer/ingest/progress.h"

#include <string.h>
#include <sys/stat.h>

struct run {
	const struct ingest_options *options;
	const char *verb;
	struct conf_list specs;
	struct source *source;
	struct checkpoint *checkpoint;
	struct sink **sinks;
	int sink_count;
	struct engine *engine;
	bool whole;
};

static struct engine *_Atomic running;
static _Atomic bool asked; /* to stop: perhaps before anything ran */

void run_stop(void)
{
	struct engine *engine;

	asked = true;
	input_stop();
	engine = running;
	if (engine)
		engine_stop(engine);
}

static int open_source(struct run *r, struct errmsg *msg)
{
	if (r->options->follow && strcmp(r->verb, "lines") != 0)
		return errmsg_set(msg, ERR_CONFIG,
			"option follow: only lines are followed, %s is not", r->verb);
	if (strcmp(r->verb, "lines") == 0)
		return source_lines_new(&r->source, r->options, msg);
	if (strcmp(r->verb, "csv") == 0)
		return source_csv_new(&r->source, r->options, msg);
	return source_generate_new(&r->source, r->options, msg);
}

static bool is_kafka(const struct sink *sink)
{
	return strncmp(sink->name, "kafka:", 6) == 0;
}

static int check_checkpoint(const struct run *r, int kafka_sinks, struct errmsg *msg)
{
	const struct ingest_options *o = r->options;

	if (o->transactional && !o->checkpoint)
		return errmsg_set(msg, ERR_CONFIG,
			"option transactional needs --checkpoint FILE: a transaction is what "
			"lies "
			"between two of them");
	if (o->transactional && kafka_sinks != 1)
		return errmsg_set(msg, ERR_CONFIG,
			"option transactional needs exactly one kafka sink, not %d",
			kafka_sinks);
	if (o->checkpoint && o->append)
		return errmsg_set(msg, ERR_CONFIG,
			"options checkpoint and append exclude each other: a checkpoint "
			"appends "
			"by itself");
	for (int i = 0; o->checkpoint && i < r->sink_count; i++) {
		if (!r->sinks[i]->ops->can_resume || strcmp(r->sinks[i]->target, "-") == 0)
			return errmsg_set(msg, ERR_CONFIG,
				"%s cannot be continued, so it goes with no --checkpoint",
				r->sinks[i]->name);
	}
	return 0;
}

/* The folder that a path is in. */
static int stat_folder(const char *path, struct stat *st)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
	int result = stat(folder, st);

	free(folder);
	return result;
}

/* Each sink would write over the other. A device takes what it gets. */
static bool is_same_file(const char *one, const char *other)
{
	const char *slash = strrchr(one, '/'), *other_slash = strrchr(other, '/');
	bool same_name =
		strcmp(slash ? slash + 1 : one, other_slash ? other_slash + 1 : other) == 0;
	struct stat st, other_st;
	bool exists = stat(one, &st) == 0, other_exists = stat(other, &other_st) == 0;

	if (strcmp(one, "-") == 0 || strcmp(other, "-") == 0)
		return strcmp(one, other) == 0;
	if (exists != other_exists || (exists && S_ISCHR(st.st_mode)))
		return false;
	if (!exists && (!same_name || stat_folder(one, &st) != 0 ||
			       stat_folder(other, &other_st) != 0))
		return false;
	return st.st_dev == other_st.st_dev && st.st_ino == other_st.st_ino;
}

static int check_twice(const struct sink *one, const struct sink *other, struct errmsg *msg)
{
	bool kafka = is_kafka(one) || is_kafka(other);

	if (strcmp(one->name, other->name) == 0)
		return errmsg_set(msg, ERR_CONFIG, "option to: %s is there twice", one->name);
	if (!kafka && is_same_file(one->target, other->target))
		return errmsg_set(msg, ERR_CONFIG, "option to: %s and %s are the same file",
			one->name, other->name);
	return 0;
}

static int plan_sinks(struct run *r, struct errmsg *msg)
{
	int kafka_sinks = 0;
	int err = 0;

	r->sinks = mem_zero(r->specs.count, sizeof(*r->sinks));
	for (size_t i = 0; err == 0 && i < r->specs.count; i++) {
		err = sink_new(
			&r->sinks[i], r->specs.items[i], r->options, r->source, (int)i, msg);
		if (err != 0)
			return err;
		r->sink_count++;
		kafka_sinks += is_kafka(r->sinks[i]);
		for (size_t j = 0; err == 0 && j < i; j++)
			err = check_twice(r->sinks[i], r->sinks[j], msg);
	}
	if (err != 0)
		return err;
	for (size_t i = 0; i < r->options->headers.count; i++) {
		if (!strchr(r->options->headers.items[i], '='))
			return errmsg_set(msg, ERR_CONFIG,
				"option kafka-header: '%s' is not NAME=VALUE",
				r->options->headers.items[i]);
	}
	return check_checkpoint(r, kafka_sinks, msg);
}

static int open_sinks(struct run *r, bool kafka, struct errmsg *msg)
{
	for (int i = 0; i < r->sink_count; i++) {
		struct sink *sink = r->sinks[i];
		int err;

		if (is_kafka(sink) != kafka)
			continue;
		sink->checkpoint = r->checkpoint;
		err = sink->ops->open(sink, checkpoint_sink_state(r->checkpoint, i), msg);
		if (err != 0) {
			errmsg_wrap(msg, "%s", sink->name);
			return err;
		}
	}
	return 0;
}

static int move(struct run *r, struct progress *progress, bool *stopped, struct errmsg *msg)
{
	struct engine_setup setup = {.options = r->options,
		.source = r->source,
		.sinks = r->sinks,
		.sink_count = r->sink_count,
		.checkpoint = r->checkpoint};
	int err;

	r->engine = engine_new(&setup);
	err = engine_start(r->engine, msg);
	if (err != 0)
		return err;
	running = r->engine;
	if (asked)
		engine_stop(r->engine);
	while (!engine_wait(r->engine, 50))
		progress_show(progress, r->engine);
	running = NULL;
	return engine_join(r->engine, stopped, msg);
}

/* Stopping is the ordinary end of what has no end of its own. */
static bool is_endless(const struct run *r)
{
	return (!r->source->input && r->options->count == 0) || r->options->follow;
}

static int finish(struct run *r, bool stopped, struct errmsg *msg)
{
	if (stopped && !is_endless(r))
		return errmsg_set(msg, ERR_UNFINISHED, "stopped before the end of the input%s",
			r->options->checkpoint ? "; the same command continues" : "");
	if (stopped && r->options->checkpoint) {
		r->whole = true; /* a later run goes on from here: files stay open-ended */
		return 0;
	}
	for (int i = 0; i < r->sink_count; i++) {
		int err = r->sinks[i]->ops->finish(r->sinks[i], msg);

		if (err != 0) {
			errmsg_wrap(msg, "%s", r->sinks[i]->name);
			return err;
		}
	}
	checkpoint_finish(r->checkpoint);
	r->whole = true;
	return checkpoint_error(r->checkpoint, msg);
}

static int run_opened(struct run *r, struct errmsg *msg)
{
	struct progress progress;
	bool stopped = false;
	int err;

	progress_start(&progress, r->options, r->source->total_rows);
	err = move(r, &progress, &stopped, msg);
	if (err == 0)
		err = finish(r, stopped, msg);
	progress_end(&progress, r->engine, r->sinks, r->sink_count,
		err == 0		? "complete"
		: err == ERR_UNFINISHED ? "stopped"
					: "failed");
	return err;
}

static int open_all(struct run *r, struct errmsg *msg)
{
	int err = open_source(r, msg);
	char *word;

	if (err == 0)
		err = plan_sinks(r, msg);
	if (err == 0) {
		word = source_word(r->verb, r->options);
		err = checkpoint_new(&r->checkpoint, r->options->checkpoint, word, r->source,
			&r->specs, msg);
		free(word);
	}
	if (err == 0)
		err = open_sinks(r, true, msg);
	if (err == 0 && !checkpoint_is_done(r->checkpoint))
		err = open_sinks(r, false, msg);
	if (err == 0 && checkpoint_loaded(r->checkpoint) && !checkpoint_is_done(r->checkpoint))
		err = checkpoint_seek(r->checkpoint, r->source, msg);
	return err;
}

int run_ingest(const char *verb, const struct ingest_options *options, struct errmsg *msg)
{
	static char kafka[] = "kafka";
	static char *default_spec[] = {kafka};
	struct run r = {.options = options, .verb = verb, .specs = options->to};
	int err;

	if (r.specs.count == 0)
		r.specs = (struct conf_list){.items = default_spec, .count = 1};
	err = open_all(&r, msg);
	if (err == 0 && checkpoint_is_done(r.checkpoint))
		log_event(LOG_INFO, "already_complete",
			LOG_F("checkpoint", LOG_STR(options->checkpoint)),
			LOG_F("records", LOG_INT(checkpoint_records(r.checkpoint))));
	else if (err == 0)
		err = run_opened(&r, msg);
	for (int i = 0; i < r.sink_count; i++)
		r.sinks[i]->ops->close(r.sinks[i], r.whole);
	free(r.sinks);
	engine_free(r.engine);
	checkpoint_free(r.checkpoint);
	source_free(r.source);
	return err;
}
