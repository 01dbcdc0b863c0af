/*
 * story: what the log tells of a consumer's day, beside its single events: when the headline of the
 * page changed, when a backlog began, when it was drained and how. Asked once a second; what lasts
 * less than three is not told, so it is no flood. Watch's thread only; a zeroed struct is a new one.
 */
#ifndef CONSUMER_WATCH_STORY_H
#define CONSUMER_WATCH_STORY_H

#include "consumer/watch/picture.h"

enum story_news {
	STORY_HEALTH = 1, /* `title` is another one than `before` */
	STORY_BACKLOG = 2, /* a backlog began */
	STORY_DRAINED = 4, /* it is gone: `records` in `seconds` */
	STORY_LETTERS =
		8, /* `letters` went to the dead-letter topic, one by one in the log or not */
};

struct story {
	char title[80], before[80]; /* told last, told before that */
	char next[80]; /* seen `held` times, not told yet */
	int held;
	bool behind;
	int64_t begin_wall_ms, begin_committed;
	int64_t peak, records; /* of the backlog: highest lag; committed since it began */
	double seconds;
	uint64_t letters, letters_told,
		letters_seen; /* new ones; all told; all of the last tick */
	int letters_ticks; /* since the first that is not told */
};

/* What is new, a sum of story_news. */
int story_tick(struct story *story, const struct picture *picture);
/* Writes it to the log. */
void story_tell(const struct story *story, const struct picture *picture, int news);

#endif
