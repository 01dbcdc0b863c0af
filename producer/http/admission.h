/* admission: may one more record come in? Pure; decided before anything is queued. */
#ifndef PRODUCER_ADMISSION_H
#define PRODUCER_ADMISSION_H

#include <stddef.h>
#include <stdint.h>

struct admission {
	size_t max_records, max_bytes;
	int64_t down_grace_ms; /* brokers away for less: records wait for them */
	size_t records, bytes; /* in flight */
	int64_t down_since_ms; /* monotonic; 0 = up */
};

enum admission_answer { ADMISSION_YES, ADMISSION_FULL, ADMISSION_DOWN };

enum admission_answer admission_ask(
	const struct admission *admission, size_t records, size_t bytes, int64_t now_ms);

#endif
