#include "consumer/watch/story.h"

#include "common/log.h"

#include <stdio.h>
#include <string.h>

#define HOLD_TICKS     3
#define LETTERS_TICKS  10
#define BEHIND_SECONDS 5.0 /* as the headline has it */
#define AHEAD_SECONDS  1.0

static bool see_title(struct story *story, const char *title)
{
	if (strcmp(title, story->title) == 0) {
		story->held = 0;
		return false;
	}
	if (strcmp(title, story->next) != 0)
		story->held = 0;
	snprintf(story->next, sizeof(story->next), "%s", title);
	if (++story->held < HOLD_TICKS)
		return false;
	memcpy(story->before, story->title, sizeof(story->before));
	memcpy(story->title, story->next, sizeof(story->title));
	story->held = 0;
	return true;
}

static int see_backlog(struct story *story, const struct lag_view *v, int64_t now_ms)
{
	if (v->lag < 0) /* unknown: neither begins nor ends anything */
		return 0;
	if (!story->behind && v->lag_seconds >= BEHIND_SECONDS) {
		story->behind = true;
		story->begin_wall_ms = now_ms;
		story->begin_committed = v->committed;
		story->peak = v->lag;
		return STORY_BACKLOG;
	}
	if (!story->behind)
		return 0;
	story->peak = v->lag > story->peak ? v->lag : story->peak;
	if (v->lag > 0 && !(v->lag_seconds < AHEAD_SECONDS))
		return 0;
	story->behind = false;
	story->seconds = (double)(now_ms - story->begin_wall_ms) / 1000;
	story->records = v->committed - story->begin_committed;
	return STORY_DRAINED;
}

/* When no more come, or every ten seconds: single ones have their own line, of many one a second. */
static bool see_letters(struct story *story, uint64_t total)
{
	bool more = total != story->letters_seen;

	story->letters_seen = total;
	if (total == story->letters_told)
		return false;
	if (more && ++story->letters_ticks < LETTERS_TICKS)
		return false;
	story->letters = total - story->letters_told;
	story->letters_told = total;
	story->letters_ticks = 0;
	return true;
}

int story_tick(struct story *story, const struct picture *picture)
{
	int news = see_title(story, picture->title) ? STORY_HEALTH : 0;

	if (see_letters(story, picture->deadlettered))
		news |= STORY_LETTERS;
	return news | see_backlog(story, &picture->lag.total.view, picture->wall_ms);
}

static enum log_level log_level_of(enum level level)
{
	return level == LEVEL_OK ? LOG_INFO : level == LEVEL_BAD ? LOG_ERROR : LOG_WARN;
}

void story_tell(const struct story *story, const struct picture *picture, int news)
{
	const struct lag_view *v = &picture->lag.total.view;

	if (news & STORY_BACKLOG)
		log_event(LOG_WARN, "backlog", LOG_F("lag", LOG_INT(v->lag)),
			LOG_F("oldest_s", LOG_NUM(v->lag_seconds)),
			LOG_F("committed", LOG_INT(v->committed)));
	if (news & STORY_DRAINED)
		log_event(LOG_INFO, "backlog_drained",
			LOG_F("records", LOG_INT(story->records)),
			LOG_F("took_s", LOG_NUM(story->seconds)),
			LOG_F("peak", LOG_INT(story->peak)),
			LOG_F("committed", LOG_INT(v->committed)));
	if (news & STORY_LETTERS)
		log_event(LOG_WARN, "dead_letters", LOG_F("new", LOG_INT(story->letters)),
			LOG_F("total", LOG_INT(story->letters_told)));
	/* The sentence of the page may quote a store; the lag's reason never quotes a record. */
	if (news & STORY_HEALTH)
		log_event(log_level_of(picture->level), "health",
			LOG_F("is", LOG_STR(story->title)),
			LOG_F("was", LOG_STR(story->before[0] ? story->before : "starting")),
			LOG_F("lag", LOG_INT(v->lag)), LOG_F("why", LOG_STR(v->reason)));
}
