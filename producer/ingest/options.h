/* options: what wt-ingest was asked to do. Loaded before the first thread, then read-only. */
#ifndef PRODUCER_INGEST_OPTIONS_H
#define PRODUCER_INGEST_OPTIONS_H

#include "common/conf.h"

struct ingest_options {
	struct conf conf;
#define OPTION CONF_FIELD
#include "common/options.def"
#include "producer/ingest/options.def"
#undef OPTION
	/* from the positional arguments */
	struct conf_list paths; /* borrowed from conf.positional */
};

extern const struct conf_program ingest_program;

/* CONF_RUN, CONF_DONE or an ERR_*. A YAML or JSON --config is understood too. */
int ingest_options_load(
	struct ingest_options *options, int argc, char **argv, struct errmsg *msg);

#endif
