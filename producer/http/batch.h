/*
 * batch: an NDJSON request on its way to its answer: one record a line, one answer a line, in
 * order, each with its own status. The loop's thread only.
 *
 * Made by service_write_lines(); it goes away by itself with the end of its last line.
 */
#ifndef PRODUCER_BATCH_H
#define PRODUCER_BATCH_H

#include "producer/http/prefer.h"
#include "producer/http/service.h"

#define BATCH_ASYNC_PROMISE                                                                    \
	"queued in this process; a crash or a broker failure can still lose it"

struct batch_answer;

/* The whole request; answered now or later. */
void service_write_lines(struct service *service, struct http_request *request,
	const struct preference *preference);

/* Where the line's record stands; not its end yet. */
void batch_line_place(
	struct batch_answer *batch, size_t line, int32_t partition, int64_t offset);
/* The line's end. `detail`: words for a problem, copied; NULL when there is none. */
void batch_line_end(struct batch_answer *batch, size_t line, int status, const char *detail);
/* The line's end after Prefer: wait. */
void batch_line_applied(struct batch_answer *batch, size_t line, bool applied);

#endif
