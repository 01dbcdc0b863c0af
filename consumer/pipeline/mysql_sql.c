/* mysql_sql: see mysql_sql.h. */
#include "consumer/pipeline/mysql_sql.h"

#include "common/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct sql {
	FILE *out;
	char *text;
	size_t length;
};

static void sql_open(struct sql *sql)
{
	sql->out = open_memstream(&sql->text, &sql->length);
	if (!sql->out)
		abort();
}

static char *sql_close(struct sql *sql)
{
	if (fclose(sql->out))
		abort();
	return sql->text;
}

static const char *key_name(const struct route *route, int key)
{
	return route->columns[route->keys[key]].column;
}

static void sql_column_list(struct sql *sql, const struct route *route)
{
	for (int i = 0; i < route->column_count; i++)
		fprintf(sql->out, "%s`%s`", i ? "," : "", route->columns[i].column);
}

static void sql_assign(struct sql *sql, const char *column, bool first, bool row_alias)
{
	fprintf(sql->out, row_alias ? "%s`%s`=wt_new.`%s`" : "%s`%s`=VALUES(`%s`)",
		first ? "" : ",", column, column);
}

static void sql_on_duplicate(struct sql *sql, const struct route *route, bool row_alias)
{
	bool first = true;

	fprintf(sql->out, "%s ON DUPLICATE KEY UPDATE ", row_alias ? " AS wt_new" : "");
	for (int i = 0; i < route->column_count; i++) {
		if (!route->columns[i].key) {
			sql_assign(sql, route->columns[i].column, first, row_alias);
			first = false;
		}
	}
	if (first) /* nothing but the key: the row is there, that is all */
		sql_assign(sql, key_name(route, 0), true, row_alias);
}

char *mysql_sql_write(const struct route *route, unsigned rows, bool row_alias)
{
	struct sql sql;

	sql_open(&sql);
	fprintf(sql.out, "INSERT INTO `%s` (", route->table);
	sql_column_list(&sql, route);
	fputs(") VALUES ", sql.out);
	for (unsigned r = 0; r < rows; r++) {
		fputs(r ? ",(" : "(", sql.out);
		for (int i = 0; i < route->column_count; i++)
			fputs(i ? ",?" : "?", sql.out);
		fputc(')', sql.out);
	}
	if (route->mode == ROUTE_UPSERT)
		sql_on_duplicate(&sql, route, row_alias);
	return sql_close(&sql);
}

/*
 * One key column: k IN (?,?). Several: (a=? AND b=?) OR ..., because MariaDB does not use the
 * index for (a,b) IN ((?,?),(?,?)).
 */
static void sql_where_keys(struct sql *sql, const struct route *route, unsigned rows)
{
	fputs(" WHERE ", sql->out);
	if (route->key_count == 1) {
		fprintf(sql->out, "`%s` IN (", key_name(route, 0));
		for (unsigned r = 0; r < rows; r++)
			fputs(r ? ",?" : "?", sql->out);
		fputc(')', sql->out);
		return;
	}
	for (unsigned r = 0; r < rows; r++) {
		fputs(r ? " OR (" : "(", sql->out);
		for (int k = 0; k < route->key_count; k++)
			fprintf(sql->out, "%s`%s`=?", k ? " AND " : "", key_name(route, k));
		fputc(')', sql->out);
	}
}

char *mysql_sql_delete(const struct route *route, unsigned rows)
{
	struct sql sql;

	sql_open(&sql);
	fprintf(sql.out, "DELETE FROM `%s`", route->table);
	sql_where_keys(&sql, route, rows);
	return sql_close(&sql);
}

char *mysql_sql_select(const struct route *route, unsigned rows)
{
	struct sql sql;

	sql_open(&sql);
	fputs("SELECT ", sql.out);
	sql_column_list(&sql, route);
	fprintf(sql.out, " FROM `%s`", route->table);
	sql_where_keys(&sql, route, rows);
	return sql_close(&sql);
}

/*
 * "Behind the key (a,b,c)": a >= ? AND (a > ? OR (a=? AND b > ?) OR (a=? AND b=? AND c > ?)); the
 * first bound is redundant and there for the index. One key column: a > ?.
 */
static void sql_where_after(struct sql *sql, const struct route *route)
{
	if (route->key_count == 1) {
		fprintf(sql->out, " WHERE `%s`>?", key_name(route, 0));
		return;
	}
	fprintf(sql->out, " WHERE `%s`>=? AND (", key_name(route, 0));
	for (int k = 0; k < route->key_count; k++) {
		fputs(k ? " OR (" : "(", sql->out);
		for (int e = 0; e < k; e++)
			fprintf(sql->out, "`%s`=? AND ", key_name(route, e));
		fprintf(sql->out, "`%s`>?)", key_name(route, k));
	}
	fputc(')', sql->out);
}

unsigned mysql_sql_after_params(const struct route *route)
{
	unsigned keys = (unsigned)route->key_count;

	return keys == 1 ? 1 : 1 + keys * (keys + 1) / 2;
}

unsigned mysql_sql_after_param(unsigned param)
{
	unsigned group = 0;

	if (param == 0)
		return 0;
	for (param--; param > group; group++)
		param -= group + 1;
	return param;
}

char *mysql_sql_scan(const struct route *route, bool after)
{
	struct sql sql;

	sql_open(&sql);
	fputs("SELECT ", sql.out);
	sql_column_list(&sql, route);
	fprintf(sql.out, " FROM `%s`", route->table);
	if (after)
		sql_where_after(&sql, route);
	for (int k = 0; k < route->key_count; k++) /* none in append mode: any order */
		fprintf(sql.out, "%s`%s`", k ? "," : " ORDER BY ", key_name(route, k));
	fputs(" LIMIT ?", sql.out);
	return sql_close(&sql);
}
