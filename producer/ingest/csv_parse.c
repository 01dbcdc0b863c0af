#include "producer/ingest/csv_parse.h"

#include <string.h>

#define ONES  0x0101010101010101ULL
#define HIGHS 0x8080808080808080ULL

/* The next delimiter or line feed at or behind `at`, or `end`: eight bytes at a time. */
static char *find_stop(char *at, const char *end, char delimiter)
{
	const uint64_t d = ONES * (unsigned char)delimiter;

	while (at + 8 <= end) {
		uint64_t w, x, y;

		memcpy(&w, at, 8);
		x = w ^ d;
		y = w ^ (ONES * '\n');
		x = ((x - ONES) & ~x) | ((y - ONES) & ~y);
		x &= HIGHS;
		if (x) { /* the lowest mark is exact, whatever the carries did above it */
			at += __builtin_ctzll(x) / 8;
			return at;
		}
		at += 8;
	}
	while (at < end && *at != delimiter && *at != '\n')
		at++;
	return at;
}

/* Behind the closing quote, or NULL when there is none. *doubled: there is something to fold. */
static char *find_close(char *at, const char *end, bool *doubled)
{
	*doubled = false;
	for (;;) {
		at = memchr(at, '"', (size_t)(end - at));
		if (!at)
			return NULL;
		if (at + 1 == end || at[1] != '"')
			return at + 1;
		*doubled = true;
		at += 2;
	}
}

static size_t fold_quotes(char *text, size_t len)
{
	size_t to = 0;

	for (size_t from = 0; from < len; from++) {
		text[to++] = text[from];
		if (text[from] == '"')
			from++;
	}
	memset(text + to, '"', len - to); /* no line feed twice: lines are counted later, too */
	return to;
}

void csv_fold(struct csv_field *fields, const struct csv_record *record)
{
	for (size_t i = 0; record->doubled && i < record->fields; i++) {
		if (fields[i].quoted)
			fields[i].len =
				(uint32_t)fold_quotes(fields[i].text, fields[i].raw_len);
	}
}

static void unfold_quotes(char *text, size_t len, size_t raw_len)
{
	for (size_t to = raw_len; len > 0 && to > len;) {
		text[--to] = text[--len];
		if (text[to] == '"')
			text[--to] = '"';
	}
}

void csv_unfold(struct csv_field *fields, const struct csv_record *record)
{
	for (size_t i = 0; record->doubled && i < record->fields; i++) {
		if (!fields[i].quoted)
			continue;
		unfold_quotes(fields[i].text, fields[i].len, fields[i].raw_len);
		fields[i].len = fields[i].raw_len;
	}
}

/* The rest of the physical line is given up. */
static void give_up(struct csv_record *record, const char *text, size_t len, const char *why)
{
	const char *end = memchr(text, '\n', len);

	record->problem = why;
	record->bytes = end ? (size_t)(end - text) + 1 : len;
}

/* One quoted field from its opening quote; returns where it stops, or NULL. */
static char *take_quoted(char *at, const char *end, char delimiter, struct csv_field *field,
	struct csv_record *record)
{
	bool doubled;
	char *close = find_close(at + 1, end, &doubled);

	if (!close) {
		record->problem = "a quote is not closed";
		return NULL;
	}
	*field = (struct csv_field){
		.text = at + 1, .len = (uint32_t)(close - at - 2), .quoted = true};
	field->raw_len = field->len;
	record->doubled |= doubled;
	if (close < end && *close == '\r' && (close + 1 == end || close[1] == '\n'))
		close++;
	if (close < end && *close != delimiter && *close != '\n') {
		record->problem = "text behind a closing quote";
		return NULL;
	}
	return close;
}

void csv_split(char *text, size_t len, char delimiter, struct csv_field *fields, size_t room,
	struct csv_record *record)
{
	const char *end = text + len;
	char *at = text;
	struct csv_field spare;

	*record = (struct csv_record){0};
	for (;;) {
		struct csv_field *field =
			record->fields < room ? &fields[record->fields] : &spare;
		char *stop;

		record->fields++;
		if (at < end && *at == '"') {
			stop = take_quoted(at, end, delimiter, field, record);
			if (!stop) {
				give_up(record, text, len, record->problem);
				return;
			}
		} else {
			stop = find_stop(at, end, delimiter);
			*field = (struct csv_field){.text = at, .len = (uint32_t)(stop - at)};
			if (field->len > 0 && stop[-1] == '\r' &&
				(stop == end || *stop == '\n'))
				field->len--;
		}
		if (stop == end || *stop == '\n') {
			record->bytes = (size_t)(stop - text) + (stop < end);
			return;
		}
		at = stop + 1;
	}
}

/* Behind the record at `at`, or NULL when it has no end here. */
static const char *record_end(const char *at, const char *end, char delimiter, bool eof)
{
	for (;;) {
		if (at < end && *at == '"') {
			bool doubled;
			/* find_close changes nothing; it returns into what it was given */
			const char *close =
				find_close((char *)(uintptr_t)(at + 1), end, &doubled);

			/* a quote as the last byte may be the first half of a doubled one */
			if (!close || (close == end && !eof))
				return NULL;
			at = close;
		}
		at = find_stop((char *)(uintptr_t)at, end, delimiter);
		if (at == end)
			return eof ? end : NULL;
		at++;
		if (at[-1] == '\n')
			return at;
	}
}

size_t csv_last_end(const char *text, size_t len, char delimiter, bool eof)
{
	const char *end = text + len;
	const char *last = text;

	if (!memchr(text, '"', len)) {
		last = memrchr(text, '\n', len);
		return eof ? len : last ? (size_t)(last - text) + 1 : 0;
	}
	for (const char *next = text; next && next < end;) {
		next = record_end(next, end, delimiter, eof);
		if (next)
			last = next;
	}
	return (size_t)(last - text);
}
