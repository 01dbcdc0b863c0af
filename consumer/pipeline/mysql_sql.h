/*
 * mysql_sql: the texts of the prepared statements, from a route. Pure. Names were checked by the
 * mapping (letters, digits, _ and $), so quoting them with backticks is enough.
 * Every result: caller frees with free().
 */
#ifndef CONSUMER_PIPELINE_MYSQL_SQL_H
#define CONSUMER_PIPELINE_MYSQL_SQL_H

#include "consumer/mapping.h"

#include <stdbool.h>

/*
 * `rows` rows: columns in the route's order. Upsert routes overwrite what is there; `row_alias`
 * says how (MySQL >= 8.0.19 names the new row, MariaDB has VALUES() only). Append routes insert.
 */
char *mysql_sql_write(const struct route *route, unsigned rows, bool row_alias);
/* `rows` keys: key columns in the order of route->keys. */
char *mysql_sql_delete(const struct route *route, unsigned rows);
/* All columns of the rows with these keys, unordered. */
char *mysql_sql_select(const struct route *route, unsigned rows);
/*
 * All columns in key order, at most ? rows (the last parameter). With `after`: those behind a key;
 * parameters are mysql_sql_after_params() key cells before it, see mysql_sql_after_param().
 */
char *mysql_sql_scan(const struct route *route, bool after);
/* How many parameters the "behind this key" condition takes, and which key each of them is. */
unsigned mysql_sql_after_params(const struct route *route);
unsigned mysql_sql_after_param(unsigned param);

#endif
