/* status_metrics: the picture as Prometheus and OpenMetrics read it. Watch's thread only. */
#ifndef CONSUMER_WATCH_STATUS_METRICS_H
#define CONSUMER_WATCH_STATUS_METRICS_H

#include "common/http_server.h"
#include "consumer/watch/picture.h"

/* Writes the whole exposition; what is unknown has no sample. */
void status_metrics_write(struct metrics_writer *w, const struct picture *picture,
	struct meters *meters, const struct http_server_stats *http);

#endif
