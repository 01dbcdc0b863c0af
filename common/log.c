#include "common/log.h"

#include "common/clock.h"
#include "common/json_string.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES	  4096
#define LEAST_VALUE_BYTES 48 /* what stands around a value, and a number */

static enum log_level threshold = LOG_INFO;
static enum log_format line_format = LOG_LOGFMT;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* A line that stops growing when it is full: a log line is never worth an allocation. */
struct line {
	char text[LINE_BYTES];
	size_t used;
};

static void put(struct line *line, const char *text, size_t length)
{
	size_t room = sizeof(line->text) - 1 - line->used;

	if (length > room)
		length = room;
	memcpy(line->text + line->used, text, length);
	line->used += length;
}

static void put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

/* So that the line can still be ended as what it is. */
static bool has_room(const struct line *line, size_t length)
{
	return sizeof(line->text) - line->used >= length + sizeof("\"}\n");
}

/* The next character of the text, as it is in quotes; returns its length in the text. */
static size_t escape(const char *text, const char *end, char *out, size_t bytes)
{
	unsigned char c = (unsigned char)*text;
	size_t length = c < 0x80 ? 1 : json_utf8_length(text, end);

	if (length == 0) /* an error text that was cut within a character */
		snprintf(out, bytes, "\xef\xbf\xbd");
	else if (c == '"' || c == '\\')
		snprintf(out, bytes, "\\%c", c);
	else if (c == '\n')
		snprintf(out, bytes, "\\n");
	else if (c < 0x20)
		snprintf(out, bytes, "\\u%04x", c);
	else
		snprintf(out, bytes, "%.*s", (int)length, text);
	return length ? length : 1;
}

static void put_escaped(struct line *line, const char *text)
{
	const char *end = text + strlen(text);
	char buf[8];

	put(line, "\"", 1);
	while (text < end) {
		text += escape(text, end, buf, sizeof(buf));
		if (!has_room(line, strlen(buf)))
			break;
		put_text(line, buf);
	}
	put(line, "\"", 1);
}

static int is_bare(const char *text)
{
	if (!*text)
		return 0;
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f)
			return 0;
	}
	return 1;
}

static void put_value(struct line *line, const struct log_value *value)
{
	char buf[40];

	switch (value->type) {
	case LOG_VALUE_INT:
		snprintf(buf, sizeof(buf), "%lld", (long long)value->integer);
		put_text(line, buf);
		return;
	case LOG_VALUE_DOUBLE:
		if (isfinite(value->number))
			snprintf(buf, sizeof(buf), "%.6g", value->number);
		else
			snprintf(buf, sizeof(buf), "null");
		put_text(line, buf);
		return;
	case LOG_VALUE_STR:
		if (line_format == LOG_LOGFMT && value->text && is_bare(value->text) &&
			has_room(line, strlen(value->text)))
			put_text(line, value->text);
		else
			put_escaped(line, value->text ? value->text : "");
		return;
	}
}

static void put_field(struct line *line, const struct log_field *field)
{
	if (!has_room(line, strlen(field->name) + LEAST_VALUE_BYTES))
		return;
	if (line_format == LOG_JSON) {
		put_text(line, line->used > 1 ? "," : "");
		put_escaped(line, field->name);
		put_text(line, ":");
	} else {
		put_text(line, line->used ? " " : "");
		put_text(line, field->name);
		put_text(line, "=");
	}
	put_value(line, &field->value);
}

static void format_now(char *buf, size_t bytes)
{
	int64_t us = clock_wall_us();
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;
	size_t used;

	gmtime_r(&seconds, &tm);
	used = strftime(buf, bytes, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + used, bytes - used, ".%03dZ", (int)(us / 1000 % 1000));
}

void log_setup(enum log_level level, enum log_format format)
{
	threshold = level;
	line_format = format;
}

int log_enabled(enum log_level level)
{
	return level <= threshold;
}

void log_fields(
	enum log_level level, const char *event, const struct log_field *fields, int count)
{
	struct line line = {.used = 0};
	char now[40];

	if (!log_enabled(level))
		return;
	format_now(now, sizeof(now));
	put_text(&line, line_format == LOG_JSON ? "{" : "");
	put_field(&line, &LOG_F("ts", LOG_STR(now)));
	put_field(&line, &LOG_F("level", LOG_STR(level_names[level])));
	put_field(&line, &LOG_F("event", LOG_STR(event)));
	for (int i = 0; i < count; i++)
		put_field(&line, &fields[i]);
	put_text(&line, line_format == LOG_JSON ? "}" : "");
	line.text[line.used++] = '\n';
	/* One write a line: lines of several threads are never torn. Nobody can be told of a failure. */
	if (write(STDERR_FILENO, line.text, line.used) < 0)
		return;
}

void log_fields_limited(struct log_limit *limit, enum log_level level, const char *event,
	const struct log_field *fields, int count)
{
	struct log_field all[16];
	int64_t now = clock_mono_ms();
	int64_t next = atomic_load_explicit(&limit->next_ms, memory_order_relaxed);
	int64_t held;

	if (now < next || !atomic_compare_exchange_strong(&limit->next_ms, &next, now + 1000)) {
		atomic_fetch_add_explicit(&limit->held_back, 1, memory_order_relaxed);
		return;
	}
	held = atomic_exchange_explicit(&limit->held_back, 0, memory_order_relaxed);
	if (count > 15)
		count = 15;
	memcpy(all, fields, (size_t)count * sizeof(*fields));
	if (held > 0)
		all[count++] = LOG_F("held_back", LOG_INT(held));
	log_fields(level, event, all, count);
}
