/* prefer: what the Prefer header (RFC 7240) asks of an answer. Pure. */
#ifndef PRODUCER_PREFER_H
#define PRODUCER_PREFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct preference {
	bool async; /* respond-async; not with `wait`, which is the stronger one */
	bool wait; /* until the record stands in both stores, at most `wait_s` */
	int32_t wait_s;
};

/*
 * Reads one header value, and adds it to what others said: zeroed = nothing yet. Other preferences
 * are passed over, as the RFC wants. ERR_INVALID: wait without whole seconds. A wait beyond `max_s`
 * is cut to it.
 */
int prefer_read(struct preference *preference, const char *text, size_t length, int32_t max_s);

#endif
