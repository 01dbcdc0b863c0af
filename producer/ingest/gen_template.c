#include "producer/ingest/gen_template.h"

#include "common/mem.h"
#include "producer/ingest/json_row.h"

#include <jansson.h>
#include <stdio.h>

#define MAX_ARGS 64

enum gen_kind {
	GEN_SEQ, /* seq: the row's id */
	GEN_KEY, /* key(prefix): prefix and a number below --keys, in turn */
	GEN_INT, /* int(min,max) */
	GEN_DOUBLE, /* double(min,max,decimals) */
	GEN_BOOL, /* bool(share of true) */
	GEN_CHOICE, /* choice(a,b,c) */
	GEN_TEXT, /* text(length): letters */
	GEN_UUID,
	GEN_TIME,
	GEN_NAME,
	GEN_OCCUPATION,
	GEN_CONST, /* any other JSON value, as it is: const(text) */
};

static const struct {
	const char *word;
	enum column_type type;
	int min_args, max_args;
} kinds[] = {
	[GEN_SEQ] = {"seq", COLUMN_INT, 0, 0},
	[GEN_KEY] = {"key", COLUMN_STRING, 0, 1},
	[GEN_INT] = {"int", COLUMN_INT, 2, 2},
	[GEN_DOUBLE] = {"double", COLUMN_DOUBLE, 2, 3},
	[GEN_BOOL] = {"bool", COLUMN_BOOL, 0, 1},
	[GEN_CHOICE] = {"choice", COLUMN_STRING, 1, MAX_ARGS},
	[GEN_TEXT] = {"text", COLUMN_STRING, 1, 1},
	[GEN_UUID] = {"uuid", COLUMN_STRING, 0, 0},
	[GEN_TIME] = {"time", COLUMN_STRING, 0, 0},
	[GEN_NAME] = {"name", COLUMN_STRING, 0, 0},
	[GEN_OCCUPATION] = {"occupation", COLUMN_STRING, 0, 0},
	[GEN_CONST] = {"const", COLUMN_STRING, 0, 1},
};

struct gen_field {
	enum gen_kind kind;
	double null_share; /* "int(1,9)?0.1": a tenth is null */
	char *source; /* owns the arguments' text */
	char *args[MAX_ARGS];
	int count;
	int64_t min, max;
	int decimals;
	double share;
};

struct gen_template {
	struct gen_field *fields;
	size_t count, row_bytes;
};

/* "word(a,b)?share" in place. */
static void split_spec(struct gen_field *field, char **word)
{
	char *open = strchr(field->source, '(');
	char *close = open ? strrchr(open, ')') : NULL;
	char *tail = close ? close + 1 : field->source;
	char *question = strchr(tail, '?');

	if (question) {
		field->null_share = atof(question + 1);
		*question = 0;
	}
	*word = field->source;
	if (!close)
		return;
	*open = *close = 0;
	for (char *at = open + 1; at && field->count < MAX_ARGS;) {
		field->args[field->count++] = at;
		at = strchr(at, ',');
		if (at)
			*at++ = 0;
	}
}

static int check_numbers(struct gen_field *f, const char *name, struct errmsg *msg)
{
	static const double scales[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

	if (f->kind == GEN_INT || f->kind == GEN_DOUBLE) {
		f->decimals = f->kind == GEN_INT ? 0 : f->count == 3 ? atoi(f->args[2]) : 2;
		if (f->decimals < 0 || f->decimals > 9)
			return errmsg_set(msg, ERR_CONFIG, "field %s: 0 to 9 decimals", name);
		f->min = f->kind == GEN_INT ? atoll(f->args[0])
					    : (int64_t)(atof(f->args[0]) * scales[f->decimals]);
		f->max = f->kind == GEN_INT ? atoll(f->args[1])
					    : (int64_t)(atof(f->args[1]) * scales[f->decimals]);
		if (f->min > f->max)
			return errmsg_set(msg, ERR_CONFIG, "field %s: %s is above %s", name,
				f->args[0], f->args[1]);
	}
	if (f->kind == GEN_TEXT) {
		f->max = atoll(f->args[0]);
		if (f->max < 0 || f->max > 1000000)
			return errmsg_set(msg, ERR_CONFIG, "field %s: text(0..1000000)", name);
	}
	f->share = f->count ? atof(f->args[0]) : 0.5;
	return 0;
}

static int add_field(struct gen_template *t, struct schema *schema, const char *name,
	const json_t *value, struct errmsg *msg)
{
	struct gen_field *f;
	char *word;
	size_t kind = 0;

	if (!json_is_string(value))
		return errmsg_set(msg, ERR_CONFIG,
			"field %s: a text like \"int(1,100)\" is wanted", name);
	t->fields = mem_resize(t->fields, t->count + 1, sizeof(*t->fields));
	f = &t->fields[t->count++];
	*f = (struct gen_field){.source = mem_strdup(json_string_value(value))};
	split_spec(f, &word);
	while (kind <= GEN_CONST && strcmp(kinds[kind].word, word) != 0)
		kind++;
	if (kind > GEN_CONST)
		return errmsg_set(msg, ERR_CONFIG,
			"field %s: '%s' is none of seq, key, int, double, bool, choice, text, "
			"uuid, time, name, occupation, const",
			name, word);
	if (f->count < kinds[kind].min_args || f->count > kinds[kind].max_args)
		return errmsg_set(msg, ERR_CONFIG, "field %s: %s takes %d to %d arguments",
			name, word, kinds[kind].min_args, kinds[kind].max_args);
	f->kind = (enum gen_kind)kind;
	schema_add(schema, name, strlen(name), kinds[kind].type, f->null_share > 0);
	t->row_bytes += 64 + (f->kind == GEN_TEXT ? (size_t)atoll(f->args[0]) : 0) +
			(f->kind == GEN_KEY && f->count ? strlen(f->args[0]) : 0);
	return check_numbers(f, name, msg);
}

int gen_template_parse(
	struct gen_template **out, const char *json, struct schema *schema, struct errmsg *msg)
{
	struct gen_template *t = mem_zero(1, sizeof(*t));
	json_error_t why;
	json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, &why);
	const char *name;
	json_t *value;
	int err = 0;

	if (!json_is_object(object) || json_object_size(object) == 0)
		err = errmsg_set(msg, ERR_CONFIG, "line %d: %s", object ? 1 : why.line,
			object ? "an object with at least one field is wanted" : why.text);
	else
		json_object_foreach(object, name, value)
		{
			if (err == 0)
				err = add_field(t, schema, name, value, msg);
		}
	json_decref(object);
	if (err != 0) {
		gen_template_free(t);
		return err;
	}
	*out = t;
	return 0;
}

int gen_template_load(
	struct gen_template **out, const char *path, struct schema *schema, struct errmsg *msg)
{
	FILE *file = fopen(path, "r");
	struct buf text = {0};
	size_t n = 1;
	int err;

	if (!file)
		return errmsg_set(msg, ERR_CONFIG, "option template: cannot read %s", path);
	while (n > 0) {
		n = fread(buf_room(&text, 65536), 1, 65536, file);
		text.used += n;
	}
	fclose(file);
	buf_byte(&text, 0);
	err = gen_template_parse(out, text.data, schema, msg);
	if (err != 0)
		errmsg_wrap(msg, "option template: %s", path);
	buf_release(&text);
	return err;
}

void gen_template_free(struct gen_template *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		free(t->fields[i].source);
	free(t->fields);
	free(t);
}

size_t gen_template_row_bytes(const struct gen_template *t)
{
	return t->row_bytes;
}

static void put_text(struct cell *cell, const char *text, size_t len)
{
	*cell = (struct cell){.text = text, .len = (uint32_t)len, .kind = CELL_TEXT};
}

static void put_letters(struct cell *cell, char **text, int64_t len, struct gen_bits *bits)
{
	put_text(cell, *text, (size_t)len);
	for (int64_t i = 0; i < len;) {
		uint64_t letters = gen_next(bits);

		for (int k = 0; k < 12 && i < len; k++, letters /= 26)
			(*text)[i++] = (char)('a' + letters % 26);
	}
	*text += len;
}

static int64_t between(const struct gen_field *f, struct gen_bits *bits)
{
	uint64_t span = (uint64_t)(f->max - f->min) + 1;
	uint64_t drawn = gen_next(bits);

	return (int64_t)((uint64_t)f->min + (span ? drawn % span : drawn));
}

static void put_value(const struct gen_field *f, const struct gen_params *p, uint64_t row,
	struct gen_bits *bits, struct cell *cell, char **text)
{
	uint64_t a = gen_next(bits);
	const char *arg = f->count ? f->args[0] : "";

	switch (f->kind) {
	case GEN_SEQ:
		*cell = (struct cell){
			.kind = CELL_INT, .integer = (int64_t)(p->first_id + row)};
		return;
	case GEN_KEY:
		memcpy(*text, arg, strlen(arg));
		put_text(cell, *text,
			strlen(arg) +
				format_int(*text + strlen(arg), (int64_t)(row % p->keys)));
		*text += cell->len;
		return;
	case GEN_INT:
		*cell = (struct cell){.kind = CELL_INT, .integer = between(f, bits)};
		return;
	case GEN_DOUBLE:
		gen_put_fixed(cell, text, between(f, bits), f->decimals);
		return;
	case GEN_BOOL:
		*cell = (struct cell){
			.kind = CELL_BOOL, .integer = (double)(a >> 11) < f->share * 0x1p53};
		return;
	case GEN_CHOICE:
		arg = f->args[gen_below(a, (uint64_t)f->count)];
		put_text(cell, arg, strlen(arg));
		return;
	case GEN_TEXT:
		put_letters(cell, text, f->max, bits);
		return;
	case GEN_UUID:
		gen_put_uuid(cell, text, a, gen_next(bits));
		return;
	case GEN_TIME:
		gen_put_time(cell, text, p->base_ms + (int64_t)(row / 64));
		return;
	case GEN_NAME:
		gen_put_name(cell, text, a);
		return;
	case GEN_OCCUPATION:
		gen_put_occupation(cell, a);
		return;
	case GEN_CONST:
		put_text(cell, arg, strlen(arg));
		return;
	}
}

void gen_template_row(const struct gen_template *t, const struct gen_params *p, uint64_t row,
	struct cell *cells, char **text)
{
	struct gen_bits bits = gen_bits_of(p->seed, row);

	for (size_t i = 0; i < t->count; i++) {
		const struct gen_field *f = &t->fields[i];

		if (f->null_share > 0 &&
			(double)(gen_next(&bits) >> 11) < f->null_share * 0x1p53)
			cells[i] = (struct cell){.kind = CELL_NULL};
		else
			put_value(f, p, row, &bits, &cells[i], text);
	}
}
