#include "consumer/mapping_reader.h"

#include "common/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX	 (4 << 20)
#define READ_BYTES	 16384
#define LEFT_OUT_RESERVE 32

int mapping_reader_open(struct mapping_reader *file, const char *path, struct errmsg *msg)
{
	FILE *in = fopen(path, "r");
	size_t got;
	int err = 0;

	*file = (struct mapping_reader){.path = path, .msg = msg};
	msg->text[0] = 0;
	if (!in)
		return errmsg_set(msg, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
	do {
		file->text = mem_resize(file->text, file->length + READ_BYTES, 1);
		got = fread(file->text + file->length, 1, READ_BYTES, in);
		file->length += got;
	} while (got == READ_BYTES && file->length <= FILE_BYTES_MAX);
	if (ferror(in))
		err = errmsg_set(msg, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
	else if (file->length > FILE_BYTES_MAX)
		err = errmsg_set(msg, ERR_CONFIG, "%s is larger than 4 MiB", path);
	fclose(in);
	return err;
}

void mapping_reader_release(struct mapping_reader *file)
{
	size_t used = strlen(file->msg->text);

	if (file->left_out)
		snprintf(file->msg->text + used, sizeof(file->msg->text) - used,
			"\nand %d more", file->left_out);
	free(file->text);
	file->text = NULL;
}

int mapping_line(const struct mapping_reader *file, const char *at)
{
	int line = 1;

	for (const char *c = file->text; c < at; c++)
		line += *c == '\n';
	return line;
}

void mapping_mistake(struct mapping_reader *file, int line, const char *format, ...)
{
	size_t used = strlen(file->msg->text), room = sizeof(file->msg->text) - used;
	char words[256], *whole;
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	whole = mem_printf("%s%s:%d: %s", used ? "\n" : "", file->path, line, words);
	if (file->mistakes++ == 0 || strlen(whole) + LEFT_OUT_RESERVE < room)
		snprintf(file->msg->text + used, room, "%s", whole);
	else
		file->left_out++;
	free(whole);
}

bool mapping_members(struct mapping_reader *file, const struct json_value *object,
	const char *of, const char *const *names, struct json_value *values)
{
	struct json_value key, value;
	struct json_reader r;
	int more = 0;

	memset(values, 0, MAPPING_MEMBERS_MAX * sizeof(*values));
	if (json_object_begin(&r, object->text, object->length) != 0) {
		mapping_mistake(file, mapping_line(file, r.start + r.position),
			"%s must be a JSON object", of);
		return false;
	}
	while ((more = json_object_next(&r, &key, &value)) > 0) {
		int i = 0, line = mapping_line(file, key.text);

		while (names[i] && !json_string_is(&key, names[i], strlen(names[i])))
			i++;
		if (!names[i])
			mapping_mistake(file, line, "unknown member \"%.*s\" of %s",
				(int)(key.length > 80 ? 80 : key.length), key.text, of);
		else if (values[i].text)
			mapping_mistake(file, line, "\"%s\" is there twice", names[i]);
		else
			values[i] = value;
	}
	if (more < 0) /* nested ones were checked to their ends: this is the outermost */
		mapping_mistake(file, mapping_line(file, r.start + r.position),
			"not valid JSON: %s", r.error);
	return more == 0;
}

char *mapping_text(
	struct mapping_reader *file, const struct json_value *value, const char *name)
{
	char *text;

	if (!value->text)
		return NULL;
	if (value->kind != JSON_KIND_STRING || value->length == 0) {
		mapping_mistake(file, mapping_line(file, value->text),
			"\"%s\" must be a non-empty string", name);
		return NULL;
	}
	text = mem_alloc(value->length + 1);
	text[json_unescape(value, text)] = 0;
	return text;
}

bool mapping_is_identifier(const char *text, const char *more, size_t limit)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (!((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
			    c == '_' || strchr(more, c)))
			return false;
	}
	return length > 0 && length <= limit;
}

char *mapping_identifier(struct mapping_reader *file, const struct json_value *value,
	const char *name, const char *more, size_t limit)
{
	char *text = mapping_text(file, value, name);

	if (text && !mapping_is_identifier(text, more, limit))
		mapping_mistake(file, mapping_line(file, value->text),
			"\"%s\": '%.80s' may hold letters, digits, _ and %s only, %zu at most",
			name, text, more, limit);
	return text;
}

bool mapping_bool(struct mapping_reader *file, const struct json_value *value, const char *name)
{
	if (value->text && value->kind != JSON_KIND_TRUE && value->kind != JSON_KIND_FALSE)
		mapping_mistake(file, mapping_line(file, value->text),
			"\"%s\" must be true or false", name);
	return value->text && value->kind == JSON_KIND_TRUE;
}

int mapping_word(struct mapping_reader *file, const struct json_value *value, const char *name,
	const char *const *words)
{
	char shown[128] = "";

	if (!value->text)
		return 0;
	for (int i = 0; words[i]; i++) {
		size_t used = strlen(shown);

		if (value->kind == JSON_KIND_STRING &&
			json_string_is(value, words[i], strlen(words[i])))
			return i;
		snprintf(shown + used, sizeof(shown) - used, "%s%s", i ? ", " : "", words[i]);
	}
	mapping_mistake(
		file, mapping_line(file, value->text), "\"%s\" must be one of %s", name, shown);
	return 0;
}

/* Redis takes life times up to some 9e15 seconds, and says so only when it is too late. */
#define COUNT_MAX 1000000000000

int64_t mapping_count(
	struct mapping_reader *file, const struct json_value *value, const char *name)
{
	int64_t count = 0;

	if (!value->text)
		return 0;
	if (value->kind == JSON_KIND_NUMBER && json_number_int64(value, &count) && count >= 0 &&
		count <= COUNT_MAX)
		return count;
	mapping_mistake(file, mapping_line(file, value->text),
		"\"%s\" must be a whole number, 0 or more", name);
	return 0;
}
