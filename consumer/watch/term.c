#include "consumer/watch/term.h"

#include "common/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put_bytes(struct term *t, const char *text, size_t length)
{
	if (t->height && t->lines >= t->height)
		return;
	if (t->used + length + 1 > t->room) {
		t->room = (t->used + length + 1) * 2;
		t->text = mem_resize(t->text, t->room, 1);
	}
	memcpy(t->text + t->used, text, length);
	t->used += length;
	t->text[t->used] = 0;
}

void term_put_text(struct term *term, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool begins = (c & 0xc0) != 0x80; /* of a character, in UTF-8 */
		if (c == 0xc2 && (text[1] & 0xe0) == 0x80) { /* U+0080 to U+009F control, too */
			c = 0;
			text++;
		}
		if (begins && ++term->column > term->width)
			return;
		char shown = c < 0x20 || c == 0x7f ? ' ' : *text;
		if (term->column <= term->width)
			put_bytes(term, &shown, 1);
	}
}

void term_put(struct term *term, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	term_put_text(term, text);
}

void term_tone(struct term *term, const char *code)
{
	if (term->color)
		put_bytes(term, code, strlen(code));
}

void term_end_line(struct term *term)
{
	term_tone(term, TERM_PLAIN);
	put_bytes(term, "\n", 1);
	term->column = 0;
	term->lines++;
}
