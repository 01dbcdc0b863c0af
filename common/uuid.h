/*
 * uuid: UUID version 7 (RFC 9562): milliseconds first, so that new keys are close to each other in
 * an index. One generator is one thread's; what it makes only ever grows, also when the wall clock
 * steps back. Two generators never meet: 62 random bits.
 */
#ifndef COMMON_UUID_H
#define COMMON_UUID_H

#include <stdint.h>

#define UUID_TEXT_BYTES 37 /* with the NUL */

struct uuid_generator {
	uint64_t last_ms;
	uint32_t counter; /* 12 bits of it: order inside one millisecond */
	unsigned char random[512];
	unsigned left;
};

/* A zeroed generator is ready. */
void uuid7(struct uuid_generator *generator, char text[UUID_TEXT_BYTES]);

#endif
