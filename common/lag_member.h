/*
 * lag_member: the partitions of a group's member, out of the bytes that members exchange through
 * the broker ("consumer" protocol: version, topics, user data; big-endian). They come from other
 * people's clients: whatever does not parse is left out. Pure.
 */
#ifndef COMMON_LAG_MEMBER_H
#define COMMON_LAG_MEMBER_H

#include <librdkafka/rdkafka.h>
#include <stddef.h>

/* Adds each partition to `list`, a copy of `owner` as its metadata. */
void lag_member_assignment(
	const void *bytes, int size, const char *owner, rd_kafka_topic_partition_list_t *list);

#endif
