#include "common/uuid.h"

#include "common/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void take_random(struct uuid_generator *g, unsigned char *to, unsigned bytes)
{
	if (g->left < bytes) {
		/* 256 bytes at a time are never interrupted and never short (getrandom(2)). */
		if (getrandom(g->random, 256, 0) != 256 ||
			getrandom(g->random + 256, 256, 0) != 256)
			abort();
		g->left = sizeof(g->random);
	}
	g->left -= bytes;
	memcpy(to, g->random + g->left, bytes);
}

void uuid7(struct uuid_generator *g, char text[UUID_TEXT_BYTES])
{
	static const char hex[] = "0123456789abcdef";
	uint64_t now = (uint64_t)clock_wall_ms();
	unsigned char id[16];

	take_random(g, id + 6, 10);
	if (now > g->last_ms) {
		g->last_ms = now;
		g->counter = (unsigned)(id[6] << 8 | id[7]) & 0x7ff; /* room to count up */
	} else if (++g->counter >
		   0xfff) { /* more than the millisecond holds: borrow the next */
		g->last_ms++;
		g->counter = 0;
	}
	for (int i = 0; i < 6; i++)
		id[i] = (unsigned char)(g->last_ms >> (40 - 8 * i));
	id[6] = (unsigned char)(0x70 | g->counter >> 8);
	id[7] = (unsigned char)g->counter;
	id[8] = (unsigned char)(0x80 | (id[8] & 0x3f));
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = hex[id[i] >> 4];
		*text++ = hex[id[i] & 15];
	}
	*text = 0;
}
