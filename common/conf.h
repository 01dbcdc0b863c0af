/*
 * conf: options as a table. One line of a program's options.def is the only declaration; it makes
 * the field in the program's struct, the bounds, --help, the environment name and the manual.
 *
 *	OPTION(INT, http_max_inflight, "http.max-inflight", "10000", 1, 1000000, "N", BASIC,
 *		"requests that wait for their acknowledgement at once")
 *
 * Columns: type, field, name, default (text, as a user would write it; "" = not set), minimum and
 * maximum (numbers; for ENUM the argument column lists the words as "a|b|c"), argument's name,
 * BASIC (in --help) or MORE (in --help-all only), help.
 *
 *	struct my_options { struct conf conf;
 *	#define OPTION CONF_FIELD
 *	#include "producer/http/options.def"
 *	#undef OPTION
 *	};
 *	#define OPTION(...) CONF_ROW(struct my_options, __VA_ARGS__)
 *	static const struct conf_option rows[] = {
 *	#include "producer/http/options.def"
 *	};
 *
 * Order: default < --config FILE (name=value lines) < environment WT_NAME < command line. An
 * unknown option or a bad value is an ERR_CONFIG that names option, value, origin and what is
 * allowed. kafka.KEY=VALUE pairs are kept as they are for librdkafka.
 * Load before the first thread; read-only afterwards; conf_release() at the end.
 */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum conf_type {
	CONF_STRING, /* char *, NULL when not set; never empty where there is a default */
	CONF_SECRET, /* char *, masked wherever it is printed */
	CONF_INT, /* int64_t */
	CONF_BYTES, /* int64_t; "64KiB", "1MiB", "1000" */
	CONF_MS, /* int64_t milliseconds; "250", "250ms", "5s", "2m" */
	CONF_DOUBLE, /* double */
	CONF_BOOL, /* bool; --name alone means true */
	CONF_ENUM, /* int, the index into the words of the argument column */
	CONF_LIST, /* struct conf_list, repeatable; every origin adds */
};

struct conf_list {
	char **items;
	size_t count;
};

enum conf_level { CONF_BASIC, CONF_MORE };

struct conf_option {
	enum conf_type type;
	size_t offset;
	const char *name;
	const char *text; /* the default, as text */
	double min, max;
	const char *arg;
	enum conf_level level;
	const char *help;
};

/* The first member of every option struct. */
struct conf {
	const struct conf_program *program;
	char **origins; /* per option: "default", "environment WT_X", ... */
	struct conf_list positional; /* what is no option: verbs, paths */
	struct conf_list kafka; /* "key=value", in the order of precedence, last wins */
	struct conf_list kafka_origins; /* where each of them came from */
};

struct conf_program {
	const char *name; /* "wt-producer" */
	const char *summary; /* one line */
	const char *usage; /* behind the name in --help: "[VERB] [OPTIONS]" */
	const char *more; /* below the options: verbs, examples, exit codes; or NULL */
	const struct conf_option *options;
	size_t count;
};

#define CONF_FIELD_STRING(f)						char *f;
#define CONF_FIELD_SECRET(f)						char *f;
#define CONF_FIELD_INT(f)						int64_t f;
#define CONF_FIELD_BYTES(f)						int64_t f;
#define CONF_FIELD_MS(f)						int64_t f;
#define CONF_FIELD_DOUBLE(f)						double f;
#define CONF_FIELD_BOOL(f)						bool f;
#define CONF_FIELD_ENUM(f)						int f;
#define CONF_FIELD_LIST(f)						struct conf_list f;
#define CONF_FIELD(type, field, name, text, min, max, arg, level, help) CONF_FIELD_##type(field)
#define CONF_ROW(owner, type, field, name, text, min, max, arg, level, help)                   \
	{CONF_##type, offsetof(owner, field), name, text, min, max, arg, CONF_##level, help},

enum conf_outcome { CONF_RUN = 0, CONF_DONE = 1 }; /* DONE: --help and the like were printed */

/*
 * `values` points to the program's option struct, whose first member is struct conf; it is
 * overwritten. argv is copied. Returns CONF_RUN, CONF_DONE or ERR_CONFIG / ERR_IO.
 */
int conf_load(void *values, const struct conf_program *program, int argc, char **argv,
	struct errmsg *msg);
void conf_release(void *values);

/* Where an option's value comes from: "default", "environment WT_X", ... Borrowed. */
const char *conf_origin(const struct conf *conf, const char *name);
/* ERR_CONFIG that names the first word on the command line behind the `count` that mean something. */
int conf_no_more_words(const struct conf *conf, size_t count, struct errmsg *msg);

/* The words behind --help, --help-all and --print-config; also used to make the manual. */
void conf_print_help(const struct conf_program *program, bool all, FILE *out);
void conf_print_values(const void *values, FILE *out);

/* The first line of a file without its line end, for *-file options. Caller frees with free(). */
int conf_read_secret_file(const char *path, char **secret, struct errmsg *msg);

#endif
