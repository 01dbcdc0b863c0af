/*
 * mapping_reader: the mapping file as text with lines, and the members of its objects, each
 * checked on its own. Every mistake is noted and reading goes on. For mapping's own files.
 */
#ifndef CONSUMER_MAPPING_READER_H
#define CONSUMER_MAPPING_READER_H

#include "common/err.h"
#include "common/json_reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapping_reader {
	const char *path; /* borrowed */
	char *text;
	size_t length;
	struct errmsg *msg; /* the mistakes, a line each */
	int mistakes, left_out; /* that did not fit */
};

/* ERR_CONFIG when it cannot be read; release in any case. */
int mapping_reader_open(struct mapping_reader *file, const char *path, struct errmsg *msg);
/* The last line says how many mistakes were left out. */
void mapping_reader_release(struct mapping_reader *file);

int mapping_line(const struct mapping_reader *file, const char *at);
void mapping_mistake(struct mapping_reader *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define MAPPING_MEMBERS_MAX 8

/*
 * Reads an object's members into values[i] for names[i] (NULL-terminated, at most
 * MAPPING_MEMBERS_MAX); text is NULL where one is absent. Unknown and repeated ones are mistakes.
 * False when it is no object. `of` is "a route", for the words.
 */
bool mapping_members(struct mapping_reader *file, const struct json_value *object,
	const char *of, const char *const *names, struct json_value *values);

/* Each takes a member if it is there (text not NULL) and notes what is wrong with it. */
/* Caller frees; NULL when absent or wrong. */
char *mapping_text(
	struct mapping_reader *file, const struct json_value *value, const char *name);
/* Letters, digits, _ and `more`, at most `limit` of them: nothing that needs quoting. */
char *mapping_identifier(struct mapping_reader *file, const struct json_value *value,
	const char *name, const char *more, size_t limit);
bool mapping_bool(
	struct mapping_reader *file, const struct json_value *value, const char *name);
/* The index of the word; 0 when absent or wrong. */
int mapping_word(struct mapping_reader *file, const struct json_value *value, const char *name,
	const char *const *words);
/* Whole, 0 or more. */
int64_t mapping_count(
	struct mapping_reader *file, const struct json_value *value, const char *name);
/* Is it a name that needs no quoting? */
bool mapping_is_identifier(const char *text, const char *more, size_t limit);

#endif
