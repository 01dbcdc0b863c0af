#include "producer/ingest/csv_columns.h"

#include "producer/ingest/buf.h"
#include "producer/ingest/csv_types.h"

#define PEEK_BYTES (256 * 1024)
#define PEEK_ROWS  1000
#define MAX_FIELDS 4096

int csv_delimiter(const char *text, char *delimiter, struct errmsg *msg)
{
	bool tab = text && (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0);

	if (!text || (!tab && strlen(text) != 1) || strchr("\"\r\n", *text))
		return errmsg_set(msg, ERR_CONFIG,
			"option delimiter: '%s' is not one byte that can separate fields",
			text ? text : "");
	*delimiter = tab ? '\t' : *text;
	return 0;
}

size_t csv_bom_bytes(const char *text, size_t len)
{
	return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

size_t csv_next_line(const char *text, size_t at, size_t end)
{
	const char *found = at < end ? memchr(text + at, '\n', end - at) : NULL;

	return found ? (size_t)(found - text) + 1 : 0;
}

/* The first bytes of the first file; they are put back. */
static int peek(struct csv_columns *c, struct input *in, struct buf *head, bool *eof,
	struct errmsg *msg)
{
	int state = input_next(in, msg);
	size_t got;

	if (state < 0)
		return state;
	c->input_is_open = true;
	while (head->used < PEEK_BYTES) {
		state = input_read(in, buf_room(head, PEEK_BYTES), PEEK_BYTES, &got, msg);
		head->used += got;
		if (state < 0)
			return state;
		if (state == INPUT_WAIT && input_is_stopped())
			return errmsg_set(
				msg, ERR_UNFINISHED, "stopped before the first row came");
		/* a slow pipe: what is there must do, as soon as it holds a row or two */
		if (state == INPUT_END || (state == INPUT_WAIT && head->used > 0 &&
						  memchr(head->data, '\n', head->used)))
			break;
	}
	*eof = state == INPUT_END;
	input_unread(in, head->data, head->used);
	return 0;
}

/* "name=field:type": each part but the name may be missing. */
static int add_column(struct schema *schema, const char *item, size_t len, struct errmsg *msg)
{
	const char *colon = memrchr(item, ':', len);
	size_t name_len = colon ? (size_t)(colon - item) : len;
	const char *equals = memchr(item, '=', name_len);
	enum column_type type = COLUMN_STRING;
	int err = 0;

	if (colon)
		err = column_type_parse(
			colon + 1, (size_t)(item + len - colon) - 1, &type, msg);
	if (err != 0 || name_len == 0) {
		errmsg_wrap(msg, "option columns");
		return ERR_CONFIG;
	}
	if (equals)
		schema_add(
			schema, equals + 1, (size_t)(item + name_len - equals) - 1, type, true);
	else
		schema_add(schema, item, name_len, type, true);
	return 0;
}

static int add_named_columns(struct schema *schema, const char *list, struct errmsg *msg)
{
	while (*list) {
		size_t len = strcspn(list, ",");
		int err = add_column(schema, list, len, msg);

		if (err != 0)
			return err;
		list += len + (list[len] == ',');
	}
	return 0;
}

/* The type that --columns gives the header's name, or the one that was seen. */
static int add_header_column(struct schema *schema, const struct csv_field *name, size_t index,
	const char *wanted, enum column_type seen, struct errmsg *msg)
{
	char number[32];

	for (const char *item = wanted; item && *item;) {
		size_t len = strcspn(item, ",");
		size_t name_len = strcspn(item, "=:,");

		if (name && name_len == name->len && memcmp(item, name->text, name_len) == 0)
			return add_column(schema, item, len, msg);
		item += len + (item[len] == ',');
	}
	if (name && name->len > 0) {
		schema_add(schema, name->text, name->len, seen, true);
	} else {
		snprintf(number, sizeof(number), "c%zu", index + 1);
		schema_add(schema, number, strlen(number), seen, true);
	}
	return 0;
}

/* A name that --columns gives and no header has is a slip of the pen. */
static int check_wanted(const struct csv_columns *c, const char *wanted, struct errmsg *msg)
{
	for (const char *item = wanted; item && *item;) {
		size_t len = strcspn(item, ",");
		size_t name_len = strcspn(item, "=:,");
		bool found = false;

		for (size_t i = 0; i < c->count && !found; i++)
			found = strlen(c->header[i]) == name_len &&
				memcmp(c->header[i], item, name_len) == 0;
		if (!found)
			return errmsg_set(msg, ERR_CONFIG,
				"option columns: the header has no column '%.*s'",
				(int)name_len, item);
		item += len + (item[len] == ',');
	}
	return 0;
}

/* Two fields of one name are no JSON object, no Avro record and no Parquet file. */
static int check_twice(const struct schema *schema, struct errmsg *msg)
{
	for (size_t i = 0; i < schema->count; i++) {
		const char *name = schema->columns[i].name;

		if (schema_find(schema, name) != (int)i)
			return errmsg_set(msg, ERR_CONFIG,
				"two columns are called '%s': change the header, or leave it "
				"out and name them with --header=false --columns",
				name);
	}
	return 0;
}

static void guess_types(struct csv_guess *guesses, size_t count, struct csv_field *fields,
	char *text, size_t len, char delimiter)
{
	struct csv_record record;

	for (size_t i = 0; i < count; i++)
		guesses[i] = (struct csv_guess){true, true, true, false};
	for (int row = 0; row < PEEK_ROWS && len > 0; row++) {
		csv_split(text, len, delimiter, fields, count, &record);
		text += record.bytes;
		len -= record.bytes;
		if (record.problem || record.fields != count)
			continue;
		csv_fold(fields, &record);
		for (size_t i = 0; i < count; i++)
			csv_guess_field(&guesses[i], fields[i].text, fields[i].len);
	}
}

static void keep_header(struct csv_columns *c, const struct csv_field *fields, size_t count)
{
	c->header = mem_zero(count, sizeof(*c->header));
	c->count = count;
	for (size_t i = 0; i < count; i++)
		c->header[i] = mem_strndup(fields[i].text, fields[i].len);
}

/* `head` is ours to change. */
static int find_in(struct csv_columns *c, struct schema *schema, struct buf *head, bool eof,
	const struct ingest_options *options, char delimiter, struct errmsg *msg)
{
	struct csv_field *fields = mem_alloc(MAX_FIELDS * 2 * sizeof(*fields));
	struct csv_guess *guesses = mem_alloc(MAX_FIELDS * sizeof(*guesses));
	size_t at = csv_bom_bytes(head->data, head->used);
	size_t end = at + csv_last_end(head->data + at, head->used - at, delimiter, eof);
	struct csv_record record = {0};
	size_t count;
	int err = 0;

	if (end > at)
		csv_split(head->data + at, end - at, delimiter, fields, MAX_FIELDS, &record);
	if (end <= at || record.problem || record.fields > MAX_FIELDS)
		err = errmsg_set(msg, ERR_INVALID, "the first row cannot be read: %s",
			record.problem ? record.problem
			: end <= at    ? "there is none"
				       : "too many columns");
	count = record.fields;
	if (err == 0)
		csv_fold(fields, &record);
	if (err == 0 && options->header) {
		keep_header(c, fields, count);
		err = check_wanted(c, options->columns, msg);
	}
	if (err == 0) {
		if (options->header)
			at += record.bytes;
		guess_types(guesses, count, fields + MAX_FIELDS, head->data + at, end - at,
			delimiter);
		for (size_t i = 0; err == 0 && i < count; i++)
			err = add_header_column(schema, options->header ? &fields[i] : NULL, i,
				options->columns, csv_guess_type(&guesses[i]), msg);
	}
	free(guesses);
	free(fields);
	return err;
}

int csv_columns_find(struct csv_columns *c, struct schema *schema, struct input *in,
	const struct ingest_options *options, char delimiter, struct errmsg *msg)
{
	struct buf head = {0};
	bool eof = false;
	int err;

	if (!options->header && options->columns) {
		err = add_named_columns(schema, options->columns, msg);
		return err ? err : check_twice(schema, msg);
	}
	err = peek(c, in, &head, &eof, msg);
	if (err == 0) {
		err = find_in(c, schema, &head, eof, options, delimiter, msg);
		err = err ? err : check_twice(schema, msg);
		if (err != 0)
			errmsg_wrap(msg, "%s", input_file(in, 0)->path);
	}
	buf_release(&head);
	return err;
}

void csv_columns_release(struct csv_columns *c)
{
	for (size_t i = 0; c->header && i < c->count; i++)
		free(c->header[i]);
	free(c->header);
}

bool csv_columns_match_header(
	const struct csv_columns *c, const struct csv_field *fields, size_t count)
{
	if (count != c->count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (strlen(c->header[i]) != fields[i].len ||
			memcmp(c->header[i], fields[i].text, fields[i].len) != 0)
			return false;
	}
	return true;
}
