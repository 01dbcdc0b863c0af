/*
 * lag_http: asks the consumer's /status at an interval, on the load's own loop. A look that fails
 * is reported too, as unknown; the next one goes to the name's next address. Loop thread only.
 * new -> (interval) -> close -> (loop runs dry) -> free.
 */
#ifndef LOADGEN_LAG_HTTP_H
#define LOADGEN_LAG_HTTP_H

#include "loadgen/http_url.h"
#include "loadgen/lag_look.h"

#include <uv.h>

struct lag_http;

/* The url has been probed; it is borrowed until free. */
struct lag_http *lag_http_new(uv_loop_t *loop, const struct http_url *url, int interval_ms,
	lag_seen *seen, void *ctx);
/* Changes the interval and looks now. */
void lag_http_interval(struct lag_http *l, int interval_ms);
void lag_http_close(struct lag_http *l);
void lag_http_free(struct lag_http *l);

#endif
