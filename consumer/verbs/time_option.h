/* time_option: a point in time on the command line. */
#ifndef CONSUMER_VERBS_TIME_OPTION_H
#define CONSUMER_VERBS_TIME_OPTION_H

#include <stdbool.h>
#include <stdint.h>

/* ISO 8601 UTC ("2026-01-31", "2026-01-31T12:00:00Z") -> ms since 1970; false when it is none. */
bool time_option_parse(const char *text, int64_t *ms);

#endif
