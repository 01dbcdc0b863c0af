/* mysql_facts: what the store's tables say of a route, for those who only look. */
#ifndef CONSUMER_PIPELINE_MYSQL_FACTS_H
#define CONSUMER_PIPELINE_MYSQL_FACTS_H

#include "consumer/pipeline/mysql_store.h"

struct route_facts {
	int32_t partitions; /* the keys are spread over; 0: nothing was ever written */
	int64_t rows; /* the server's estimate */
};

/* FATAL "owner" when the table is another group's or topic's. Nothing is written. */
enum verdict mysql_store_facts(struct mysql_store *store, const struct route *route,
	struct route_facts *facts, struct store_error *error);
/* Has the table no row at this moment? */
enum verdict mysql_store_is_empty(struct mysql_store *store, const struct route *route,
	bool *empty, struct store_error *error);

#endif
