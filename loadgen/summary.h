/*
 * summary: what a run came to, before anybody words it. Filled in by run, read by the thresholds
 * and the reports. init -> run_load -> read -> release.
 */
#ifndef LOADGEN_SUMMARY_H
#define LOADGEN_SUMMARY_H

#include "loadgen/acks.h"
#include "loadgen/check.h"
#include "loadgen/driver.h"
#include "loadgen/stats.h"
#include "loadgen/visible.h"

struct summary {
	struct stats stats;
	struct acks *acks;
	struct driver_counts counts;
	struct schedule schedule;
	uint64_t distinct; /* keys acknowledged */
	uint64_t abandoned; /* in flight when the run was cut off */
	uint64_t connects;
	struct visible *visible; /* finished; NULL: nothing was looked for */
	struct check_result check;
	double seconds; /* from the start to the last answer */
	int64_t started_ms; /* wall clock */
	double load_before, load_after; /* of the machine, one minute's average */
	int stopped; /* the signal that ended it, or 0 */
	bool ran; /* there is a load to report, whatever failed after it */
	bool aborted; /* by a threshold */
	/* the drain: asked = a lag source was given and the run came that far */
	bool drain_asked, drained;
	double drain_seconds; /* from the last request sent to lag 0; NAN */
	/* acknowledged records the consumer has not passed, when the source could tell */
	bool account_known;
	uint64_t pending; /* behind the committed offset, the drain did not end */
	uint64_t lost; /* lag 0, or beyond the end of the partition, and still not passed */
};

void summary_init(struct summary *s);
void summary_release(struct summary *s);
/* Compares the acknowledged offsets with the latest lag look. */
void summary_account(struct summary *s);
/* Has the look's committed offset passed every acknowledged record? */
bool summary_all_passed(const struct summary *s, const struct lag_look *look);

/* Acknowledged records that are nowhere, by offset or by the check of the ids. */
uint64_t summary_lost(const struct summary *s);
bool summary_lost_known(const struct summary *s);
double summary_offered_rate(const struct summary *s); /* due / schedule's length */
double summary_achieved_rate(
	const struct summary *s); /* answered / time until the last answer */
uint64_t summary_errors(const struct summary *s); /* with the dropped */
double summary_error_rate(const struct summary *s);
/* Dead letters the consumer wrote during the run; -1 unknown. */
int64_t summary_deadlettered(const struct summary *s);

/*
 * A reported figure by its name, as thresholds use it; NAN: unknown in this run. False: there is no
 * such name.
 */
bool summary_metric(const struct summary *s, const char *name, double *value);
/* The names that exist, for a message. */
const char *summary_metric_names(void);
/* Sampled records that were not found in one of the stores or the other; -1 unknown. */
int64_t summary_invisible(const struct summary *s);

/*
 * While the run lasts: the least that a figure can still come to, whatever follows; NAN: it may come
 * to anything.
 */
double summary_at_least(const struct summary *s, const char *name);
/* Is it unknown when answers name no offset? */
bool summary_metric_needs_positions(const char *name);
/* Is it unknown without a lag source? */
bool summary_metric_needs_lag(const char *name);

#endif
