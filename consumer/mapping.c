#include "consumer/mapping.h"

#include "common/mem.h"
#include "consumer/mapping_parts.h"

#include <stdlib.h>
#include <string.h>

/* The member's name in the cache's JSON, where it needs no escape. */
static void set_member(struct column *column)
{
	if (!*column->field)
		return;
	for (const char *at = column->field; *at; at++) {
		if ((unsigned char)*at < 0x20 || *at == '"' || *at == '\\')
			return;
	}
	column->member = mem_printf("\"%s\":", column->field);
	column->member_bytes = strlen(column->member);
}

void column_set_field(struct column *column, const char *field)
{
	const char *at = field;

	column->field = mem_strdup(field);
	set_member(column);
	for (;;) {
		size_t length = strcspn(at, ".");

		column->path = mem_resize(
			column->path, (size_t)column->path_length + 1, sizeof(*column->path));
		column->path_bytes = mem_resize(column->path_bytes,
			(size_t)column->path_length + 1, sizeof(*column->path_bytes));
		column->path_bytes[column->path_length] = length;
		column->path[column->path_length++] = mem_strndup(at, length);
		if (!at[length])
			return;
		at += length + 1;
	}
}

static struct cache_key_part *add_part(struct route *route)
{
	route->cache_key = mem_resize(route->cache_key, (size_t)route->cache_key_count + 1,
		sizeof(*route->cache_key));
	return &route->cache_key[route->cache_key_count++];
}

#define FENCE_BEGINNING "writethrough:{"

/*
 * A rebuild takes the keys that begin like the template and have no row for left-overs, and
 * deletes them; a value chosen by a client is a key's middle or end. So the beginning is fixed,
 * is no fence's, and two fields have something between them.
 */
/*
 * Of what the text of such a value goes on with. A fixed text of nothing else would not part it from
 * the next field: 1 and 101, 101 and 1 with "0" between them. Of texts, decode looks at each.
 */
static const char *alphabet(enum column_type type)
{
	switch (type) {
	case COLUMN_INT:
		return "0123456789";
	case COLUMN_BYTES: /* base64 */
		return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
	case COLUMN_STRING:
	case COLUMN_BOOL: /* these two are of one length, or none begins another */
	case COLUMN_DATETIME:
	case COLUMN_DOUBLE: /* no keys */
	case COLUMN_JSON:
		return "";
	}
	return "";
}

static const char *check_parts(const struct route *route)
{
	const struct cache_key_part *parts = route->cache_key;

	for (int i = 1; i < route->cache_key_count; i++) {
		const char *text = parts[i].literal;

		if (!parts[i - 1].literal && !text)
			return "a fixed text must stand between two fields, or two rows would "
			       "share a cache key";
		if (text && !parts[i - 1].literal && i + 1 < route->cache_key_count &&
			text[strspn(text,
				alphabet(route->columns[parts[i - 1].column].type))] == '\0')
			return "the fixed text between two fields could be a part of the first "
			       "one, and two rows would share a cache key";
	}
	return NULL;
}

static const char *check_shape(const struct route *route)
{
	const struct cache_key_part *parts = route->cache_key;
	size_t length;

	if (route->cache_key_count == 0 || !parts[0].literal)
		return "it must begin with a fixed text: all keys that begin so belong to this "
		       "table";
	length = strlen(parts[0].literal);
	if (length > strlen(FENCE_BEGINNING))
		length = strlen(FENCE_BEGINNING);
	if (strncmp(parts[0].literal, FENCE_BEGINNING, length) == 0)
		return "it could be the key of a fence (" FENCE_BEGINNING
		       "...): begin differently";
	return check_parts(route);
}

/* "{a}:{b}": a text of a that holds ":" could meet another pair's cache key; decode refuses it. */
static void set_separators(struct route *route)
{
	for (int i = 0; i + 2 < route->cache_key_count; i++) {
		const struct cache_key_part *part = &route->cache_key[i];

		if (!part->literal && route->cache_key[i + 1].literal)
			route->columns[part->column].separator =
				route->cache_key[i + 1].literal;
	}
}

const char *route_set_cache_key(struct route *route, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "{}");
		int column = -1;

		if (length > 0) {
			*add_part(route) =
				(struct cache_key_part){mem_strndup(text, length), -1};
			text += length;
			continue;
		}
		length = strcspn(text, "}");
		if (*text == '}' || !text[length])
			return "a brace without its partner";
		for (int i = 0; i < route->column_count; i++) {
			const char *field = route->columns[i].field;

			if (strlen(field) == length - 1 &&
				strncmp(field, text + 1, length - 1) == 0)
				column = i;
		}
		if (column < 0)
			return "a field in braces that is no mapped field";
		*add_part(route) = (struct cache_key_part){NULL, column};
		text += length + 1;
	}
	for (int k = 0; k < route->key_count; k++) {
		bool there = false;

		for (int i = 0; i < route->cache_key_count; i++)
			there |= !route->cache_key[i].literal &&
				 route->cache_key[i].column == route->keys[k];
		if (!there)
			return "it must contain every key field, or two rows would share a "
			       "cache key";
	}
	for (int i = 0; i < route->cache_key_count; i++) {
		const struct cache_key_part *part = &route->cache_key[i];

		if (!part->literal && !route->columns[part->column].key)
			return "it may contain key fields only: a delete knows no others";
	}
	set_separators(route);
	return check_shape(route);
}

static bool is_flat(const struct route *route)
{
	for (int i = 0; i < route->column_count; i++) {
		if (route->columns[i].path_length != 1)
			return false;
		for (int k = 0; k < i; k++) {
			if (strcmp(route->columns[k].field, route->columns[i].field) == 0)
				return false;
		}
	}
	return true;
}

void route_set_keys(struct route *route)
{
	route->flat = is_flat(route);
	for (int i = 0; i < route->column_count; i++) {
		if (!route->columns[i].key)
			continue;
		route->keys = mem_resize(
			route->keys, (size_t)route->key_count + 1, sizeof(*route->keys));
		route->keys[route->key_count++] = i;
	}
}

void mapping_init_users(struct mapping *mapping, const char *topic)
{
	static const struct {
		const char *name;
		enum column_type type;
	} columns[] = {{"id", COLUMN_STRING}, {"name", COLUMN_STRING}, {"age", COLUMN_INT},
		{"occupation", COLUMN_STRING}};
	struct route *route = mem_zero(1, sizeof(*route));

	route->topic = mem_strdup(topic);
	route->table = mem_strdup("users");
	route->column_count = 4;
	route->columns = mem_zero(4, sizeof(*route->columns));
	for (int i = 0; i < 4; i++) {
		column_set_field(&route->columns[i], columns[i].name);
		route->columns[i].column = mem_strdup(columns[i].name);
		route->columns[i].type = columns[i].type;
		route->columns[i].key = i == 0;
	}
	route_set_keys(route);
	route->cache = CACHE_JSON;
	route_set_cache_key(route, "user:{id}");
	*mapping = (struct mapping){mem_strdup("built-in mapping"), route, 1};
}

static void release_route(struct route *route)
{
	for (int i = 0; i < route->column_count; i++) {
		struct column *column = &route->columns[i];

		for (int part = 0; part < column->path_length; part++)
			free(column->path[part]);
		free(column->path);
		free(column->path_bytes);
		free(column->field);
		free(column->member);
		free(column->column);
		if (column->default_cell.kind == CELL_TEXT)
			free((char *)(uintptr_t)column->default_cell.text);
	}
	for (int i = 0; i < route->cache_key_count; i++)
		free(route->cache_key[i].literal);
	free(route->cache_key);
	free(route->columns);
	free(route->keys);
	free(route->topic);
	free(route->table);
}

void mapping_release(struct mapping *mapping)
{
	for (int i = 0; i < mapping->route_count; i++)
		release_route(&mapping->routes[i]);
	free(mapping->routes);
	free(mapping->source);
	*mapping = (struct mapping){0};
}

const struct route *mapping_route(const struct mapping *mapping, const char *topic)
{
	for (int i = 0; i < mapping->route_count; i++) {
		if (strcmp(mapping->routes[i].topic, topic) == 0)
			return &mapping->routes[i];
	}
	return NULL;
}
