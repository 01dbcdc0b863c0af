/* options: wt-consumer's, for all verbs; from options.def. */
#ifndef CONSUMER_VERBS_OPTIONS_H
#define CONSUMER_VERBS_OPTIONS_H

#include "common/conf.h"

struct consumer_options {
	struct conf conf;
#define OPTION CONF_FIELD
#include "consumer/verbs/options.def"
#undef OPTION
};

extern const struct conf_program consumer_program;

#endif
