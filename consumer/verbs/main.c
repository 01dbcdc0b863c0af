/* wt-consumer: options, then the verb. */
#include "common/err.h"
#include "common/fault.h"
#include "common/log.h"
#include "consumer/verbs/verbs.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OPTION(...) CONF_ROW(struct consumer_options, __VA_ARGS__)
static const struct conf_option rows[] = {
#include "consumer/verbs/options.def"
};
#undef OPTION

struct verb {
	const char *name;
	int (*run)(struct consumer_options *options, struct errmsg *msg);
};

static const struct verb verbs[] = {
	{"run", verb_run},
	{"lag", verb_lag},
	{"top", verb_top},
	{"verify", verb_verify},
	{"replay", verb_replay},
	{"reset", verb_reset},
};

const struct conf_program consumer_program = {
	.name = "wt-consumer",
	.summary = "writes every record of a Kafka topic through to MySQL and Redis, in order, "
		   "once",
	.usage = "[VERB] [OPTIONS]",
	.more = "Verbs:\n"
		"  run       the worker pool (default)\n"
		"  lag       how far behind a group is, from the brokers\n"
		"  top       a running consumer (--status.listen) in the terminal\n"
		"  verify    compares Redis with MySQL; --repair mends Redis (exit 1: they "
		"differ)\n"
		"  replay    list dead letters, and send them again\n"
		"  reset     set where a group goes on: --to, --partition, "
		"--accept-partitions\n"
		"Exit codes: 0 done, 64 usage, 69 a server is not there, 70 bug, 74 I/O,\n"
		"75 stopped with work left, 77 refused.\n",
	.options = rows,
	.count = sizeof(rows) / sizeof(rows[0]),
};

static const struct verb *find_verb(const struct consumer_options *options, struct errmsg *msg)
{
	const char *name =
		options->conf.positional.count ? options->conf.positional.items[0] : "run";

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	errmsg_set(msg, ERR_CONFIG, "unknown verb '%s'; see wt-consumer --help", name);
	return NULL;
}

static int run(struct consumer_options *options, int argc, char **argv, struct errmsg *msg)
{
	int outcome = conf_load(options, &consumer_program, argc, argv, msg);
	const struct verb *verb;

	if (outcome == CONF_DONE)
		return 0;
	if (outcome == 0)
		outcome = fault_check(msg);
	if (outcome != 0)
		return outcome;
	verb = find_verb(options, msg);
	if (!verb || conf_no_more_words(&options->conf, 1, msg) != 0)
		return ERR_CONFIG;
	log_setup((enum log_level)options->log_level, (enum log_format)options->log_format);
	return verb->run(options, msg);
}

/* A report that did not arrive is no success, unless its reader has gone. */
static int check_output(struct errmsg *msg)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	if (poll(&out, 1, 0) > 0 && (out.revents & POLLERR))
		return 0;
	return errmsg_set(msg, ERR_IO, "standard output could not be written");
}

int main(int argc, char **argv)
{
	struct consumer_options options;
	struct errmsg msg = {""};
	int result, output;

	signal(SIGPIPE, SIG_IGN);
	result = run(&options, argc, argv, &msg);
	output = result >= 0 ? check_output(&msg) : 0;
	if (output < 0)
		result = output;
	if (result < 0)
		fprintf(stderr, "wt-consumer: %s\n", msg.text);
	conf_release(&options);
	return result < 0 ? err_exit_code(result) : result;
}
