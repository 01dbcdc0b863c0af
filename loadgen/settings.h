/*
 * settings: from options and scenario to what a session needs. Main thread.
 * conf_load(&g.options) -> settings_make -> settings_probe -> settings_session -> settings_release.
 */
#ifndef LOADGEN_SETTINGS_H
#define LOADGEN_SETTINGS_H

#include "common/conf.h"
#include "loadgen/session.h"

struct loadgen_options {
	struct conf conf;
#define OPTION CONF_FIELD
#include "common/options.def"
#include "loadgen/options.def"
#undef OPTION
};

extern const struct conf_program settings_program;

struct settings {
	struct loadgen_options options;
	struct scenario scenario;
	bool has_scenario;
	struct thresholds thresholds;
	struct run_settings run;
	struct tls_client *tls; /* NULL: no https:// */
	char prefix[32]; /* made for key.prefix=auto */
	char *token, *mysql_password, *redis_password;
	struct visible_config visible;
	struct check_config check;
	rd_kafka_conf_t *letters; /* the check's way to the dead letters */
};

/* Checks everything that needs no server; ERR_CONFIG. */
int settings_make(struct settings *g, struct errmsg *msg);
/* Part of settings_make: loads the scenario, if there is one. ERR_CONFIG. */
int settings_take_scenario(struct settings *g, struct errmsg *msg);
/* Tries target and lag source; ERR_UNAVAILABLE. */
int settings_probe(struct settings *g, struct errmsg *msg);
/* Fills in the session; `g` and `command` must outlive it. */
void settings_session(struct settings *g, const char *command, struct session *session);
int settings_print_scenario(struct settings *g, FILE *out, struct errmsg *msg);
void settings_release(struct settings *g);

#endif
