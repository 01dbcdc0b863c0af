/*
 * mysql_owner: one group per table, and the partition count its keys were spread over. The first
 * who comes writes the row; everybody else must agree with it.
 */
#include "consumer/pipeline/mysql_internal.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

static char *escaped(struct mysql_store *store, const char *text)
{
	size_t length = strlen(text);
	char *out = mem_alloc(2 * length + 1);

	mysql_real_escape_string(store->mysql, out, text, (unsigned long)length);
	return out;
}

static enum verdict claim(struct mysql_store *store, const struct route *route,
	int32_t partitions, struct store_error *error)
{
	char *group = escaped(store, store->config->group);
	char *topic = escaped(store, route->topic);
	char *sql = mem_printf("INSERT INTO writethrough_route (table_name, group_id, topic, "
			       "partitions) VALUES ('%s','%s','%s',%d) "
			       "ON DUPLICATE KEY UPDATE table_name=table_name",
		route->table, group, topic, (int)partitions);
	enum verdict v = mysql_run(store, sql, error);

	if (v == VERDICT_DONE)
		v = mysql_run(store, "COMMIT", error);
	free(sql);
	free(topic);
	free(group);
	return v;
}

static enum verdict judge(struct mysql_store *store, const struct route *route,
	int32_t partitions, MYSQL_ROW row, struct store_error *error)
{
	if (!row)
		return mysql_refuse(error, VERDICT_RETRY, "owner",
			"`%s`: writethrough_route lost its row", route->table);
	if (strcmp(row[0], store->config->group) || strcmp(row[1], route->topic))
		return mysql_refuse(error, VERDICT_FATAL, "owner",
			"table `%s` is written by group %s from topic %s (writethrough_route): "
			"two "
			"groups on one table would overwrite each other",
			route->table, row[0], row[1]);
	if (atoi(row[2]) != partitions)
		return mysql_refuse(error, VERDICT_FATAL, "owner",
			"table `%s` was written from %s partitions of %s, there are %d now: "
			"keys "
			"have moved between partitions. Drain the old ones, then: wt-consumer "
			"reset --accept-partitions %d",
			route->table, row[2], route->topic, (int)partitions, (int)partitions);
	return VERDICT_DONE;
}

enum verdict mysql_check_owner(struct mysql_store *store, const struct route *route,
	int32_t partitions, struct store_error *error)
{
	char *sql =
		mem_printf("SELECT group_id, topic, partitions FROM writethrough_route WHERE "
			   "table_name='%s'",
			route->table);
	MYSQL_RES *result;
	enum verdict v = claim(store, route, partitions, error);

	if (v == VERDICT_DONE)
		v = mysql_run(store, sql, error);
	free(sql);
	if (v != VERDICT_DONE)
		return v;
	result = mysql_store_result(store->mysql);
	if (!result)
		return mysql_failed(store, error);
	v = judge(store, route, partitions, mysql_fetch_row(result), error);
	mysql_free_result(result);
	return v;
}
