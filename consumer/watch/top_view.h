/*
 * top_view: /status as text for a terminal. Pure: JSON in, lines out. Columns are left out where
 * the terminal is narrow; no line is wider than it.
 */
#ifndef CONSUMER_WATCH_TOP_VIEW_H
#define CONSUMER_WATCH_TOP_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define TOP_TREND 512

struct top_view {
	int width, height; /* of the terminal */
	bool color, utf8;
	double trend[TOP_TREND]; /* lag, a point a picture, the newest last; NAN = not known */
	int trend_count;
	const char *gone; /* "disconnected since 13:05:12", or NULL */
};

void top_view_remember(struct top_view *view, const json_t *status);
/* The whole picture, '\n' after each line. `status` is NULL before the first. Caller frees. */
char *top_view_text(const struct top_view *view, const json_t *status);
/* One line for a log or a pipe. Caller frees. */
char *top_view_line(const json_t *status);

#endif
