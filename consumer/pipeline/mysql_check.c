/*
 * mysql_check: the target table against the mapping, once at start. Everything that is wrong is
 * gathered into one message; what merely surprises goes into the warning.
 */
#include "consumer/pipeline/mysql_check.h"

#include "common/mem.h"
#include "consumer/pipeline/mysql_check_parts.h"
#include "consumer/pipeline/mysql_internal.h"
#include "consumer/pipeline/mysql_sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(struct errmsg *to, const char *format, va_list args)
{
	size_t used = strlen(to->text);

	if (used && used + 2 < sizeof(to->text)) {
		memcpy(to->text + used, "; ", 3);
		used += 2;
	}
	vsnprintf(to->text + used, sizeof(to->text) - used, format, args);
}

void check_mistake(struct check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(&check->text, format, args);
	va_end(args);
	check->mistakes++;
}

void check_warn(struct check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(check->warning, format, args);
	va_end(args);
}

const char *check_at(const struct check *check, int line, char *buffer, size_t bytes)
{
	if (line > 0)
		snprintf(buffer, bytes, "%s:%d: ", check->store->config->mapping->source, line);
	else
		buffer[0] = 0;
	return buffer;
}

enum verdict check_query(struct check *check, const char *sql, MYSQL_RES **result)
{
	enum verdict v = mysql_run(check->store, sql, check->error);

	if (v != VERDICT_DONE)
		return v;
	*result = mysql_store_result(check->store->mysql);
	return *result ? VERDICT_DONE : mysql_failed(check->store, check->error);
}

static bool is_key_column(const struct route *route, const char *name)
{
	for (int k = 0; k < route->key_count; k++) {
		if (!strcasecmp(route->columns[route->keys[k]].column, name))
			return true;
	}
	return false;
}

static void check_prefix(struct check *check, const char *column, const char *characters)
{
	if (characters)
		check_mistake(check,
			"the primary key has only the first %s characters of `%s`: keys that "
			"begin alike would be one row",
			characters, column);
}

/*
 * Upserts go by the primary key and by nothing else: with a second unique key, ON DUPLICATE KEY
 * would overwrite whichever row it met first.
 */
static enum verdict check_keys(struct check *check)
{
	const struct route *route = check->route;
	char *sql = mem_printf("SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM "
			       "information_schema.STATISTICS WHERE TABLE_SCHEMA='%s' AND "
			       "TABLE_NAME='%s' AND NON_UNIQUE=0 "
			       "ORDER BY INDEX_NAME, SEQ_IN_INDEX",
		check->store->database, route->table);
	MYSQL_RES *result;
	MYSQL_ROW row;
	int matched = 0, extra = 0;
	char other[80] = "";
	enum verdict v = check_query(check, sql, &result);

	free(sql);
	if (v != VERDICT_DONE || route->mode != ROUTE_UPSERT) {
		if (v == VERDICT_DONE)
			mysql_free_result(result);
		return v;
	}
	while ((row = mysql_fetch_row(result))) {
		if (strcmp(row[0], "PRIMARY")) {
			snprintf(other, sizeof(other), "%s", row[0]);
		} else if (row[1] && is_key_column(route, row[1])) {
			matched++;
			check_prefix(check, row[1], row[2]);
		} else {
			extra++;
		}
	}
	mysql_free_result(result);
	if (matched != route->key_count || extra)
		check_mistake(check,
			"the primary key is not exactly the mapping's key column%s",
			route->key_count == 1 ? "" : "s");
	if (other[0])
		check_mistake(check,
			"unique key `%s` beside the primary key: an upsert could overwrite "
			"another row",
			other);
	return VERDICT_DONE;
}

/* Whom the server lets change a row that no record changed, or what a record says. */
static enum verdict check_changers(struct check *check)
{
	const char *database = check->store->database, *table = check->route->table;
	char *sql =
		mem_printf("SELECT 'trigger', TRIGGER_NAME FROM information_schema.TRIGGERS "
			   "WHERE EVENT_OBJECT_SCHEMA='%s' AND EVENT_OBJECT_TABLE='%s' AND "
			   "ACTION_TIMING='BEFORE' AND EVENT_MANIPULATION<>'DELETE' "
			   "UNION ALL SELECT 'foreign key', CONSTRAINT_NAME FROM "
			   "information_schema.REFERENTIAL_CONSTRAINTS "
			   "WHERE CONSTRAINT_SCHEMA='%s' AND TABLE_NAME='%s' AND NOT "
			   "(UPDATE_RULE IN ('RESTRICT','NO ACTION') AND "
			   "DELETE_RULE IN ('RESTRICT','NO ACTION'))",
			database, table, database, table);
	MYSQL_RES *result;
	MYSQL_ROW row;
	enum verdict v = check_query(check, sql, &result);

	free(sql);
	while (v == VERDICT_DONE && (row = mysql_fetch_row(result)))
		check_warn(check,
			"%s `%s` can make a row other than its record says: the cache and the "
			"table can differ then",
			row[0], row[1]);
	if (v == VERDICT_DONE)
		mysql_free_result(result);
	return v;
}

static enum verdict check_table(struct check *check, const char *table, bool *there)
{
	char *sql =
		mem_printf("SELECT t.ENGINE, TABLE_TYPE, TRANSACTIONS FROM "
			   "information_schema.TABLES t LEFT JOIN information_schema.ENGINES e "
			   "ON e.ENGINE=t.ENGINE WHERE TABLE_SCHEMA='%s' AND TABLE_NAME='%s'",
			check->store->database, table);
	MYSQL_RES *result;
	MYSQL_ROW row;
	enum verdict v = check_query(check, sql, &result);

	free(sql);
	*there = false;
	if (v != VERDICT_DONE)
		return v;
	row = mysql_fetch_row(result);
	*there = row != NULL;
	if (row && strcmp(row[1], "BASE TABLE"))
		check_mistake(check, "`%s` is a %s, not a table", table, row[1]);
	else if (row && row[2] && !strcasecmp(row[2], "NO"))
		check_mistake(
			check, "`%s` is a %s table, which has no transactions", table, row[0]);
	mysql_free_result(result);
	return VERDICT_DONE;
}

/* Preparing a statement asks the server for the right to run it. */
static enum verdict check_rights(struct check *check)
{
	struct mysql_store *store = check->store;
	const struct route *route = check->route;
	struct mysql_route *own = mysql_route_of(store, route);
	const int one = MYSQL_SHAPES - 1;
	enum verdict v = VERDICT_DONE;
	MYSQL_STMT *stmt;

	if (!own->write[one])
		v = mysql_prepare(store, &own->write[one],
			mysql_sql_write(route, 1, store->row_alias), check->error);
	if (v == VERDICT_DONE && route->key_count && !own->erase[one])
		v = mysql_prepare(
			store, &own->erase[one], mysql_sql_delete(route, 1), check->error);
	if (v == VERDICT_DONE && route->key_count && !own->read[one])
		v = mysql_prepare(
			store, &own->read[one], mysql_sql_select(route, 1), check->error);
	for (int i = 0; v == VERDICT_DONE && i < FIXED_COUNT; i++)
		v = mysql_fixed(store, (enum mysql_fixed)i, &stmt, check->error);
	return v;
}

static enum verdict check_tables(struct check *check)
{
	const char *const own[] = {"writethrough_ledger", "writethrough_route"};
	bool there;
	enum verdict v = VERDICT_DONE;

	for (int i = 0; v == VERDICT_DONE && i < 2; i++) {
		v = check_table(check, own[i], &there);
		if (v == VERDICT_DONE && !there)
			check_mistake(check,
				"table `%s` is missing: run sql/002_writethrough.sql", own[i]);
	}
	if (v == VERDICT_DONE)
		v = check_table(check, check->route->table, &there);
	if (v != VERDICT_DONE)
		return v;
	if (!there) {
		check_mistake(check, "table `%s` is missing%s", check->route->table,
			strcmp(check->route->table, "users") ? "" : ": run sql/001_users.sql");
		return VERDICT_DONE;
	}
	v = check_columns(check);
	if (v == VERDICT_DONE)
		v = check_keys(check);
	return v == VERDICT_DONE && check->route->cache != CACHE_NONE ? check_changers(check)
								      : v;
}

enum verdict mysql_store_check(struct mysql_store *store, struct route *route,
	int32_t partitions, struct errmsg *warning, struct store_error *error)
{
	struct check check = {
		.store = store, .route = route, .warning = warning, .error = error};
	enum verdict v;

	warning->text[0] = 0;
	v = check_tables(&check);
	if (v == VERDICT_DONE && check.mistakes)
		v = mysql_refuse(error, VERDICT_FATAL, "schema", "database %s, table `%s`: %s",
			store->config->database, route->table, check.text.text);
	if (v == VERDICT_DONE)
		v = check_rights(&check);
	if (v == VERDICT_DONE)
		v = mysql_check_owner(store, route, partitions, error);
	return v == VERDICT_DONE ? mysql_run(store, "COMMIT", error)
				 : mysql_abandon(store, v, error);
}
