/*
 * picture: one moment of the consumer, put together from the pool, the lag observer and the meters,
 * and what is said about it. The watch's thread makes it; a copy of everything, borrows nothing.
 */
#ifndef CONSUMER_WATCH_PICTURE_H
#define CONSUMER_WATCH_PICTURE_H

#include "consumer/watch/latency.h"
#include "consumer/watch/watch.h"

#include <jansson.h>

enum level { LEVEL_OK, LEVEL_WARN, LEVEL_BAD, LEVEL_UNKNOWN };

struct picture {
	int64_t wall_ms;
	struct snapshot pool;
	struct lag_snapshot lag;
	struct latency latency;
	struct letter_note letters[LETTERS_SHOWN]; /* the newest first */
	int letter_count;
	struct named_counter letter_reasons[METERS_NAMED_MAX];
	int reason_count;
	struct named_counter store_errors[METERS_NAMED_MAX];
	int store_error_count;
	uint64_t deadlettered; /* sum of the reasons */
	enum level level;
	char title[80]; /* "Behind" */
	char text[240]; /* one sentence */
};

/* The latency is the caller's, who keeps its window. */
void picture_take(struct picture *picture, const struct watch_source *source,
	const struct latency *latency);
void picture_release(struct picture *picture);

/* What this process has of the partition, or NULL: somebody else's. */
const struct snapshot_partition *picture_own(
	const struct picture *picture, const char *topic, int32_t partition);
/* "ok", "catching up", "rebuilding" or "unverified". */
const char *picture_cache(const struct snapshot_partition *own);
const char *level_name(enum level level);

/* Fills level, title and text; part of picture_take(). */
void picture_headline(struct picture *picture);
/* The body of /status. A new reference. */
json_t *picture_json(const struct picture *picture);

#endif
