#include "producer/ingest/config_file.h"

#include "common/conf_value.h"

#include <errno.h>
#include <stdio.h>
#include <yaml.h>

#define DEPTH 16

/* The other vocabulary. NULL: understood, and means nothing here (threads and buffers of another
   design). */
static const struct {
	const char *theirs, *ours;
} names[] = {
	{"producer.message_count", "count"},
	{"producer.workers", "workers"},
	{"producer.buffer_size", NULL},
	{"producer.batch_size", "batch"},
	{"producer.rate", "rate"},
	{"producer.seed", "seed"},
	{"output.parquet.row_group_size", "row-group"},
	{"output.parquet.compression", "=parquet"},
	{"output.csv.delimiter", "delimiter"},
	{"kafka.topic", "topic"},
	{"kafka.batch_size", "batch"},
	{"kafka.compression", "=kafka"},
	{"kafka.flush_frequency", NULL},
	{"logging.level", "log.level"},
	{"logging.format", "log.format"},
};

struct reading {
	const struct conf_program *program;
	const char *path;
	struct buf *lines;
	struct buf compression, brokers;
	char *format, *csv_path, *parquet_path;
	bool theirs, kafka, no_kafka;
	struct errmsg *msg;
};

bool config_file_is_ours(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 ||
			      strcmp(dot, ".json") == 0);
}

static void put_line(struct buf *lines, const char *name, const char *value)
{
	buf_put(lines, name, strlen(name));
	buf_byte(lines, '=');
	buf_put(lines, value, strlen(value));
	buf_byte(lines, '\n');
}

static void keep(char **place, const char *value)
{
	free(*place);
	*place = mem_strdup(value);
}

/* Fields that say which sinks there are; the lines follow when all is read. */
static bool take_output(struct reading *r, const char *name, const char *value)
{
	if (strcmp(name, "output.format") == 0)
		keep(&r->format, value);
	else if (strcmp(name, "output.csv.path") == 0 || strcmp(name, "output.csv_path") == 0)
		keep(&r->csv_path, value);
	else if (strcmp(name, "output.parquet.path") == 0 ||
		 strcmp(name, "output.parquet_path") == 0)
		keep(&r->parquet_path, value);
	else
		return false;
	r->theirs = true;
	return true;
}

static bool take_theirs(struct reading *r, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].theirs, name) != 0)
			continue;
		r->theirs = r->theirs || strncmp(name, "producer.", 9) == 0;
		if (names[i].ours && names[i].ours[0] == '=') {
			if (r->compression.used > 0)
				buf_byte(&r->compression, ',');
			put_line(&r->compression, names[i].ours + 1, value);
			r->compression.used--; /* no line end inside a list */
		} else if (names[i].ours) {
			put_line(r->lines, names[i].ours, value);
		}
		return true;
	}
	return take_output(r, name, value);
}

static int take_enabled(struct reading *r, const char *value, size_t line)
{
	static const struct conf_option option = {.name = "kafka.enabled", .type = CONF_BOOL};
	char *origin = mem_printf("%s:%zu", r->path, line);
	int err = conf_value_set(&r->kafka, &option, value, origin, r->msg);

	r->no_kafka = !r->kafka;
	r->theirs = true;
	free(origin);
	return err;
}

static int take(struct reading *r, const char *name, const char *value, size_t line)
{
	if (strchr(value, '\n'))
		return errmsg_set(r->msg, ERR_CONFIG, "%s:%zu: %s: more than one line", r->path,
			line, name);
	if (strcmp(name, "kafka.brokers") == 0) { /* a list, or one text */
		if (r->brokers.used > 0)
			buf_byte(&r->brokers, ',');
		buf_put(&r->brokers, value, strlen(value));
		return 0;
	}
	if (strcmp(name, "kafka.enabled") == 0)
		return take_enabled(r, value, line);
	if (take_theirs(r, name, value))
		return 0;
	for (size_t i = 0; i < r->program->count; i++) {
		if (strcmp(r->program->options[i].name, name) == 0) {
			put_line(r->lines, name, value);
			return 0;
		}
	}
	if (strncmp(name, "kafka.", 6) == 0) { /* librdkafka judges it */
		put_line(r->lines, name, value);
		return 0;
	}
	return errmsg_set(r->msg, ERR_CONFIG, "%s:%zu: unknown field '%s'; see %s --help-all",
		r->path, line, name, r->program->name);
}

/* Where in the document we are. */
struct place {
	char name[512];
	size_t ends[DEPTH]; /* of the name at each level */
	bool list[DEPTH];
	int depth;
	bool have_key;
};

static int enter(struct reading *r, struct place *p, bool list, size_t line)
{
	if (p->depth + 1 == DEPTH)
		return errmsg_set(r->msg, ERR_CONFIG, "%s:%zu: nested too deep", r->path, line);
	p->depth++;
	p->list[p->depth] = list;
	p->ends[p->depth] = strlen(p->name);
	p->have_key = false;
	return 0;
}

static void leave(struct place *p)
{
	p->depth--;
	p->name[p->ends[p->depth]] = 0;
	p->have_key = false;
}

static int scalar(struct reading *r, struct place *p, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t end = p->ends[p->depth];
	size_t line = event->start_mark.line + 1;
	int err;

	if (p->depth == 0)
		return errmsg_set(
			r->msg, ERR_CONFIG, "%s:%zu: an object is wanted", r->path, line);
	if (!p->list[p->depth] && !p->have_key) {
		if (strlen(text) + end + 2 > sizeof(p->name))
			return errmsg_set(
				r->msg, ERR_CONFIG, "%s:%zu: name too long", r->path, line);
		snprintf(p->name + end, sizeof(p->name) - end, "%s%s", end ? "." : "", text);
		p->have_key = true;
		return 0;
	}
	err = take(r, p->name, text, line);
	if (!p->list[p->depth])
		p->name[end] = 0;
	p->have_key = false;
	return err;
}

static int walk(struct reading *r, yaml_parser_t *parser)
{
	struct place p = {.name = ""};
	yaml_event_t event;
	bool end = false;
	int err = 0;

	while (err == 0 && !end) {
		if (!yaml_parser_parse(parser, &event))
			return errmsg_set(r->msg, ERR_CONFIG, "%s:%zu: %s", r->path,
				parser->problem_mark.line + 1,
				parser->problem ? parser->problem : "not YAML");
		if (event.type == YAML_SCALAR_EVENT)
			err = scalar(r, &p, &event);
		else if (event.type == YAML_MAPPING_START_EVENT ||
			 event.type == YAML_SEQUENCE_START_EVENT)
			err = enter(r, &p, event.type == YAML_SEQUENCE_START_EVENT,
				event.start_mark.line + 1);
		else if (event.type == YAML_MAPPING_END_EVENT ||
			 event.type == YAML_SEQUENCE_END_EVENT)
			leave(&p);
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	return err;
}

static int put_sink(struct reading *r, const char *kind, const char *path, const char *fallback)
{
	char *value = mem_printf("%s:%s", kind, path ? path : fallback);

	put_line(r->lines, "to", value);
	free(value);
	return 0;
}

/* output.format and kafka.enabled as sinks. */
static int put_sinks(struct reading *r)
{
	const char *format = r->format ? r->format : "";
	bool both = strcmp(format, "both") == 0;

	if (*format && !both && strcmp(format, "csv") != 0 && strcmp(format, "parquet") != 0)
		return errmsg_set(r->msg, ERR_CONFIG,
			"%s: output.format: '%s' is not csv, parquet or both", r->path, format);
	if (both || strcmp(format, "csv") == 0)
		put_sink(r, "csv", r->csv_path, "messages.csv");
	if (both || strcmp(format, "parquet") == 0)
		put_sink(r, "parquet", r->parquet_path, "messages.parquet");
	if (r->kafka)
		put_line(r->lines, "to", "kafka");
	if (r->brokers.used > 0) {
		buf_byte(&r->brokers, 0);
		put_line(r->lines, "kafka.brokers", r->brokers.data);
	}
	if (r->compression.used > 0) {
		buf_byte(&r->compression, 0);
		put_line(r->lines, "compression", r->compression.data);
	}
	return 0;
}

int config_file_read(const char *path, const struct conf_program *program, struct buf *lines,
	struct config_said *said, struct errmsg *msg)
{
	struct reading r = {.program = program, .path = path, .lines = lines, .msg = msg};
	FILE *file = fopen(path, "r");
	yaml_parser_t parser;
	int err;

	*said = (struct config_said){0};
	if (!file)
		return errmsg_set(msg, ERR_CONFIG, "option config: cannot read %s: %s", path,
			strerror(errno));
	yaml_parser_initialize(&parser);
	yaml_parser_set_input_file(&parser, file);
	err = walk(&r, &parser);
	if (err == 0)
		err = put_sinks(&r);
	if (err == 0 && r.theirs)
		said->source = mem_strdup("generate");
	said->no_kafka = r.no_kafka;
	yaml_parser_delete(&parser);
	fclose(file);
	free(r.format);
	free(r.csv_path);
	free(r.parquet_path);
	buf_release(&r.compression);
	buf_release(&r.brokers);
	return err;
}
