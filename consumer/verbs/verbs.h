/*
 * verbs: what wt-consumer can be asked to do. A verb gets the loaded options (positional[0] is its
 * own name) and returns 0, an ERR_* with the words in msg, or a positive exit code of its own
 * after it has said why itself.
 */
#ifndef CONSUMER_VERBS_VERBS_H
#define CONSUMER_VERBS_VERBS_H

#include "consumer/verbs/options.h"

int verb_run(struct consumer_options *options, struct errmsg *msg);
int verb_lag(struct consumer_options *options, struct errmsg *msg);
int verb_verify(struct consumer_options *options, struct errmsg *msg);
int verb_replay(struct consumer_options *options, struct errmsg *msg);
int verb_top(struct consumer_options *options, struct errmsg *msg);
int verb_reset(struct consumer_options *options, struct errmsg *msg);

#endif
