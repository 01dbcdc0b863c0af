/*
 * lag_look: how far behind the consumers are, as one source saw it at one time. Unknown is unknown:
 * -1 for counts, NAN for seconds, and never 0. The sources (lag_http, lag_group) make one per look.
 */
#ifndef LOADGEN_LAG_LOOK_H
#define LOADGEN_LAG_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct look_partition {
	char topic[250];
	int id;
	int64_t end, committed, lag; /* -1 unknown */
	double seconds, eta_seconds; /* NAN unknown */
	int worker; /* -1 nobody, or unknown */
	char state[16];
};

struct lag_look {
	bool known; /* an answer came, and every partition's lag is in it */
	int64_t asked_ns; /* the look began; what it shows is not older */
	int64_t total; /* -1 unknown */
	double seconds, eta_seconds; /* of the worst partition; NAN unknown */
	int workers; /* -1 unknown */
	int64_t rebalances, deadletters; /* -1 unknown */
	int64_t age_ms; /* of what the source shows, by its own word; 0 if it says none */
	size_t count;
	struct look_partition *partitions;
	char why[160]; /* what is unknown, in words */
};

/* A source reports each look here; the look is borrowed for the call. */
typedef void lag_seen(void *ctx, const struct lag_look *look);

void lag_look_init(struct lag_look *look);
struct look_partition *lag_look_add(struct lag_look *look);
/* Sums what the partitions say. */
void lag_look_total(struct lag_look *look);
/* The partition of that topic, or NULL. A name that the look or the caller lacks ("") fits any. */
const struct look_partition *lag_look_find(
	const struct lag_look *look, const char *topic, int partition);
void lag_look_release(struct lag_look *look);
/* Into `look` from the consumer's /status document. False, with why, when it is none. */
bool lag_look_parse(struct lag_look *look, const char *json, size_t bytes);

#endif
