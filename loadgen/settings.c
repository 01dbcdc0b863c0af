#include "loadgen/settings.h"

#include "common/clock.h"
#include "common/kafka_conf.h"
#include "common/lag.h"
#include "common/mem.h"
#include "loadgen/lag_group.h"
#include "loadgen/random.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROBE_TIMEOUT_MS 5000
#define OBSERVE_MS	 200
#define CHECK_WAIT_MS	 5000

#define OPTION(...) CONF_ROW(struct loadgen_options, __VA_ARGS__)
static const struct conf_option option_rows[] = {
#include "common/options.def"
#include "loadgen/options.def"
};
#undef OPTION

const struct conf_program settings_program = {
	.name = "wt-loadgen",
	.summary = "open-loop HTTP load: latency from the intended start, and consumer lag",
	.usage = "[OPTIONS] | compare A.json B.json... [--report.html FILE]",
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

/* One that nobody typed. */
static int add_soft(struct thresholds *t, const char *text, struct errmsg *msg)
{
	int err = thresholds_add(t, text, msg);

	if (err == 0)
		t->list[t->count - 1].soft = true;
	return err;
}

static int add_thresholds(struct settings *g, struct errmsg *msg)
{
	const struct conf_list *list = &g->options.thresholds;
	struct thresholds *t = &g->thresholds;
	bool lag = g->options.lag_url || g->options.lag_group;
	int err = 0;

	for (size_t i = 0; err == 0 && i < list->count; i++)
		err = *list->items[i] ? thresholds_add(t, list->items[i], msg) : 0;
	/* one's own on a figure goes before the scenario's; without a lag source its lag ones rest */
	for (size_t i = 0; err == 0 && i < g->scenario.thresholds_count; i++) {
		const char *text = g->scenario.thresholds[i];
		char *name = mem_strndup(text, strcspn(text, "<>=! "));

		if (!thresholds_has(t, name) && (lag || !summary_metric_needs_lag(name)))
			err = add_soft(t, text, msg);
		free(name);
	}
	if (err == 0 && !thresholds_has(t, "error_rate") && !thresholds_has(t, "errors"))
		err = add_soft(t, "error_rate==0", msg);
	if (err == 0 && (lag || g->options.verify_visible) && !thresholds_has(t, "lost"))
		err = add_soft(t, "lost==0", msg);
	return err;
}

/* Run-unique and short: so that two runs never write the same key unless asked to. */
static void make_prefix(struct settings *g)
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

static int make_request(struct settings *g, struct errmsg *msg)
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
	return request_open(&g->run.request, &plan, &g->run.url, msg);
}

static int make_urls(struct settings *g, struct errmsg *msg)
{
	const struct loadgen_options *o = &g->options;
	int err = http_url_parse(&g->run.url, o->url ? o->url : "", msg);

	if (err == 0 && o->lag_url && o->lag_group)
		err = errmsg_set(msg, ERR_CONFIG, "options lag.url and lag.group: choose one");
	if (err == 0 && o->lag_url)
		err = http_url_parse(&g->run.lag_url, o->lag_url, msg);
	if (err == 0 && o->lag_url && strcmp(g->run.lag_url.path, "/") == 0) {
		free(g->run.lag_url.path);
		g->run.lag_url.path = mem_strdup("/status");
	}
	return err;
}

static int make_tls(struct settings *g, struct errmsg *msg)
{
	const struct loadgen_options *o = &g->options;
	int err;

	if (o->tls_ca && o->insecure)
		return errmsg_set(msg, ERR_CONFIG, "options tls-ca and insecure: choose one");
	if (!g->run.url.secure && !g->run.lag_url.secure)
		return 0;
	err = tls_client_open(&g->tls, o->tls_ca, o->insecure, msg);
	if (g->run.url.secure)
		g->run.url.tls = g->tls;
	if (g->run.lag_url.secure)
		g->run.lag_url.tls = g->tls;
	return err;
}

static void copy_settings(struct settings *g)
{
	const struct loadgen_options *o = &g->options;

	g->run.arrivals = (enum arrivals)o->arrivals;
	g->run.keys = (uint64_t)o->keys;
	g->run.seed = (uint64_t)o->seed;
	g->run.connections = (int)o->connections;
	g->run.timeout_ms = (int)o->timeout_ms;
	g->run.lag_interval_ms = (int)o->lag_interval_ms;
	g->run.drain_timeout_ms = (int)o->drain_timeout_ms;
	g->run.backlog = (size_t)o->backlog;
	g->run.quiet = o->quiet;
	g->run.no_body = o->method && strcmp(o->method, "HEAD") == 0;
	g->run.ids_file = o->ids_file;
	g->run.abort_on = o->abort_on_fail ? &g->thresholds : NULL;
}

static int secret(const char *given, const char *file, char **to, struct errmsg *msg)
{
	if (given) {
		*to = mem_strdup(given);
		return 0;
	}
	return file ? conf_read_secret_file(file, to, msg) : 0;
}

static int make_visible(struct settings *g, struct errmsg *msg)
{
	const struct loadgen_options *o = &g->options;
	int err;

	if (o->verify_visible == 0)
		return 0;
	if (g->run.keys)
		return errmsg_set(msg, ERR_CONFIG,
			"option verify-visible: needs keys=0: of a key that is written again "
			"nobody can see which record is there");
	err = secret(o->mysql_password, o->mysql_password_file, &g->mysql_password, msg);
	if (err == 0)
		err = secret(
			o->redis_password, o->redis_password_file, &g->redis_password, msg);
	g->visible = (struct visible_config){.per_second = (int)o->verify_visible,
		.mysql_host = o->mysql_host,
		.mysql_user = o->mysql_user,
		.mysql_password = g->mysql_password,
		.mysql_database = o->mysql_database,
		.mysql_port = (int)o->mysql_port,
		.redis_host = o->redis_host,
		.redis_password = g->redis_password,
		.redis_port = (int)o->redis_port,
		.redis_database = (int)o->redis_database};
	g->run.visible = &g->visible;
	return err;
}

/* What --verify-visible does at the end. */
static int make_check(struct settings *g, struct errmsg *msg)
{
	const struct loadgen_options *o = &g->options;
	int err;

	if (!g->run.visible)
		return o->lost_file ? errmsg_set(msg, ERR_CONFIG,
					      "option lost.file: needs verify-visible")
				    : 0;
	err = kafka_conf_new(&g->letters, &o->conf, "wt-loadgen", msg);
	g->check = (struct check_config){.stores = &g->visible,
		.ids_max = (size_t)o->verify_max,
		.wait_ms = CHECK_WAIT_MS,
		.kafka = g->letters,
		.letters_topic = o->deadletter_topic,
		.lost_file = o->lost_file};
	g->run.check = &g->check;
	return err;
}

int settings_make(struct settings *g, struct errmsg *msg)
{
	const struct loadgen_options *o = &g->options;
	int err;

	if (o->conf.positional.count)
		return errmsg_set(msg, ERR_CONFIG,
			"unknown argument '%s'; the only verb is compare, see --help",
			o->conf.positional.items[0]);
	err = settings_take_scenario(g, msg);
	if (err != 0)
		return err;
	copy_settings(g);
	err = stages_parse(&g->run.stages, o->stages ? o->stages : "", msg);
	if (err != 0) {
		errmsg_wrap(msg, "option stages");
		return err;
	}
	stages_speed_up(&g->run.stages, o->speedup);
	err = make_urls(g, msg);
	if (err == 0)
		err = make_tls(g, msg);
	if (err == 0)
		err = add_thresholds(g, msg);
	if (err == 0 && o->lag_token_file)
		err = conf_read_secret_file(o->lag_token_file, &g->token, msg);
	if (err == 0)
		err = make_visible(g, msg);
	if (err == 0)
		err = make_check(g, msg);
	return err ? err : make_request(g, msg);
}

static int open_observer(struct settings *g, struct errmsg *msg)
{
	const struct loadgen_options *o = &g->options;
	rd_kafka_conf_t *kafka;
	int err = kafka_conf_new(&kafka, &o->conf, "wt-loadgen", msg);

	if (err == 0)
		err = lag_group_open(
			&g->run.observer, o->lag_group, o->topic, OBSERVE_MS, kafka, msg);
	return err;
}

int settings_probe(struct settings *g, struct errmsg *msg)
{
	int err = http_url_probe(&g->run.url, PROBE_TIMEOUT_MS, msg);

	if (err == 0 && g->options.lag_group)
		return open_observer(g, msg);
	if (err == 0 && g->run.lag_url.host) {
		err = http_url_probe(&g->run.lag_url, PROBE_TIMEOUT_MS, msg);
		if (err != 0)
			errmsg_wrap(msg, "option lag.url");
	}
	return err;
}

void settings_session(struct settings *g, const char *command, struct session *session)
{
	const struct loadgen_options *o = &g->options;

	*session = (struct session){.run = &g->run,
		.thresholds = &g->thresholds,
		.scenario = g->has_scenario ? &g->scenario : NULL,
		.workers = (int)o->workers,
		.token = g->token,
		.speedup = o->speedup,
		.csv = o->report_csv,
		.hdr = o->report_hdr};
	session->about = (struct report_about){.url = o->url,
		.scenario = g->has_scenario ? g->scenario.name : "",
		.command = command,
		.connections = g->run.connections,
		.keys = g->run.keys,
		.seed = g->run.seed,
		.arrivals = g->run.arrivals == ARRIVALS_POISSON ? "poisson" : "constant",
		.key_prefix = g->prefix[0]    ? g->prefix
			      : o->key_prefix ? o->key_prefix
					      : ""};
}

int settings_print_scenario(struct settings *g, FILE *out, struct errmsg *msg)
{
	char *names;
	int err;

	if (g->options.scenario) {
		g->has_scenario = true;
		err = scenario_load(&g->scenario, g->options.scenario, msg);
		if (err == 0)
			fputs(g->scenario.text, out);
		return err;
	}
	names = scenario_names();
	fprintf(out, "%s\n", names);
	free(names);
	return 0;
}

void settings_release(struct settings *g)
{
	request_close(g->run.request);
	lag_observer_stop(g->run.observer);
	http_url_release(&g->run.url);
	http_url_release(&g->run.lag_url);
	tls_client_close(g->tls);
	if (g->letters)
		rd_kafka_conf_destroy(g->letters);
	thresholds_release(&g->thresholds);
	if (g->has_scenario)
		scenario_release(&g->scenario);
	free(g->token);
	free(g->mysql_password);
	free(g->redis_password);
	conf_release(&g->options);
}
