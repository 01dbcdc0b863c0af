/*
 * report: a summary in words and files. Each writer reads only; a file that cannot be written is an
 * ERR_IO that names it. Called after the run.
 */
#ifndef LOADGEN_REPORT_H
#define LOADGEN_REPORT_H

#include "loadgen/threshold.h"

#include <jansson.h>
#include <stdio.h>

/* What the reports say about how the run was made. Borrowed. */
struct report_about {
	const char *url, *scenario; /* scenario: "" for none */
	const char *command;
	int connections;
	uint64_t keys, seed;
	const char *arrivals, *key_prefix;
	int workers; /* that were asked for; -1: none were */
	int exit_code;
};

void report_text(const struct summary *s, const struct thresholds *t, FILE *out);

/* The run's document, as docs/loadgen.md describes it. Caller frees with json_decref. */
json_t *report_make_json(
	const struct summary *s, const struct thresholds *t, const struct report_about *about);
int report_json(const char *path, const json_t *document, struct errmsg *msg);
/* A page of its own with one run document or several side by side, and what a search found. */
int report_html(const char *path, const json_t *runs, const json_t *search, struct errmsg *msg);

/* `index` 0 begins the file, others append to it. */
int report_csv(const char *path, const struct summary *s, int index, struct errmsg *msg);
int report_hdr(const char *path, const struct summary *s, struct errmsg *msg);

#endif
