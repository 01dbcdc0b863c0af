/*
 * run: one run of load from the first request to lag 0. run_load() blocks: it owns the loop, the
 * driver, the connections and the lag source, and fills in a summary that the reports read.
 */
#ifndef LOADGEN_RUN_H
#define LOADGEN_RUN_H

#include "loadgen/check.h"
#include "loadgen/request.h"
#include "loadgen/summary.h"
#include "loadgen/threshold.h"
#include "loadgen/visible.h"

struct run_settings {
	struct http_url url; /* probed */
	struct http_url lag_url; /* probed; host NULL: no lag is asked for */
	struct lag_observer *observer; /* instead of the lag_url; borrowed; NULL: none */
	struct stages stages;
	enum arrivals arrivals;
	struct request *request; /* borrowed */
	uint64_t keys, seed;
	int connections, timeout_ms, lag_interval_ms, drain_timeout_ms;
	size_t backlog;
	bool quiet;
	bool no_body; /* of answers: HEAD */
	const struct thresholds *abort_on; /* NULL: run to the end */
	const struct visible_config *visible; /* NULL: no record is looked for */
	const struct check_config *check; /* NULL: the stores are not asked at the end */
	const char *ids_file; /* NULL: none */
	bool later; /* not the session's first run: goes on in the files of ids */
};

/*
 * 0 when it came to its end, a signal's included (summary->stopped). The summary is initialized. After
 * an error summary->ran tells whether the load itself was made: then the summary is as good as ever,
 * but for what failed (the check, the file of ids).
 */
int run_load(const struct run_settings *settings, struct summary *summary, struct errmsg *msg);

#endif
