#include "consumer/pipeline/mysql_facts.h"

#include "common/mem.h"
#include "consumer/pipeline/mysql_internal.h"

#include <stdlib.h>
#include <string.h>

/* The first row of a query in *row (NULL: none), valid until *result is freed. */
static enum verdict ask(struct mysql_store *store, char *sql, MYSQL_RES **result,
	MYSQL_ROW *row, struct store_error *error)
{
	enum verdict v = VERDICT_RECONNECT;

	if (store->mysql)
		v = mysql_run(store, sql, error);
	else
		mysql_refuse(error, v, "connection", "not connected");
	free(sql);
	if (v != VERDICT_DONE)
		return v;
	*result = mysql_store_result(store->mysql);
	if (!*result)
		return mysql_failed(store, error);
	*row = mysql_fetch_row(*result);
	return VERDICT_DONE;
}

static enum verdict read_owner(struct mysql_store *store, const struct route *route,
	struct route_facts *facts, struct store_error *error)
{
	MYSQL_RES *result;
	MYSQL_ROW row;
	enum verdict v = ask(store,
		mem_printf("SELECT group_id, topic, partitions FROM writethrough_route WHERE "
			   "table_name='%s'",
			route->table),
		&result, &row, error);

	if (v != VERDICT_DONE)
		return v;
	if (row && (strcmp(row[0], store->config->group) || strcmp(row[1], route->topic)))
		v = mysql_refuse(error, VERDICT_FATAL, "owner",
			"table `%s` is written by group %s from topic %s (writethrough_route)",
			route->table, row[0], row[1]);
	else
		facts->partitions = row ? atoi(row[2]) : 0;
	mysql_free_result(result);
	return v;
}

enum verdict mysql_store_facts(struct mysql_store *store, const struct route *route,
	struct route_facts *facts, struct store_error *error)
{
	MYSQL_RES *result;
	MYSQL_ROW row;
	enum verdict v = read_owner(store, route, facts, error);

	if (v == VERDICT_DONE)
		v = ask(store,
			mem_printf("SELECT TABLE_ROWS FROM information_schema.TABLES WHERE "
				   "TABLE_SCHEMA=DATABASE() AND TABLE_NAME='%s'",
				route->table),
			&result, &row, error);
	if (v != VERDICT_DONE)
		return v;
	if (!row)
		v = mysql_refuse(error, VERDICT_FATAL, "schema",
			"there is no table `%s`; sql/*.sql make the usual ones", route->table);
	else
		facts->rows = row[0] ? atoll(row[0]) : 0;
	mysql_free_result(result);
	return v;
}

enum verdict mysql_store_is_empty(struct mysql_store *store, const struct route *route,
	bool *empty, struct store_error *error)
{
	MYSQL_RES *result;
	MYSQL_ROW row;
	enum verdict v = ask(store, mem_printf("SELECT 1 FROM `%s` LIMIT 1", route->table),
		&result, &row, error);

	*empty = v == VERDICT_DONE && !row;
	if (v == VERDICT_DONE) {
		mysql_free_result(result);
		v = mysql_run(store, "COMMIT", error); /* the look began a transaction */
	}
	return v;
}
