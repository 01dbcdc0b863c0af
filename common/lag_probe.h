/*
 * lag_probe: how old is the record at an offset, asked of the brokers without fetching it. They
 * answer the reverse, the first offset at or after a time, so the time is found by halving, for
 * all partitions in the same few requests. For what was there before the watching began.
 */
#ifndef COMMON_LAG_PROBE_H
#define COMMON_LAG_PROBE_H

#include <librdkafka/rdkafka.h>
#include <stdint.h>

/* Beyond this, "at least" is all that is said. */
#define LAG_PROBE_MAX_S (400.0 * 86400)

/*
 * `list` names partitions and offsets; ages_s[i] becomes the record's age by its own timestamp, to
 * about 2 % or 50 ms, or NAN. Blocks: at most some twenty requests, each of at most timeout_ms.
 */
void lag_probe_ages(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list, int timeout_ms,
	double *ages_s);

#endif
