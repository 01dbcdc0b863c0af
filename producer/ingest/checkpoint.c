#include "producer/ingest/checkpoint.h"

#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VERSION 2 /* 1 did not say which files it had read */

struct checkpoint {
	char *path; /* NULL: none is kept */
	char *word;
	json_t *sink_names;
	struct source *source; /* borrowed */
	json_t *loaded;
	pthread_mutex_t mu;
	/* under mu */
	json_t *latest;
	struct errmsg failure;
	int failed;
};

static uint64_t number(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

static int check_loaded(const struct checkpoint *c, const json_t *loaded, struct errmsg *msg)
{
	const char *word = json_string_value(json_object_get(loaded, "source"));
	json_int_t version = json_integer_value(json_object_get(loaded, "version"));

	if (word && version > 0 && version < VERSION)
		return errmsg_set(msg, ERR_CONFIG,
			"an earlier version of wt-ingest wrote it, which did not say which "
			"input it belongs to; end that run with the earlier version, or give "
			"another file");
	if (version != VERSION || !word)
		return errmsg_set(msg, ERR_CONFIG, "this is no checkpoint of wt-ingest");
	if (strcmp(word, c->word) != 0)
		return errmsg_set(msg, ERR_CONFIG,
			"it belongs to a run of '%s', and this one is of '%s'; give the same "
			"source, or another file",
			word, c->word);
	if (!json_equal(json_object_get(loaded, "to"), c->sink_names))
		return errmsg_set(msg, ERR_CONFIG,
			"it belongs to a run with other sinks; give the same ones, or another "
			"file");
	return 0;
}

int checkpoint_new(struct checkpoint **out, const char *path, const char *source_word,
	struct source *source, const struct conf_list *sinks, struct errmsg *msg)
{
	struct checkpoint *c = mem_zero(1, sizeof(*c));
	json_error_t why;
	int err = 0;

	pthread_mutex_init(&c->mu, NULL);
	c->path = path ? mem_strdup(path) : NULL;
	c->word = mem_strdup(source_word);
	c->source = source;
	c->sink_names = json_array();
	for (size_t i = 0; i < sinks->count; i++)
		json_array_append_new(c->sink_names, json_string(sinks->items[i]));
	if (path && access(path, F_OK) == 0) {
		c->loaded = json_load_file(path, 0, &why);
		if (!c->loaded)
			err = errmsg_set(msg, ERR_CONFIG, "line %d: %s", why.line, why.text);
		if (err == 0)
			err = check_loaded(c, c->loaded, msg);
		if (err != 0)
			errmsg_wrap(msg, "checkpoint %s", path);
	}
	if (err != 0) {
		checkpoint_free(c);
		return err;
	}
	*out = c;
	return 0;
}

void checkpoint_free(struct checkpoint *c)
{
	if (!c)
		return;
	json_decref(c->sink_names);
	json_decref(c->loaded);
	json_decref(c->latest);
	pthread_mutex_destroy(&c->mu);
	free(c->word);
	free(c->path);
	free(c);
}

const json_t *checkpoint_loaded(const struct checkpoint *c)
{
	return c->loaded;
}

/* The file, when the group's offset has expired; or it knows that these records were the last. */
static bool is_newer_than(const struct checkpoint *c, uint64_t records)
{
	return c->loaded &&
	       (records < checkpoint_records(c) ||
		       (records == checkpoint_records(c) && checkpoint_is_done(c)));
}

int checkpoint_replace(struct checkpoint *c, const char *text, struct errmsg *msg)
{
	json_error_t why;
	json_t *position = json_loads(text, 0, &why);
	int err;

	if (!position)
		return errmsg_set(
			msg, ERR_INVALID, "position in the transaction: %s", why.text);
	err = check_loaded(c, position, msg);
	if (err == 0 && is_newer_than(c, number(position, "records"))) {
		json_decref(position);
		return 0;
	}
	if (err != 0) {
		json_decref(position);
		return err;
	}
	json_decref(c->loaded);
	c->loaded = position;
	return 0;
}

bool checkpoint_is_done(const struct checkpoint *c)
{
	return json_is_true(json_object_get(c->loaded, "done"));
}

uint64_t checkpoint_records(const struct checkpoint *c)
{
	return (uint64_t)json_integer_value(json_object_get(c->loaded, "records"));
}

const json_t *checkpoint_sink_state(const struct checkpoint *c, int sink)
{
	return c->loaded ? json_array_get(json_object_get(c->loaded, "sinks"), (size_t)sink)
			 : NULL;
}

int checkpoint_seek(const struct checkpoint *c, struct source *source, struct errmsg *msg)
{
	const json_t *at = json_object_get(c->loaded, "position");
	const char *path = json_string_value(json_object_get(at, "file"));
	struct input_file file = {.device = number(at, "device"), .inode = number(at, "inode")};
	struct position position = {.offset = number(at, "offset"),
		.line = number(at, "line"),
		.rows = number(at, "rows"),
		.mid_line = json_is_true(json_object_get(at, "mid_line")),
		.skipping = json_is_true(json_object_get(at, "skipping"))};
	int err;

	if (source->input && !json_object_get(at, "inode"))
		return 0; /* nothing had been read yet */
	if (!source->input) {
		source->seed = number(at, "seed");
		source->first_id = number(at, "first_id");
	}
	file.path = mem_strdup(path ? path : "");
	err = source->ops->seek(source, &position, source->input ? &file : NULL, msg);
	if (err < 0)
		errmsg_wrap(msg, "resume from %s", c->path ? c->path : "the transaction");
	free(file.path);
	return err;
}

json_t *checkpoint_position(struct checkpoint *c, const struct position *at, uint64_t records,
	json_t *sinks, bool last)
{
	json_t *position = json_pack("{s:I,s:I,s:I,s:b,s:b}", "rows", (json_int_t)at->rows,
		"offset", (json_int_t)at->offset, "line", (json_int_t)at->line, "mid_line",
		(int)at->mid_line, "skipping", (int)at->skipping);

	if (c->source->input) {
		const struct input_file *file = input_file(c->source->input, at->file);

		json_object_set_new(position, "file", json_string(file->path));
		json_object_set_new(position, "device", json_integer((json_int_t)file->device));
		json_object_set_new(position, "inode", json_integer((json_int_t)file->inode));
	}
	if (!c->source->input) {
		json_object_set_new(
			position, "seed", json_integer((json_int_t)c->source->seed));
		json_object_set_new(
			position, "first_id", json_integer((json_int_t)c->source->first_id));
	}
	return json_pack("{s:i,s:s,s:O,s:o,s:I,s:O,s:b,s:b}", "version", VERSION, "source",
		c->word, "to", c->sink_names, "position", position, "records",
		(json_int_t)records, "sinks", sinks, "last", (int)last, "done", 0);
}

static int write_file(const char *path, const char *text, struct errmsg *msg)
{
	char *other = mem_printf("%s.new", path);
	size_t len = strlen(text);
	int fd = open(other, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len && fdatasync(fd) == 0;
	int err = 0;

	if (fd >= 0 && close(fd) != 0)
		ok = false;
	if (!ok || rename(other, path) != 0)
		err = errmsg_set(
			msg, ERR_IO, "cannot write checkpoint %s: %s", path, strerror(errno));
	free(other);
	return err;
}

static void write_locked(struct checkpoint *c, json_t *position)
{
	char *text = json_dumps(position, JSON_COMPACT);

	if (write_file(c->path, text, &c->failure) != 0)
		c->failed = ERR_IO;
	free(text);
}

void checkpoint_write(struct checkpoint *c, json_t *position)
{
	pthread_mutex_lock(&c->mu);
	if (c->path)
		write_locked(c, position);
	json_decref(c->latest);
	c->latest = position;
	pthread_mutex_unlock(&c->mu);
}

void checkpoint_finish(struct checkpoint *c)
{
	pthread_mutex_lock(&c->mu);
	if (!c->latest && c->loaded) /* nothing was left to do but the finish */
		c->latest = json_incref(c->loaded);
	if (c->path && c->latest) {
		json_object_set_new(c->latest, "done", json_true());
		write_locked(c, c->latest);
	}
	pthread_mutex_unlock(&c->mu);
}

int checkpoint_error(struct checkpoint *c, struct errmsg *msg)
{
	int err;

	pthread_mutex_lock(&c->mu);
	err = c->failed;
	if (err != 0)
		*msg = c->failure;
	pthread_mutex_unlock(&c->mu);
	return err;
}
