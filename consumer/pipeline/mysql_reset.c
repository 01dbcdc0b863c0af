#include "consumer/pipeline/mysql_reset.h"

#include "consumer/pipeline/mysql_internal.h"

#include <string.h>

static enum verdict finish(struct mysql_store *store, MYSQL_STMT *stmt, enum verdict v,
	const char *refused, struct store_error *error)
{
	bool changed = v == VERDICT_DONE && mysql_stmt_affected_rows(stmt) == 1;

	if (stmt)
		mysql_stmt_close(stmt);
	if (v == VERDICT_DONE && !changed)
		v = mysql_refuse(error, VERDICT_MOVED, "moved", "%s", refused);
	if (v == VERDICT_DONE)
		v = mysql_run(store, "COMMIT", error);
	return v == VERDICT_DONE ? v : mysql_abandon(store, v, error);
}

enum verdict mysql_store_reset_position(struct mysql_store *store, const struct route *route,
	int32_t partition, const struct ledger *read, int64_t next, int64_t generation,
	struct store_error *error)
{
	int64_t id = partition;
	MYSQL_STMT *stmt = NULL;
	MYSQL_BIND *bind = mysql_binds(store, 8);
	enum verdict v = mysql_prepare(store, &stmt,
		strdup("UPDATE writethrough_ledger SET next_offset=?, generation=?, "
		       "last_timestamp=NULL, last_digest=NULL, updated_by=? WHERE group_id=? "
		       "AND "
		       "topic=? AND partition_id=? AND next_offset=? AND generation=?"),
		error);

	if (v == VERDICT_DONE) {
		mysql_bind_int(&bind[0], &next);
		mysql_bind_int(&bind[1], &generation);
		mysql_bind_text(&bind[2], store->updated_by, strlen(store->updated_by));
		mysql_bind_text(&bind[3], store->config->group, strlen(store->config->group));
		mysql_bind_text(&bind[4], route->topic, strlen(route->topic));
		mysql_bind_int(&bind[5], &id);
		mysql_bind_int(&bind[6], &read->next);
		mysql_bind_int(&bind[7], &read->generation);
		v = mysql_execute(store, stmt, error);
	}
	return finish(store, stmt, v, "the ledger moved meanwhile: somebody is writing", error);
}

enum verdict mysql_store_accept_partitions(struct mysql_store *store, const struct route *route,
	int32_t partitions, struct store_error *error)
{
	int64_t count = partitions;
	MYSQL_STMT *stmt = NULL;
	MYSQL_BIND *bind = mysql_binds(store, 4);
	enum verdict v = mysql_prepare(store, &stmt,
		strdup("UPDATE writethrough_route SET partitions=? WHERE table_name=? AND "
		       "group_id=? AND topic=?"),
		error);

	if (v == VERDICT_DONE) {
		mysql_bind_int(&bind[0], &count);
		mysql_bind_text(&bind[1], route->table, strlen(route->table));
		mysql_bind_text(&bind[2], store->config->group, strlen(store->config->group));
		mysql_bind_text(&bind[3], route->topic, strlen(route->topic));
		v = mysql_execute(store, stmt, error);
	}
	return finish(store, stmt, v,
		"writethrough_route already has this count, or belongs to another group or "
		"topic",
		error);
}
