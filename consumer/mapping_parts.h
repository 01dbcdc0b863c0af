/* mapping_parts: how routes and columns are put together; for mapping's own files. */
#ifndef CONSUMER_MAPPING_PARTS_H
#define CONSUMER_MAPPING_PARTS_H

#include "consumer/mapping.h"

/* field and its path; copied. */
void column_set_field(struct column *column, const char *field);
/* keys, key_count and flat, from the columns. */
void route_set_keys(struct route *route);
/* Parses "user:{id}"; columns and keys are set. NULL, or what is wrong with it. */
const char *route_set_cache_key(struct route *route, const char *text);

#endif
