#include "loadgen/template.h"

#include "common/clock.h"
#include "common/mem.h"
#include "loadgen/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum part_kind { LITERAL, SEQUENCE, KEY, UUID, TIME, STRING, INT, CHOICE };

struct word {
	char *text;
	size_t bytes;
	uint64_t up_to; /* its weight and those before it */
};

struct template_part {
	enum part_kind kind;
	char *text; /* LITERAL */
	size_t bytes; /* of the text, or of the STRING */
	int64_t low;
	uint64_t span; /* INT: how many values; CHOICE: the weights' sum */
	struct word *words;
	size_t words_count;
};

static struct template_part *add_part(struct template *t, enum part_kind kind)
{
	t->parts = mem_resize(t->parts, t->count + 1, sizeof(*t->parts));
	t->parts[t->count] = (struct template_part){.kind = kind};
	return &t->parts[t->count++];
}

static void add_literal(struct template *t, const char *text, size_t bytes)
{
	struct template_part *part;

	if (bytes == 0)
		return;
	part = add_part(t, LITERAL);
	part->text = mem_strndup(text, bytes);
	part->bytes = bytes;
}

static bool parse_int(struct template_part *part, const char *text)
{
	char *end;
	long long low, high;

	errno = 0;
	low = strtoll(text, &end, 10);
	if (end == text || *end != '-')
		return false;
	text = end + 1;
	high = strtoll(text, &end, 10);
	if (end == text || *end || errno || high < low)
		return false;
	part->low = low;
	part->span = (uint64_t)high - (uint64_t)low + 1;
	return part->span != 0;
}

static bool parse_choice(struct template_part *part, char *text)
{
	char *item;

	while ((item = strsep(&text, "|")) != NULL) {
		char *star = strrchr(item, '*'), *end = NULL;
		unsigned long weight = star ? strtoul(star + 1, &end, 10) : 1;
		struct word *word;

		if (star && (end == star + 1 || *end || weight == 0 || weight > 1000000))
			return false;
		if (star)
			*star = 0;
		part->span += weight;
		part->words =
			mem_resize(part->words, part->words_count + 1, sizeof(*part->words));
		word = &part->words[part->words_count++];
		*word = (struct word){mem_strdup(item), strlen(item), part->span};
	}
	return true;
}

static bool parse_size(struct template_part *part, const char *text)
{
	char *end;
	unsigned long size = strtoul(text, &end, 10);

	part->bytes = size;
	return end != text && *end == 0 && size >= 1 && size <= 1048576;
}

static int add_field(struct template *t, char *name, struct errmsg *msg)
{
	static const char *const plain[] = {
		[SEQUENCE] = "seq", [KEY] = "key", [UUID] = "uuid", [TIME] = "time"};
	bool good = false;

	for (size_t i = SEQUENCE; i <= TIME; i++) {
		if (strcmp(name, plain[i]) == 0) {
			add_part(t, (enum part_kind)i);
			return 0;
		}
	}
	if (strncmp(name, "string:", 7) == 0)
		good = parse_size(add_part(t, STRING), name + 7);
	else if (strncmp(name, "int:", 4) == 0)
		good = parse_int(add_part(t, INT), name + 4);
	else if (strncmp(name, "choice:", 7) == 0)
		good = parse_choice(add_part(t, CHOICE), name + 7);
	if (good)
		return 0;
	return errmsg_set(msg, ERR_CONFIG,
		"template field {{%s}}: wanted {{seq}}, {{key}}, {{uuid}}, {{time}}, "
		"{{string:N}}, "
		"{{int:LOW-HIGH}} or {{choice:a*3|b|c}}",
		name);
}

int template_compile(struct template *t, const char *text, struct errmsg *msg)
{
	const char *open;
	int err = 0;

	*t = (struct template){0};
	while (err == 0 && (open = strstr(text, "{{")) != NULL) {
		const char *close = strstr(open, "}}");
		char *name;

		add_literal(t, text, (size_t)(open - text));
		if (!close)
			return errmsg_set(msg, ERR_CONFIG, "template: '%.40s' has no }}", open);
		name = mem_strndup(open + 2, (size_t)(close - open - 2));
		err = add_field(t, name, msg);
		free(name);
		text = close + 2;
	}
	if (err == 0)
		add_literal(t, text, strlen(text));
	return err;
}

static void add_number(struct http_text *out, bool negative, uint64_t value)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	if (negative)
		digits[--at] = '-';
	http_text_add(out, digits + at, sizeof(digits) - at);
}

static void add_signed(struct http_text *out, int64_t value)
{
	add_number(out, value < 0, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static void add_uuid(struct http_text *out, uint64_t *random)
{
	uint64_t high = random_next(random), low = random_next(random);
	char text[40];

	high = (high & ~UINT64_C(0xf000)) | 0x4000; /* version 4 */
	low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
	snprintf(text, sizeof(text), "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
		(unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xffff, (unsigned)(low >> 48),
		(unsigned long long)(low & 0xffffffffffff));
	http_text_add(out, text, 36);
}

static void add_string(struct http_text *out, size_t bytes, uint64_t *random)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	char part[10];

	while (bytes) {
		uint64_t bits = random_next(random);
		size_t size = bytes < sizeof(part) ? bytes : sizeof(part);

		for (size_t i = 0; i < size; i++, bits >>= 6)
			part[i] = letters[bits & 63];
		http_text_add(out, part, size);
		bytes -= size;
	}
}

static void add_choice(
	struct http_text *out, const struct template_part *part, uint64_t *random)
{
	uint64_t at = random_below(random_next(random), part->span);
	size_t i = 0;

	while (part->words[i].up_to <= at)
		i++;
	http_text_add(out, part->words[i].text, part->words[i].bytes);
}

void template_render(
	const struct template *t, const struct template_values *values, struct http_text *out)
{
	uint64_t random = random_mix(values->seed ^ random_mix(values->sequence));

	for (size_t i = 0; i < t->count; i++) {
		const struct template_part *part = &t->parts[i];

		switch (part->kind) {
		case LITERAL:
			http_text_add(out, part->text, part->bytes);
			break;
		case SEQUENCE:
			add_number(out, false, values->sequence);
			break;
		case KEY:
			http_text_add(out, values->key, values->key_bytes);
			break;
		case UUID:
			add_uuid(out, &random);
			break;
		case TIME:
			add_signed(out, clock_wall_ms());
			break;
		case STRING:
			add_string(out, part->bytes, &random);
			break;
		case INT:
			add_signed(
				out, (int64_t)((uint64_t)part->low +
					       random_below(random_next(&random), part->span)));
			break;
		case CHOICE:
			add_choice(out, part, &random);
			break;
		}
	}
}

void template_release(struct template *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->parts[i].text);
		for (size_t k = 0; k < t->parts[i].words_count; k++)
			free(t->parts[i].words[k].text);
		free(t->parts[i].words);
	}
	free(t->parts);
	*t = (struct template){0};
}
