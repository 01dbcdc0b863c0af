/*
 * key_partition: which partition a row's records are in, by the rule that every producer of ours
 * and every Java client follows: murmur2 of the record key's text. Pure.
 */
#ifndef CONSUMER_PIPELINE_KEY_PARTITION_H
#define CONSUMER_PIPELINE_KEY_PARTITION_H

#include "consumer/mapping.h"

/*
 * -1 when it cannot be known: several key columns (how the record key spells them is the
 * producer's matter), or a column type whose text in the record is not unique.
 */
int32_t key_partition(const struct route *route, const struct row *row, int32_t partitions);

#endif
