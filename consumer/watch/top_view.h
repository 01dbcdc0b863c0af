/*
 * top_view: /status as text for a terminal. Pure: JSON in, lines out. Columns are left out where
 * the terminal is narrow; no line is wider than it.
 */
#ifndef CONSUMER_WATCH_TOP_VIEW_H
#define CONSUMER_WATCH_TOP_VIEW_H

#include "consumer/watch/top_trend.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct top_view {
	int width, height; /* of the terminal */
	bool color, utf8;
	const struct top_trend *trend; /* borrowed */
	const char *gone; /* "disconnected since 13:05:12", or NULL */
};

/* The whole picture, '\n' after each line. `status` is NULL before the first. Caller frees. */
char *top_view_text(const struct top_view *view, const json_t *status);
/* One line for a log or a pipe. Caller frees. */
char *top_view_line(const json_t *status);

#endif
