#include "consumer/verbs/run_watch.h"

#include "common/lag.h"
#include "common/log.h"
#include "common/mem.h"
#include "consumer/watch/watch.h"

#include <stdlib.h>
#include <string.h>

struct run_watch {
	struct pool *pool;
	struct lag_observer *observer;
	struct watch *watch;
};

static void get_snapshot(void *user, struct snapshot *out)
{
	pool_snapshot(((struct run_watch *)user)->pool, out);
}

static void get_lag(void *user, struct lag_snapshot *out)
{
	lag_observer_snapshot(((struct run_watch *)user)->observer, out);
}

static int set_workers(void *user, int count, struct errmsg *msg)
{
	return pool_set_workers(((struct run_watch *)user)->pool, count, msg);
}

static void drain(void *user)
{
	pool_drain(((struct run_watch *)user)->pool);
}

static int start_observer(
	struct run_watch *w, const struct settings *settings, struct errmsg *msg)
{
	int count = settings->mapping.route_count;
	const char **topics = mem_zero((size_t)count + 1, sizeof(*topics));
	for (int i = 0; i < count; i++)
		topics[i] = settings->mapping.routes[i].topic;
	struct lag_config config = {.group = settings->options->group,
		.topics = topics,
		.topic_count = (size_t)count,
		.timeout_ms = settings->options->kafka_timeout};
	rd_kafka_conf_t *conf;
	int err = settings_kafka(settings, "wt-consumer-lag", &conf, msg);
	if (!err)
		err = lag_observer_start(&w->observer, &config, conf, msg);
	free(topics);
	return err;
}

static int start_server(struct run_watch *w, const struct settings *settings,
	struct meters *meters, struct errmsg *msg)
{
	const struct consumer_options *options = settings->options;
	char *token = NULL;
	int err = options->status_token_file
			  ? conf_read_secret_file(options->status_token_file, &token, msg)
			  : 0;
	if (!err) {
		struct watch_config config = {.listen = options->status_listen,
			.token = token,
			.source = {.user = w,
				.snapshot = get_snapshot,
				.lag = get_lag,
				.set_workers = set_workers,
				.drain = drain,
				.meters = meters}};
		err = watch_start(&w->watch, &config, msg);
	}
	free(token);
	if (!err)
		log_event(LOG_INFO, "status_listening",
			LOG_F("listen", LOG_STR(options->status_listen)),
			LOG_F("port", LOG_INT(watch_port(w->watch))));
	return err;
}

int run_watch_start(struct run_watch **out, const struct settings *settings, struct pool *pool,
	struct meters *meters, struct errmsg *msg)
{
	const char *listen = settings->options->status_listen;
	*out = NULL;
	if (!listen || strcmp(listen, "off") == 0)
		return 0;
	struct run_watch *w = mem_zero(1, sizeof(*w));
	w->pool = pool;
	int err = start_observer(w, settings, msg);
	if (!err)
		err = start_server(w, settings, meters, msg);
	if (err) {
		run_watch_stop(w);
		return err;
	}
	pool_observe(pool, w->observer);
	*out = w;
	return 0;
}

void run_watch_stop(struct run_watch *watch)
{
	if (!watch)
		return;
	watch_stop(watch->watch);
	lag_observer_stop(watch->observer);
	free(watch);
}
