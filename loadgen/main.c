/*
 * wt-loadgen: open-loop HTTP load, latency from the intended start, and the lag it causes.
 *  1 options (options.def), stages, thresholds, the request's templates: a mistake is exit 64
 *  2 the target, and the lag source, are tried once: one that is not there is exit 69
 *  3 run.c does the run
 *  4 thresholds are judged, the reports written; the exit code says how it went
 */
#include "common/clock.h"
#include "common/conf.h"
#include "common/kafka_conf.h"
#include "common/lag.h"
#include "common/log.h"
#include "common/mem.h"
#include "loadgen/lag_group.h"
#include "loadgen/random.h"
#include "loadgen/report.h"
#include "loadgen/run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define EXIT_THRESHOLD	 99
#define EXIT_SIGNAL	 105
#define PROBE_TIMEOUT_MS 5000

struct loadgen_options {
	struct conf conf;
#define OPTION CONF_FIELD
#include "common/options.def"
#include "loadgen/options.def"
#undef OPTION
};

#define OPTION(...) CONF_ROW(struct loadgen_options, __VA_ARGS__)
static const struct conf_option option_rows[] = {
#include "common/options.def"
#include "loadgen/options.def"
};
#undef OPTION

static const struct conf_program program = {
	.name = "wt-loadgen",
	.summary = "open-loop HTTP load: latency from the intended start, and consumer lag",
	.usage = "[OPTIONS]",
	.more = "Exit codes: 0 done, 99 a threshold failed, 105 stopped by a signal, 64 "
		"options, "
		"69 no server, 74 a report\ncould not be written, 75 the lag did not come to "
		"0.\n"
		"Without a threshold of your own on them, error_rate==0 and (with a lag "
		"source) "
		"lost==0 must hold.\n",
	.options = option_rows,
	.count = sizeof(option_rows) / sizeof(option_rows[0]),
};

struct loadgen {
	struct loadgen_options options;
	struct thresholds thresholds;
	struct run_settings settings;
	struct summary summary;
	char prefix[32];
	char *command;
};

static char *join_arguments(int argc, char **argv)
{
	char *text = mem_strdup("wt-loadgen");

	for (int i = 1; i < argc; i++) {
		bool plain = !strpbrk(argv[i], " <>{}|*&;'\"$");
		char *longer = mem_printf(plain ? "%s %s" : "%s '%s'", text, argv[i]);

		free(text);
		text = longer;
	}
	return text;
}

static int load_thresholds(struct loadgen *g, struct errmsg *msg)
{
	const struct conf_list *list = &g->options.thresholds;
	int err = 0;

	for (size_t i = 0; err == 0 && i < list->count; i++)
		err = *list->items[i] ? thresholds_add(&g->thresholds, list->items[i], msg) : 0;
	if (err == 0 && !thresholds_has(&g->thresholds, "error_rate") &&
		!thresholds_has(&g->thresholds, "errors"))
		err = thresholds_add(&g->thresholds, "error_rate==0", msg);
	if (err == 0 && (g->options.lag_url || g->options.lag_group) &&
		!thresholds_has(&g->thresholds, "lost"))
		err = thresholds_add(&g->thresholds, "lost==0", msg);
	return err;
}

/* Run-unique and short: so that two runs never write the same key unless asked to. */
static void make_prefix(struct loadgen *g)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint64_t value = (uint64_t)clock_wall_us() ^ (random_mix((uint64_t)getpid()) >> 44);
	size_t at = sizeof(g->prefix) - 1;

	g->prefix[at] = 0;
	g->prefix[--at] = '-';
	while (value && at > 1) {
		g->prefix[--at] = digits[value % 36];
		value /= 36;
	}
	g->prefix[--at] = 'r';
	memmove(g->prefix, g->prefix + at, sizeof(g->prefix) - at);
}

static int load_request(struct loadgen *g, struct errmsg *msg)
{
	const struct loadgen_options *o = &g->options;
	const char *prefix = o->key_prefix ? o->key_prefix : "";
	struct request_plan plan = {.method = o->method ? o->method : "POST",
		.body = o->body,
		.body_file = o->body_file,
		.headers = &o->headers,
		.keys = (uint64_t)o->keys,
		.skew = o->key_skew,
		.seed = (uint64_t)o->seed};

	if (strcmp(prefix, "auto") == 0) {
		make_prefix(g);
		prefix = g->prefix;
	}
	plan.key_prefix = prefix;
	return request_open(&g->settings.request, &plan, &g->settings.url, msg);
}

static int load_settings(struct loadgen *g, struct errmsg *msg)
{
	const struct loadgen_options *o = &g->options;
	struct run_settings *s = &g->settings;
	int err;

	s->arrivals = (enum arrivals)o->arrivals;
	s->keys = (uint64_t)o->keys;
	s->seed = (uint64_t)o->seed;
	s->connections = (int)o->connections;
	s->timeout_ms = (int)o->timeout_ms;
	s->lag_interval_ms = (int)o->lag_interval_ms;
	s->drain_timeout_ms = (int)o->drain_timeout_ms;
	s->backlog = (size_t)o->backlog;
	s->quiet = o->quiet;
	s->ids_file = o->ids_file;
	s->abort_on = o->abort_on_fail ? &g->thresholds : NULL;
	if (o->lag_url && o->lag_group)
		return errmsg_set(msg, ERR_CONFIG, "options lag.url and lag.group: choose one");
	err = stages_parse(&s->stages, o->stages ? o->stages : "", msg);
	if (err != 0) {
		errmsg_wrap(msg, "option stages");
		return err;
	}
	stages_speed_up(&s->stages, o->speedup);
	err = http_url_parse(&s->url, o->url ? o->url : "", msg);
	if (err == 0 && o->lag_url)
		err = http_url_parse(&s->lag_url, o->lag_url, msg);
	if (err == 0 && o->lag_url && strcmp(s->lag_url.path, "/") == 0) {
		free(s->lag_url.path);
		s->lag_url.path = mem_strdup("/status");
	}
	if (err == 0)
		err = load_thresholds(g, msg);
	return err ? err : load_request(g, msg);
}

#define OBSERVE_MS 200

static int open_observer(struct loadgen *g, struct errmsg *msg)
{
	const struct loadgen_options *o = &g->options;
	rd_kafka_conf_t *kafka;
	int err = kafka_conf_new(&kafka, &o->conf, "wt-loadgen", msg);

	if (err == 0)
		err = lag_group_open(
			&g->settings.observer, o->lag_group, o->topic, OBSERVE_MS, kafka, msg);
	return err;
}

static int probe(struct loadgen *g, struct errmsg *msg)
{
	int err = http_url_probe(&g->settings.url, PROBE_TIMEOUT_MS, msg);

	if (err == 0 && g->options.lag_group)
		return open_observer(g, msg);
	if (err == 0 && g->settings.lag_url.host) {
		err = http_url_probe(&g->settings.lag_url, PROBE_TIMEOUT_MS, msg);
		if (err != 0)
			errmsg_wrap(msg, "option lag.url");
	}
	return err;
}

static int write_reports(struct loadgen *g, int code, struct errmsg *msg)
{
	const struct loadgen_options *o = &g->options;
	struct report_about about = {.url = o->url,
		.scenario = "",
		.command = g->command,
		.connections = g->settings.connections,
		.keys = g->settings.keys,
		.seed = g->settings.seed,
		.arrivals = g->settings.arrivals == ARRIVALS_POISSON ? "poisson" : "constant",
		.key_prefix = g->prefix[0]    ? g->prefix
			      : o->key_prefix ? o->key_prefix
					      : "",
		.exit_code = code};
	int err = 0;

	report_text(&g->summary, &g->thresholds, stdout);
	if (o->report_json)
		err = report_json(o->report_json, &g->summary, &g->thresholds, &about, msg);
	if (err == 0 && o->report_csv)
		err = report_csv(o->report_csv, &g->summary, msg);
	if (err == 0 && o->report_hdr)
		err = report_hdr(o->report_hdr, &g->summary, msg);
	return err;
}

static int verdict(struct loadgen *g)
{
	size_t failed = thresholds_check(&g->thresholds, &g->summary);

	if (g->summary.stopped)
		return EXIT_SIGNAL;
	if (failed)
		return EXIT_THRESHOLD;
	if (g->summary.drain_asked && !g->summary.drained)
		return err_exit_code(ERR_UNFINISHED);
	return 0;
}

static int run(struct loadgen *g, struct errmsg *msg, int *code)
{
	int err = load_settings(g, msg);

	if (err == 0 && g->options.conf.positional.count)
		err = errmsg_set(msg, ERR_CONFIG, "unknown argument '%s'; see --help",
			g->options.conf.positional.items[0]);
	if (err == 0)
		err = probe(g, msg);
	if (err != 0)
		return err;
	summary_init(&g->summary);
	err = run_load(&g->settings, &g->summary, msg);
	if (err == 0) {
		*code = verdict(g);
		err = write_reports(g, *code, msg);
	}
	summary_release(&g->summary);
	return err;
}

int main(int argc, char **argv)
{
	static struct loadgen g;
	struct errmsg msg = {""};
	int code = 0, err;

	err = conf_load(&g.options, &program, argc, argv, &msg);
	if (err == CONF_RUN) {
		log_setup((enum log_level)g.options.log_level,
			(enum log_format)g.options.log_format);
		signal(SIGPIPE, SIG_IGN);
		prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0); /* wake up when asked, not 50 us later */
		g.command = join_arguments(argc, argv);
		err = run(&g, &msg, &code);
	}
	if (err < 0) {
		fprintf(stderr, "wt-loadgen: %s\n", msg.text);
		code = err_exit_code(err);
	}
	free(g.command);
	request_close(g.settings.request);
	lag_observer_stop(g.settings.observer);
	http_url_release(&g.settings.url);
	http_url_release(&g.settings.lag_url);
	thresholds_release(&g.thresholds);
	conf_release(&g.options);
	return code;
}
