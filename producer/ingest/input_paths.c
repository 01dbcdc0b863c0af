#include "producer/ingest/input_paths.h"

#include "common/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void add_path(struct input_paths *in, const char *path)
{
	in->names = mem_resize(in->names, in->count + 1, sizeof(*in->names));
	in->names[in->count++] = mem_strdup(path);
}

/* A name that exists is itself, even with a * in it. */
static int expand(struct input_paths *in, const char *path, struct errmsg *msg)
{
	struct stat st;
	glob_t found;

	if (strcmp(path, "-") == 0 || stat(path, &st) == 0 || !strpbrk(path, "*?[")) {
		add_path(in, path);
		return 0;
	}
	if (glob(path, 0, NULL, &found) != 0)
		return errmsg_set(msg, ERR_IO, "no file matches '%s'", path);
	for (size_t i = 0; i < found.gl_pathc; i++)
		add_path(in, found.gl_pathv[i]);
	globfree(&found);
	return 0;
}

static int check_path(struct input_paths *in, const char *path, struct errmsg *msg)
{
	struct stat st;
	int fd;

	if (strcmp(path, "-") == 0)
		return 0;
	/* a pipe that is opened and closed again ends its writer */
	if (stat(path, &st) == 0 && S_ISFIFO(st.st_mode) && access(path, R_OK) == 0)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		if (fd >= 0)
			close(fd);
		return errmsg_set(msg, ERR_IO, "cannot read %s: %s", path, strerror(errno));
	}
	close(fd);
	if (S_ISDIR(st.st_mode))
		return errmsg_set(msg, ERR_IO,
			"%s is a directory; name its files, or a pattern like '%s/*'", path,
			path);
	if (S_ISREG(st.st_mode))
		in->bytes += (uint64_t)st.st_size;
	return 0;
}

int input_paths_find(struct input_paths *in, const struct conf_list *wanted, size_t limit,
	struct errmsg *msg)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < wanted->count; i++)
		err = expand(in, wanted->items[i], msg);
	if (err == 0 && in->count == 0)
		err = errmsg_set(msg, ERR_CONFIG, "name a file, a pattern or - to read from");
	if (err == 0 && in->count > limit)
		err = errmsg_set(
			msg, ERR_CONFIG, "%zu files are more than %zu", in->count, limit);
	for (size_t i = 0; err == 0 && i < in->count; i++)
		err = check_path(in, in->names[i], msg);
	return err;
}
