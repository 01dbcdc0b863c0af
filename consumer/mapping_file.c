/*
 * The mapping file. Read with the pull parser, because that knows where every member stands: all
 * mistakes are reported at once, each with its line.
 */
#include "common/json_reader.h"
#include "common/mem.h"
#include "consumer/mapping_parts.h"
#include "consumer/pipeline/decode_value.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (4 << 20)

struct file {
	const char *path;
	char *text;
	size_t length;
	struct errmsg *msg;
	int mistakes;
};

static int line_of(const struct file *file, const char *at)
{
	int line = 1;

	for (const char *c = file->text; c < at; c++)
		line += *c == '\n';
	return line;
}

static void mistake(struct file *file, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void mistake(struct file *file, const char *at, const char *format, ...)
{
	size_t used = strlen(file->msg->text), room = sizeof(file->msg->text) - used;
	char words[256];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	snprintf(file->msg->text + used, room, "%s%s:%d: %s", file->mistakes ? "\n" : "",
		file->path, line_of(file, at), words);
	file->mistakes++;
}

static void syntax(struct file *file, const struct json_reader *r)
{
	mistake(file, r->start + r->position, "not valid JSON: %s", r->error);
}

static int read_file(struct file *file)
{
	FILE *in = fopen(file->path, "r");

	if (!in)
		return errmsg_set(file->msg, ERR_CONFIG, "cannot read %s: %s", file->path,
			strerror(errno));
	file->text = mem_alloc(FILE_BYTES_MAX + 1);
	file->length = fread(file->text, 1, FILE_BYTES_MAX + 1, in);
	if (ferror(in) || file->length > FILE_BYTES_MAX)
		errmsg_set(file->msg, ERR_CONFIG, "cannot read %s: %s", file->path,
			ferror(in) ? strerror(errno) : "larger than 4 MiB");
	fclose(in);
	return file->msg->text[0] ? ERR_CONFIG : 0;
}

/* ---- members ------------------------------------------------------------------------------------ */

static bool is_name(const struct json_value *key, const char *name)
{
	return json_string_is(key, name, strlen(name));
}

static char *take_text(struct file *file, const struct json_value *v, const char *member)
{
	char *text;

	if (v->kind != JSON_KIND_STRING || v->length == 0) {
		mistake(file, v->text, "\"%s\" must be a non-empty string", member);
		return NULL;
	}
	text = mem_alloc(v->length + 1);
	text[json_unescape(v, text)] = 0;
	return text;
}

/* SQL and topic names: what needs no quoting anywhere. */
static char *take_identifier(
	struct file *file, const struct json_value *v, const char *member, const char *more)
{
	char *text = take_text(file, v, member);
	size_t length = text ? strlen(text) : 0;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
			c == '_' || strchr(more, c))
			continue;
		mistake(file, v->text, "\"%s\": '%s' may hold letters, digits, _ and %s only",
			member, text, more);
		break;
	}
	return text;
}

static bool take_bool(struct file *file, const struct json_value *v, const char *member)
{
	if (v->kind != JSON_KIND_TRUE && v->kind != JSON_KIND_FALSE)
		mistake(file, v->text, "\"%s\" must be true or false", member);
	return v->kind == JSON_KIND_TRUE;
}

static int take_word(struct file *file, const struct json_value *v, const char *member,
	const char *const *words, const char *shown)
{
	for (int i = 0; words[i]; i++) {
		if (v->kind == JSON_KIND_STRING && is_name(v, words[i]))
			return i;
	}
	mistake(file, v->text, "\"%s\" must be one of %s", member, shown);
	return 0;
}

static void replace_text(char **field, char *text)
{
	free(*field);
	*field = text;
}

/* ---- columns -------------------------------------------------------------------------------------- */

static void read_default(struct file *file, struct column *column, const struct json_value *v)
{
	struct arena arena = {0};
	struct cell cell;
	struct errmsg why;

	if (!v->text)
		return;
	column->has_default = true;
	if (v->kind == JSON_KIND_NULL) {
		if (!column->nullable)
			mistake(file, v->text,
				"\"default\" is null but the column is not nullable");
		return;
	}
	if (decode_value(column, v, &arena, &cell, &why) != NULL)
		mistake(file, v->text, "\"default\": %s", why.text);
	else if (cell.kind == CELL_TEXT)
		cell.text = mem_strndup(cell.text, cell.length);
	column->default_cell = cell;
	arena_release(&arena);
}

static void read_column(
	struct file *file, struct column *column, const struct json_value *object)
{
	static const char *const types[] = {
		"string", "int", "double", "bool", "datetime", "json", "bytes", NULL};
	struct json_value key, v, chosen_default = {.text = NULL};
	struct json_reader r;
	char *field;
	int more;

	column->line = line_of(file, object->text);
	if (json_object_begin(&r, object->text, object->length) != 0) {
		mistake(file, object->text, "a column must be an object");
		return;
	}
	while ((more = json_object_next(&r, &key, &v)) > 0) {
		if (is_name(&key, "field") && !column->field) {
			field = take_text(file, &v, "field");
			if (field)
				column_set_field(column, field);
			free(field);
		} else if (is_name(&key, "column")) {
			replace_text(&column->column, take_identifier(file, &v, "column", "$"));
		} else if (is_name(&key, "type")) {
			column->type = (enum column_type)take_word(file, &v, "type", types,
				"string, int, double, bool, datetime, json, bytes");
		} else if (is_name(&key, "key")) {
			column->key = take_bool(file, &v, "key");
		} else if (is_name(&key, "nullable")) {
			column->nullable = take_bool(file, &v, "nullable");
		} else if (is_name(&key, "default")) {
			chosen_default = v;
		} else {
			mistake(file, key.text, "unknown member \"%.*s\" of a column",
				(int)key.length, key.text);
		}
	}
	if (!column->field)
		mistake(file, object->text, "a column needs \"field\"");
	else if (!column->column)
		column->column = mem_strdup(column->field);
	if (column->key && column->nullable)
		mistake(file, object->text, "a key column cannot be nullable");
	read_default(file, column, &chosen_default);
}

static void read_columns(struct file *file, struct route *route, const struct json_value *array)
{
	struct json_reader r;
	struct json_value v;

	if (json_array_begin(&r, array->text, array->length) != 0) {
		mistake(file, array->text, "\"columns\" must be an array");
		return;
	}
	while (json_array_next(&r, &v) > 0) {
		route->columns = mem_resize(route->columns, (size_t)route->column_count + 1,
			sizeof(*route->columns));
		route->columns[route->column_count] = (struct column){0};
		read_column(file, &route->columns[route->column_count++], &v);
	}
}

static void check_columns(struct file *file, const struct route *route, const char *at)
{
	if (route->column_count == 0)
		mistake(file, at, "a route needs \"columns\"");
	for (int i = 0; i < route->column_count; i++) {
		for (int j = 0; j < i; j++) {
			const struct column *a = &route->columns[i], *b = &route->columns[j];

			if (a->column && b->column && strcmp(a->column, b->column) == 0)
				mistake(file, at, "column '%s' is mapped twice", a->column);
		}
	}
	if (route->mode == ROUTE_UPSERT && route->key_count == 0)
		mistake(file, at, "mode upsert needs a column with \"key\": true");
}

/* ---- cache, routes -------------------------------------------------------------------------------- */

static void read_cache(struct file *file, struct route *route, const struct json_value *object)
{
	static const char *const formats[] = {"json", "hash", NULL};
	struct json_value key, v;
	struct json_reader r;
	const char *wrong = NULL;
	char *template = NULL;

	if (json_object_begin(&r, object->text, object->length) != 0) {
		mistake(file, object->text, "\"cache\" must be an object");
		return;
	}
	route->cache = CACHE_JSON;
	while (json_object_next(&r, &key, &v) > 0) {
		if (is_name(&key, "key"))
			replace_text(&template, take_text(file, &v, "key"));
		else if (is_name(&key, "format"))
			route->cache = take_word(file, &v, "format", formats, "json, hash")
					       ? CACHE_HASH
					       : CACHE_JSON;
		else if (!is_name(&key, "ttl"))
			mistake(file, key.text, "unknown member \"%.*s\" of \"cache\"",
				(int)key.length, key.text);
		else if (v.kind != JSON_KIND_NUMBER ||
			 !json_number_int64(&v, &route->cache_ttl_s) || route->cache_ttl_s < 0)
			mistake(file, v.text, "\"ttl\" must be whole seconds, 0 = for ever");
	}
	if (route->mode == ROUTE_APPEND)
		mistake(file, object->text, "mode append has no keys and so no \"cache\"");
	else if (!template)
		mistake(file, object->text, "\"cache\" needs \"key\", such as \"user:{id}\"");
	else
		wrong = route_set_cache_key(route, template);
	if (wrong)
		mistake(file, object->text, "cache key '%s': %s", template, wrong);
	free(template);
}

static void read_route(struct file *file, struct route *route, const struct json_value *object)
{
	static const char *const modes[] = {"upsert", "append", NULL};
	struct json_value key, v, cache = {.text = NULL};
	struct json_reader r;

	route->line = line_of(file, object->text);
	if (json_object_begin(&r, object->text, object->length) != 0) {
		mistake(file, object->text, "a route must be an object");
		return;
	}
	while (json_object_next(&r, &key, &v) > 0) {
		if (is_name(&key, "topic"))
			replace_text(&route->topic, take_identifier(file, &v, "topic", ".-"));
		else if (is_name(&key, "table"))
			replace_text(&route->table, take_identifier(file, &v, "table", "$"));
		else if (is_name(&key, "mode"))
			route->mode = (enum route_mode)take_word(
				file, &v, "mode", modes, "upsert, append");
		else if (is_name(&key, "columns") && route->column_count == 0)
			read_columns(file, route, &v);
		else if (is_name(&key, "cache"))
			cache = v;
		else
			mistake(file, key.text, "unknown member \"%.*s\" of a route",
				(int)key.length, key.text);
	}
	if (!route->topic || !route->table)
		mistake(file, object->text, "a route needs \"topic\" and \"table\"");
	route_set_keys(route);
	check_columns(file, route, object->text);
	if (cache.text && file->mistakes == 0)
		read_cache(file, route, &cache);
}

static void read_routes(
	struct file *file, struct mapping *mapping, const struct json_value *array)
{
	struct json_reader r;
	struct json_value v;

	if (json_array_begin(&r, array->text, array->length) != 0) {
		mistake(file, array->text, "\"routes\" must be an array");
		return;
	}
	while (json_array_next(&r, &v) > 0) {
		struct route *route;

		mapping->routes = mem_resize(mapping->routes, (size_t)mapping->route_count + 1,
			sizeof(*mapping->routes));
		route = &mapping->routes[mapping->route_count];
		*route = (struct route){.index = mapping->route_count++};
		read_route(file, route, &v);
		for (int i = 0; i < route->index; i++) {
			const struct route *other = &mapping->routes[i];

			if (route->topic && other->topic &&
				strcmp(route->topic, other->topic) == 0)
				mistake(file, v.text, "topic '%s' has two routes",
					route->topic);
			if (route->table && other->table &&
				strcmp(route->table, other->table) == 0)
				mistake(file, v.text, "table '%s' has two routes",
					route->table);
		}
	}
}

/* Two routes must not write one cache key: their fixed beginnings have to differ. */
static void check_cache_keys(struct file *file, const struct mapping *mapping)
{
	for (int i = 0; i < mapping->route_count; i++) {
		for (int j = 0; j < i; j++) {
			const struct route *a = &mapping->routes[i], *b = &mapping->routes[j];
			const char *left = a->cache_key_count ? a->cache_key[0].literal : NULL;
			const char *right = b->cache_key_count ? b->cache_key[0].literal : NULL;
			size_t shorter;

			if (!a->cache_key_count || !b->cache_key_count)
				continue;
			shorter = left && right ? strlen(left) < strlen(right) ? strlen(left)
									       : strlen(right)
						: 0;
			if (!shorter || strncmp(left, right, shorter) == 0)
				mistake(file, file->text,
					"the routes of '%s' and '%s' could write the same "
					"cache key: "
					"give them different beginnings",
					b->topic, a->topic);
		}
	}
}

static void read_all(struct file *file, struct mapping *mapping)
{
	struct json_value key, v;
	struct json_reader r;
	int more;

	if (json_object_begin(&r, file->text, file->length) != 0) {
		syntax(file, &r);
		return;
	}
	while ((more = json_object_next(&r, &key, &v)) > 0) {
		if (is_name(&key, "routes") && mapping->route_count == 0)
			read_routes(file, mapping, &v);
		else
			mistake(file, key.text, "unknown or repeated member \"%.*s\"",
				(int)key.length, key.text);
	}
	if (more < 0)
		syntax(file, &r);
	else if (mapping->route_count == 0)
		mistake(file, file->text, "\"routes\" is missing or empty");
	if (file->mistakes == 0)
		check_cache_keys(file, mapping);
}

int mapping_init_file(struct mapping *mapping, const char *path, struct errmsg *msg)
{
	struct file file = {.path = path, .msg = msg};
	int err;

	*mapping = (struct mapping){.source = mem_strdup(path)};
	msg->text[0] = 0;
	err = read_file(&file);
	if (err == 0)
		read_all(&file, mapping);
	free(file.text);
	if (err == 0 && file.mistakes)
		err = ERR_CONFIG;
	if (err != 0)
		mapping_release(mapping);
	return err;
}
