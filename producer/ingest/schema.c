#include "producer/ingest/schema.h"

#include "producer/ingest/json_row.h"

static const char *const type_names[] = {"string", "bytes", "int", "double", "bool"};

void schema_add(
	struct schema *s, const char *name, size_t len, enum column_type type, bool nullable)
{
	struct column *column;
	struct buf json = {0};

	s->columns = mem_resize(s->columns, s->count + 1, sizeof(*s->columns));
	column = &s->columns[s->count];
	*column = (struct column){
		.name = mem_strndup(name, len), .type = type, .nullable = nullable};
	buf_byte(&json, s->count == 0 ? '{' : ',');
	json_put_text_lossy(&json, name, len);
	buf_byte(&json, ':');
	column->json_name_len = json.used;
	buf_byte(&json, 0);
	column->json_name = json.data;
	s->count++;
}

int schema_find(const struct schema *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->columns[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

int column_type_parse(const char *word, size_t len, enum column_type *type, struct errmsg *msg)
{
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
		if (strlen(type_names[i]) == len && strncmp(type_names[i], word, len) == 0) {
			*type = (enum column_type)i;
			return 0;
		}
	}
	return errmsg_set(msg, ERR_CONFIG,
		"'%.*s' is not a column type; use string, bytes, int, double or bool", (int)len,
		word);
}

const char *column_type_name(enum column_type type)
{
	return type_names[type];
}

void schema_release(struct schema *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->columns[i].name);
		free(s->columns[i].json_name);
	}
	free(s->columns);
	*s = (struct schema){0};
}
