/*
 * wt-ingest, a tour:
 *
 *	options.def	what can be asked for
 *	run.c		one run: plan, open, move, finish
 *	engine.c	the threads: reader, workers, one lane per sink
 *	source_*.c	lines, csv, generate; blocks.c cuts a file where records end
 *	deliver.c	order, bad rows, --count, --rate, barriers
 *	sink_*.c	kafka, json and csv, avro, parquet
 *	barrier.c, checkpoint.c	how a killed run continues
 */
#include "common/log.h"
#include "producer/ingest/bench_produce.h"
#include "producer/ingest/prompts.h"
#include "producer/ingest/run.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The first signal finishes what was read; the second is for those who cannot wait. */
static void on_signal(int number)
{
	static volatile sig_atomic_t seen;

	(void)number;
	if (seen)
		_exit(75);
	seen = 1;
	run_stop();
}

static void take_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Millions of short messages are made and freed: the heap need not go back and forth. */
static void keep_heap(void)
{
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	mallopt(M_TOP_PAD, 8 << 20);
}

static int dispatch(const struct ingest_options *options, struct errmsg *msg)
{
	const struct conf_list *words = &options->conf.positional;
	const char *verb = words->count ? words->items[0] : "";

	if (strcmp(verb, "lines") == 0 || strcmp(verb, "csv") == 0)
		return run_ingest(verb, options, msg);
	if (strcmp(verb, "generate") == 0 && words->count == 1)
		return run_ingest(verb, options, msg);
	if (strcmp(verb, "bench-produce") == 0 && words->count == 1)
		return bench_produce(options, msg);
	if (!*verb)
		return errmsg_set(msg, ERR_CONFIG,
			"name a source: lines PATH, csv PATH or generate; see wt-ingest "
			"--help");
	return errmsg_set(msg, ERR_CONFIG,
		"'%s' is not lines, csv, generate or bench-produce%s",
		words->items[words->count > 1 && strcmp(verb, "generate") == 0],
		strcmp(verb, "generate") == 0 ? ": generate reads no file" : "");
}

int main(int argc, char **argv)
{
	struct ingest_options options = {0};
	struct errmsg msg = {""};
	char **asked = argc == 1 ? prompts_ask(argv[0], &argc) : NULL;
	int err = ingest_options_load(&options, argc, asked ? asked : argv, &msg);

	if (err == CONF_RUN) {
		log_setup(
			(enum log_level)options.log_level, (enum log_format)options.log_format);
		take_signals();
		keep_heap();
		err = dispatch(&options, &msg);
	} else if (err == CONF_DONE) {
		err = 0;
	}
	if (err != 0)
		fprintf(stderr, "wt-ingest: %s\n", msg.text);
	conf_release(&options);
	prompts_free(asked);
	return err_exit_code(err);
}
