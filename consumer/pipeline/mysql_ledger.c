/* mysql_ledger: the position of one partition, read and created; see mysql_store.h. */
#include "consumer/pipeline/mysql_internal.h"

#include <string.h>

/* The key of a ledger row: group, topic, partition. `partition` must outlive the execution. */
static void bind_key(struct mysql_store *store, MYSQL_BIND *bind, const struct route *route,
	const int64_t *partition)
{
	mysql_bind_text(&bind[0], store->config->group, strlen(store->config->group));
	mysql_bind_text(&bind[1], route->topic, strlen(route->topic));
	if (partition)
		mysql_bind_int(&bind[2], partition);
}

static enum verdict ledger_fetch(
	MYSQL_STMT *stmt, struct ledger *ledger, struct store_error *error)
{
	long long values[4] = {0, 0, 0, 0};
	mysql_flag nulls[4] = {0, 0, 0, 0};
	MYSQL_BIND bind[4];
	int code;

	memset(bind, 0, sizeof(bind));
	for (int i = 0; i < 4; i++) {
		bind[i].buffer_type = MYSQL_TYPE_LONGLONG;
		bind[i].buffer = &values[i];
		bind[i].buffer_length = sizeof(values[i]);
		bind[i].is_null = &nulls[i];
	}
	if (mysql_stmt_bind_result(stmt, bind) || mysql_stmt_store_result(stmt))
		return mysql_stmt_failed(stmt, error);
	code = mysql_stmt_fetch(stmt);
	if (code == 1)
		return mysql_stmt_failed(stmt, error);
	*ledger = (struct ledger){.exists = code != MYSQL_NO_DATA, .last_timestamp = -1};
	if (ledger->exists) {
		ledger->next = values[0];
		ledger->last_timestamp = nulls[1] ? -1 : values[1];
		ledger->has_digest = !nulls[2];
		ledger->last_digest = (uint32_t)values[2];
		ledger->generation = values[3];
	}
	mysql_stmt_free_result(stmt);
	return VERDICT_DONE;
}

enum verdict mysql_store_position(struct mysql_store *store, const struct route *route,
	int32_t partition, struct ledger *ledger, struct store_error *error)
{
	int64_t id = partition;
	MYSQL_STMT *stmt;
	enum verdict v = mysql_fixed(store, FIXED_LEDGER_READ, &stmt, error);

	if (v == VERDICT_DONE) {
		bind_key(store, mysql_binds(store, 3), route, &id);
		v = mysql_execute(store, stmt, error);
	}
	if (v == VERDICT_DONE)
		v = ledger_fetch(stmt, ledger, error);
	if (v == VERDICT_DONE)
		v = mysql_run(store, "COMMIT", error);
	return v == VERDICT_DONE ? v : mysql_abandon(store, v, error);
}

enum verdict mysql_store_create_position(struct mysql_store *store, const struct route *route,
	int32_t partition, int64_t next, struct store_error *error)
{
	int64_t id = partition;
	MYSQL_STMT *stmt;
	MYSQL_BIND *bind = mysql_binds(store, 5);
	enum verdict v = mysql_fixed(store, FIXED_LEDGER_CREATE, &stmt, error);

	if (v == VERDICT_DONE) {
		bind_key(store, bind, route, &id);
		mysql_bind_int(&bind[3], &next);
		mysql_bind_text(&bind[4], store->updated_by, strlen(store->updated_by));
		v = mysql_execute(store, stmt, error);
		error->row = -1;
	}
	if (v == VERDICT_DONE)
		v = mysql_run(store, "COMMIT", error);
	if (v == VERDICT_POISON && !strcmp(error->class, "duplicate")) {
		v = VERDICT_MOVED;
		error->class = "moved";
	}
	return v == VERDICT_DONE ? v : mysql_abandon(store, v, error);
}
