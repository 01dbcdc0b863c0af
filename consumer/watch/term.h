/*
 * term: text for a terminal, line by line, cut at its width and height. Colour marks take no room;
 * control characters of others become blanks. Pure; a zeroed struct with its width is an empty one.
 */
#ifndef CONSUMER_WATCH_TERM_H
#define CONSUMER_WATCH_TERM_H

#include <stdbool.h>
#include <stddef.h>

#define TERM_PLAIN "\033[0m"
#define TERM_BOLD  "\033[1m"
#define TERM_FAINT "\033[2m"

struct term {
	int width;
	int height; /* lines beyond it are left out; 0: any */
	bool color, utf8;
	char *text; /* the caller frees it */
	size_t used, room;
	int column, lines;
};

void term_put_text(struct term *term, const char *text);
void term_put(struct term *term, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One of TERM_... or another escape sequence; nothing without colour. */
void term_tone(struct term *term, const char *code);
void term_end_line(struct term *term);

#endif
