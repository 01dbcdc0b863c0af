/* mysql_ledger: the position of one partition, read, created and moved; see mysql_store.h. */
#include "consumer/pipeline/mysql_internal.h"
#include "consumer/pipeline/mysql_wire.h"

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

/* FIXED_LEDGER_MOVE and its parameters, ready to be executed. */
struct move {
	MYSQL_STMT *stmt;
	int64_t partition, digest;
};
#define MOVE_PARAMETERS 9

static enum verdict move_bind(struct mysql_store *store, const struct batch *batch,
	struct move *move, struct store_error *error)
{
	const char *group = store->config->group, *topic = batch->route->topic;
	static const struct cell null = {.kind = CELL_NULL};
	MYSQL_BIND *bind = mysql_binds(store, MOVE_PARAMETERS);
	enum verdict v = mysql_fixed(store, FIXED_LEDGER_MOVE, &move->stmt, error);

	if (v != VERDICT_DONE)
		return v;
	move->partition = batch->partition;
	move->digest = batch->last_digest;
	mysql_bind_int(&bind[0], &batch->to);
	if (batch->has_last && batch->last_timestamp >= 0)
		mysql_bind_int(&bind[1], &batch->last_timestamp);
	else
		mysql_bind_cell(&bind[1], NULL, &null);
	if (batch->has_last)
		mysql_bind_int(&bind[2], &move->digest);
	else
		mysql_bind_cell(&bind[2], NULL, &null);
	mysql_bind_text(&bind[3], store->updated_by, strlen(store->updated_by));
	mysql_bind_text(&bind[4], group, strlen(group));
	mysql_bind_text(&bind[5], topic, strlen(topic));
	mysql_bind_int(&bind[6], &move->partition);
	mysql_bind_int(&bind[7], &batch->from);
	mysql_bind_int(&bind[8], &batch->generation);
	return VERDICT_DONE;
}

/* What the answer to the move means. */
static enum verdict move_judge(
	const struct batch *batch, enum verdict v, uint64_t moved, struct store_error *error)
{
	error->row = -1;
	if (v == VERDICT_POISON) /* it is not a row's fault */
		return VERDICT_RETRY;
	if (v == VERDICT_DONE && moved != 1)
		return mysql_refuse(error, VERDICT_MOVED, "moved",
			"the ledger of %s [%d] is not at %lld", batch->route->topic,
			(int)batch->partition, (long long)batch->from);
	return v;
}

enum verdict mysql_ledger_move(
	struct mysql_store *store, const struct batch *batch, struct store_error *error)
{
	struct move move;
	enum verdict v = move_bind(store, batch, &move, error);

	if (v != VERDICT_DONE)
		return v;
	v = mysql_execute(store, move.stmt, error);
	return move_judge(batch, v, mysql_stmt_affected_rows(move.stmt), error);
}

enum verdict mysql_ledger_send(
	struct mysql_store *store, const struct batch *batch, struct store_error *error)
{
	struct move move;
	enum verdict v = move_bind(store, batch, &move, error);

	return v == VERDICT_DONE ? mysql_wire_execute(store, move.stmt, MOVE_PARAMETERS, error)
				 : v;
}

enum verdict mysql_ledger_answer(
	struct mysql_store *store, const struct batch *batch, struct store_error *error)
{
	enum verdict v = mysql_wire_answer(store, error);

	return move_judge(batch, v, mysql_affected_rows(store->mysql), error);
}
