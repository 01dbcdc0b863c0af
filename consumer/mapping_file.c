/*
 * The mapping file. Read with the pull parser, because that knows where every member stands: all
 * mistakes are reported at once, each with its line.
 */
#include "common/mem.h"
#include "consumer/mapping_parts.h"
#include "consumer/mapping_reader.h"
#include "consumer/pipeline/decode_value.h"

#include <stdlib.h>
#include <string.h>

#define SQL_NAME_MAX   64
#define TOPIC_NAME_MAX 249

/* ---- columns -------------------------------------------------------------------------------------- */

static void read_default(
	struct mapping_reader *file, struct column *column, const struct json_value *v)
{
	int line = mapping_line(file, v->text);
	struct arena arena = {0};
	struct cell cell;
	struct errmsg why = {""};

	column->has_default = true;
	if (v->kind == JSON_KIND_NULL) {
		if (!column->nullable)
			mapping_mistake(file, line,
				"\"default\" is null but the column is not nullable");
		return;
	}
	if (decode_value(column, v, &arena, &cell, &why) != NULL) {
		mapping_mistake(file, line, "\"default\": %s", why.text);
	} else {
		if (cell.kind == CELL_TEXT)
			cell.text = memcpy(mem_alloc(cell.length + 1u), cell.text, cell.length);
		column->default_cell = cell;
	}
	arena_release(&arena);
}

static void read_names(struct mapping_reader *file, struct column *column,
	const struct json_value *field, const struct json_value *name)
{
	char *text = mapping_text(file, field, "field");

	if (text) {
		column_set_field(column, text);
		for (int i = 0; i < column->path_length; i++) {
			if (!column->path[i][0])
				mapping_mistake(file, column->line,
					"\"field\": '%s' has an empty part", text);
		}
	} else if (!field->text) {
		mapping_mistake(file, column->line, "a column needs \"field\"");
	}
	column->column = mapping_identifier(file, name, "column", "$", SQL_NAME_MAX);
	if (!name->text && text) {
		column->column = mem_strdup(text);
		if (!mapping_is_identifier(text, "$", SQL_NAME_MAX))
			mapping_mistake(file, column->line,
				"'%.80s' is no column name: say \"column\"", text);
	}
	free(text);
}

static void check_key(struct mapping_reader *file, const struct column *column)
{
	if (!column->key)
		return;
	if (column->nullable)
		mapping_mistake(file, column->line, "a key column cannot be nullable");
	if (column->has_default)
		mapping_mistake(file, column->line, "a key column cannot have a default");
	if (column->type == COLUMN_DOUBLE || column->type == COLUMN_JSON)
		mapping_mistake(file, column->line,
			"a key column cannot be of type double or json: equal values have "
			"several spellings");
}

static void read_column(
	struct mapping_reader *file, struct column *column, const struct json_value *object)
{
	enum { FIELD, COLUMN, TYPE, KEY, NULLABLE, DEFAULT };
	static const char *const names[] = {
		"field", "column", "type", "key", "nullable", "default", NULL};
	static const char *const types[] = {
		"string", "int", "double", "bool", "datetime", "json", "bytes", NULL};
	struct json_value values[MAPPING_MEMBERS_MAX];

	column->line = mapping_line(file, object->text);
	if (!mapping_members(file, object, "a column", names, values))
		return;
	read_names(file, column, &values[FIELD], &values[COLUMN]);
	column->type = (enum column_type)mapping_word(file, &values[TYPE], "type", types);
	column->key = mapping_bool(file, &values[KEY], "key");
	column->nullable = mapping_bool(file, &values[NULLABLE], "nullable");
	if (values[DEFAULT].text && column->field)
		read_default(file, column, &values[DEFAULT]);
	check_key(file, column);
}

static void read_columns(
	struct mapping_reader *file, struct route *route, const struct json_value *array)
{
	struct json_reader r;
	struct json_value v;

	if (!array->text)
		return;
	if (json_array_begin(&r, array->text, array->length) != 0) {
		mapping_mistake(
			file, mapping_line(file, array->text), "\"columns\" must be an array");
		return;
	}
	while (json_array_next(&r, &v) > 0) {
		route->columns = mem_resize(route->columns, (size_t)route->column_count + 1,
			sizeof(*route->columns));
		route->columns[route->column_count] = (struct column){0};
		read_column(file, &route->columns[route->column_count++], &v);
	}
}

/* SQL does not tell Name from name. */
static void check_columns(struct mapping_reader *file, const struct route *route)
{
	if (route->column_count == 0)
		mapping_mistake(file, route->line, "a route needs \"columns\"");
	for (int i = 0; i < route->column_count; i++) {
		for (int j = 0; j < i; j++) {
			const struct column *a = &route->columns[i], *b = &route->columns[j];

			if (a->column && b->column && strcasecmp(a->column, b->column) == 0)
				mapping_mistake(file, a->line, "column '%s' is mapped twice",
					a->column);
			if (a->field && b->field && route->cache != CACHE_NONE &&
				strcmp(a->field, b->field) == 0)
				mapping_mistake(file, a->line,
					"field '%s' twice would be two members of one name "
					"in the cache",
					a->field);
		}
	}
	if (route->mode == ROUTE_UPSERT && route->column_count > 0 && route->key_count == 0)
		mapping_mistake(
			file, route->line, "mode upsert needs a column with \"key\": true");
	if (route->mode == ROUTE_APPEND && route->key_count > 0)
		mapping_mistake(file, route->line, "mode append has no key columns");
}

/* ---- cache, routes -------------------------------------------------------------------------------- */

/* Judged only where the columns are whole: no second mistake out of the first. */
static void read_template(
	struct mapping_reader *file, struct route *route, const char *template, int line)
{
	const char *wrong;

	for (int i = 0; i < route->column_count; i++) {
		if (!route->columns[i].field)
			return;
	}
	wrong = route->key_count ? route_set_cache_key(route, template) : NULL;
	if (wrong)
		mapping_mistake(file, line, "cache key '%.80s': %s", template, wrong);
}

static void read_cache(
	struct mapping_reader *file, struct route *route, const struct json_value *object)
{
	enum { KEY, FORMAT, TTL };
	static const char *const names[] = {"key", "format", "ttl", NULL};
	static const char *const formats[] = {"json", "hash", NULL};
	struct json_value values[MAPPING_MEMBERS_MAX];
	int line = object->text ? mapping_line(file, object->text) : 0;
	char *template;

	if (!object->text || !mapping_members(file, object, "\"cache\"", names, values))
		return;
	route->cache = mapping_word(file, &values[FORMAT], "format", formats) ? CACHE_HASH
									      : CACHE_JSON;
	route->cache_ttl_s = mapping_count(file, &values[TTL], "ttl");
	template = mapping_text(file, &values[KEY], "key");
	if (route->mode == ROUTE_APPEND)
		mapping_mistake(file, line, "mode append has no keys and so no \"cache\"");
	else if (!values[KEY].text)
		mapping_mistake(file, line, "\"cache\" needs \"key\", such as \"user:{id}\"");
	else if (template)
		read_template(file, route, template, mapping_line(file, values[KEY].text));
	free(template);
}

static void read_route(
	struct mapping_reader *file, struct route *route, const struct json_value *object)
{
	enum { TOPIC, TABLE, MODE, COLUMNS, CACHE };
	static const char *const names[] = {"topic", "table", "mode", "columns", "cache", NULL};
	static const char *const modes[] = {"upsert", "append", NULL};
	struct json_value values[MAPPING_MEMBERS_MAX];

	route->line = mapping_line(file, object->text);
	if (!mapping_members(file, object, "a route", names, values))
		return;
	route->topic = mapping_identifier(file, &values[TOPIC], "topic", ".-", TOPIC_NAME_MAX);
	route->table = mapping_identifier(file, &values[TABLE], "table", "$", SQL_NAME_MAX);
	if (!values[TOPIC].text || !values[TABLE].text)
		mapping_mistake(file, route->line, "a route needs \"topic\" and \"table\"");
	route->mode = (enum route_mode)mapping_word(file, &values[MODE], "mode", modes);
	read_columns(file, route, &values[COLUMNS]);
	route_set_keys(route);
	read_cache(file, route, &values[CACHE]);
	check_columns(file, route);
}

static void read_routes(
	struct mapping_reader *file, struct mapping *mapping, const struct json_value *array)
{
	struct json_reader r;
	struct json_value v;

	if (json_array_begin(&r, array->text, array->length) != 0) {
		mapping_mistake(
			file, mapping_line(file, array->text), "\"routes\" must be an array");
		return;
	}
	while (json_array_next(&r, &v) > 0) {
		struct route *route;

		mapping->routes = mem_resize(mapping->routes, (size_t)mapping->route_count + 1,
			sizeof(*mapping->routes));
		route = &mapping->routes[mapping->route_count];
		*route = (struct route){.index = mapping->route_count++};
		read_route(file, route, &v);
	}
}

/* ---- routes against each other --------------------------------------------------------------------- */

static bool equal(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Two routes must not write one cache key: their fixed beginnings have to differ. */
static bool cache_keys_meet(const struct route *a, const struct route *b)
{
	const char *left, *right;
	size_t shorter;

	if (!a->cache_key_count || !b->cache_key_count)
		return false;
	left = a->cache_key[0].literal ? a->cache_key[0].literal : "";
	right = b->cache_key[0].literal ? b->cache_key[0].literal : "";
	shorter = strlen(left) < strlen(right) ? strlen(left) : strlen(right);
	return strncmp(left, right, shorter) == 0;
}

static void check_routes(struct mapping_reader *file, const struct mapping *mapping)
{
	for (int i = 0; i < mapping->route_count; i++) {
		for (int j = 0; j < i; j++) {
			const struct route *a = &mapping->routes[i], *b = &mapping->routes[j];

			if (equal(a->topic, b->topic))
				mapping_mistake(
					file, a->line, "topic '%s' has two routes", a->topic);
			if (equal(a->table, b->table))
				mapping_mistake(
					file, a->line, "table '%s' has two routes", a->table);
			if (cache_keys_meet(a, b))
				mapping_mistake(file, a->line,
					"the routes of line %d and of this line could write "
					"the same cache key: give them different beginnings",
					b->line);
		}
	}
}

static void read_all(struct mapping_reader *file, struct mapping *mapping)
{
	static const char *const names[] = {"routes", NULL};
	struct json_value whole = {.text = file->text, .length = file->length};
	struct json_value values[MAPPING_MEMBERS_MAX];

	if (!mapping_members(file, &whole, "the mapping", names, values))
		return;
	if (values[0].text)
		read_routes(file, mapping, &values[0]);
	if (mapping->route_count == 0)
		mapping_mistake(file, 1, "\"routes\" is missing or empty");
	check_routes(file, mapping);
}

int mapping_init_file(struct mapping *mapping, const char *path, struct errmsg *msg)
{
	struct mapping_reader file;
	int err = mapping_reader_open(&file, path, msg);

	*mapping = (struct mapping){.source = mem_strdup(path)};
	if (err == 0)
		read_all(&file, mapping);
	if (err == 0 && file.mistakes)
		err = ERR_CONFIG;
	mapping_reader_release(&file);
	if (err != 0)
		mapping_release(mapping);
	return err;
}
