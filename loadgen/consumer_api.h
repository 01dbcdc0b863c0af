/*
 * consumer_api: the requests a scenario makes of wt-consumer between runs. Blocking; not while a
 * load is running. Any thread.
 */
#ifndef LOADGEN_CONSUMER_API_H
#define LOADGEN_CONSUMER_API_H

#include "common/err.h"
#include "loadgen/http_url.h"
#include "loadgen/lag_look.h"

/*
 * POST /workers {"count": N}, then waits until /status shows N. `token` may be NULL. ERR_REFUSED
 * when the consumer says no, ERR_UNAVAILABLE when it does not answer, ERR_TIMEOUT when the count
 * does not come.
 */
int consumer_set_workers(
	const struct http_url *url, const char *token, int count, struct errmsg *msg);
/* One look at url's path. The caller releases it. */
int consumer_look(const struct http_url *url, struct lag_look *look, struct errmsg *msg);

#endif
