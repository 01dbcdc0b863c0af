/*
 * live_screen: the terminal's picture of a run, a few lines of text. Pure: state and history in,
 * text out; live.c places it. Any thread.
 */
#ifndef LOADGEN_LIVE_SCREEN_H
#define LOADGEN_LIVE_SCREEN_H

#include "loadgen/live.h"

struct screen_style {
	int columns; /* no line is wider */
	bool color, utf8;
};

/* Lines with '\n' ends; *lines = how many. Caller frees with free(). */
char *live_screen(const struct live_state *state, const struct stats_row *row,
	const struct screen_style *style, int *lines);

#endif
