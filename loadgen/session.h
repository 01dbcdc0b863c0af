/*
 * session: what one call of the program does with runs: one run, a round per worker count, or the
 * search for the highest rate that holds. Each run is summed up on stdout as it ends and kept as a
 * JSON document for the reports. Blocking; main thread. session_run() once, then session_release().
 */
#ifndef LOADGEN_SESSION_H
#define LOADGEN_SESSION_H

#include "loadgen/report.h"
#include "loadgen/run.h"
#include "loadgen/scenario.h"

struct session {
	/* set before session_run; all borrowed */
	struct run_settings *run;
	struct thresholds *thresholds;
	const struct scenario *scenario; /* NULL: none */
	struct report_about about; /* its exit_code is filled in */
	int workers; /* to be set before a single run; -1: leave them alone */
	const char *token; /* for the consumer's API, or NULL */
	double speedup;
	const char *csv, *hdr; /* files, or NULL */
	/* from session_run */
	json_t *runs; /* array of run documents */
	json_t *search; /* what the search found; NULL: there was none */
	int code; /* the program's exit code */
};

#define EXIT_THRESHOLD 99
#define EXIT_SIGNAL    105

int session_run(struct session *s, struct errmsg *msg);
/* One run: its document; several: {"schema", "search", "runs"}. Caller decrefs. */
json_t *session_document(const struct session *s);
void session_release(struct session *s);

#endif
