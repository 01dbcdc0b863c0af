/* put_text: text written by hand where printf is too slow. Each returns the place behind it. */
#ifndef PRODUCER_PUT_TEXT_H
#define PRODUCER_PUT_TEXT_H

#include <stdint.h>
#include <string.h>

#define PUT_NUMBER_CHARS 20

static inline char *put(char *to, const char *text, size_t length)
{
	memcpy(to, text, length);
	return to + length;
}

#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

/* Not negative. */
static inline char *put_number(char *to, int64_t number)
{
	char digits[PUT_NUMBER_CHARS];
	int count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while (number /= 10);
	while (count > 0)
		*to++ = digits[--count];
	return to;
}

#endif
