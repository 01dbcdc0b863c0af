/* mysql_check_parts: what the files of mysql_check share; see mysql_check.h. */
#ifndef CONSUMER_PIPELINE_MYSQL_CHECK_PARTS_H
#define CONSUMER_PIPELINE_MYSQL_CHECK_PARTS_H

#include "consumer/pipeline/mysql_internal.h"

struct check {
	struct mysql_store *store;
	struct route *route;
	struct errmsg *warning;
	struct store_error *error;
	int mistakes;
	struct errmsg text; /* of the mistakes */
};

__attribute__((format(printf, 2, 3))) void check_mistake(
	struct check *check, const char *format, ...);
__attribute__((format(printf, 2, 3))) void check_warn(
	struct check *check, const char *format, ...);
/* Where the mapping says it: "users.json:7: ". */
const char *check_at(const struct check *check, int line, char *buffer, size_t bytes);
/* The answer in *result; to be freed when DONE. */
enum verdict check_query(struct check *check, const char *sql, MYSQL_RES **result);

/* Names and types of the columns, what they hold and what they lose. */
enum verdict check_columns(struct check *check);

#endif
