#include "producer/ingest/csv_row.h"

#include "producer/ingest/json_row.h"

static bool needs_quotes(const char *text, size_t len, char delimiter)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == delimiter || text[i] == '"' || text[i] == '\n' ||
			text[i] == '\r')
			return true;
	}
	return false;
}

static void put_quoted(struct buf *out, const char *text, size_t len)
{
	char *to = buf_room(out, 2 * len + 2);

	*to++ = '"';
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			*to++ = '"';
		*to++ = text[i];
	}
	*to++ = '"';
	out->used = (size_t)(to - out->data);
}

/* What reads as null is quoted, and an empty only column, which else were a blank line. */
static void put_text(struct buf *out, const struct csv_style *style, const struct cell *cell,
	bool only_column)
{
	const char *null_text = style->null_text;
	bool like_null = null_text && strlen(null_text) == cell->len &&
			 memcmp(null_text, cell->text, cell->len) == 0;

	if (like_null || (cell->len == 0 && only_column) ||
		needs_quotes(cell->text, cell->len, style->delimiter))
		put_quoted(out, cell->text, cell->len);
	else
		buf_put(out, cell->text, cell->len);
}

static void put_cell(struct buf *out, const struct csv_style *style, const struct cell *cell,
	bool only_column)
{
	switch (cell->kind) {
	case CELL_NULL:
		buf_put(out, style->null_text, strlen(style->null_text));
		return;
	case CELL_TEXT:
		put_text(out, style, cell, only_column);
		return;
	case CELL_CLEAN:
	case CELL_WORD:
		buf_put(out, cell->text, cell->len);
		return;
	case CELL_INT:
		if (cell->text)
			buf_put(out, cell->text, cell->len);
		else
			out->used += format_int(buf_room(out, 20), cell->integer);
		return;
	case CELL_DOUBLE:
		if (cell->text)
			buf_put(out, cell->text, cell->len);
		else
			out->used += format_double(buf_room(out, 32), cell->number);
		return;
	case CELL_BOOL:
		buf_put(out, cell->integer ? "true" : "false", cell->integer ? 4 : 5);
		return;
	}
}

void csv_put_row(struct buf *out, const struct csv_style *style, const struct cell *cells,
	size_t columns)
{
	for (size_t i = 0; i < columns; i++) {
		if (i > 0)
			buf_byte(out, style->delimiter);
		put_cell(out, style, &cells[i], columns == 1);
	}
	buf_byte(out, '\n');
}

void csv_put_header(struct buf *out, const struct csv_style *style, const struct schema *schema)
{
	const struct csv_style names = {.delimiter = style->delimiter};

	for (size_t i = 0; i < schema->count; i++) {
		const char *name = schema->columns[i].name;
		const struct cell cell = {.text = name, .len = (uint32_t)strlen(name)};

		if (i > 0)
			buf_byte(out, style->delimiter);
		put_text(out, &names, &cell, false);
	}
	buf_byte(out, '\n');
}
