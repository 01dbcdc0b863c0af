#include "producer/ingest/input_place.h"

#include "common/log.h"
#include "common/mem.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Pipes and standard input have no inode that lasts: they go by their names. */
static bool is_it(const char *path, const struct input_file *file, bool by_name)
{
	bool same_name = strcmp(path, file->path) == 0;
	struct stat st;

	if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return same_name;
	/* a device's number may change when it is mounted again; the name then says the rest */
	return st.st_ino == file->inode &&
	       (by_name ? same_name : (uint64_t)st.st_dev == file->device);
}

/* A path with a name between the old one and the new one was read, or was not: who knows. */
static const char *doubtful(
	char *const *paths, size_t count, size_t at, const struct input_file *file)
{
	int way = strcmp(file->path, paths[at]);

	for (size_t i = 0; i < count; i++) {
		int to_old = strcmp(paths[i], file->path), to_new = strcmp(paths[i], paths[at]);

		if (i != at && (to_old == 0 || (way < 0 ? to_old > 0 && to_new < 0
							: to_old < 0 && to_new > 0)))
			return paths[i];
	}
	return NULL;
}

int input_place_find(char *const *paths, size_t count, const struct input_file *file,
	size_t *at, struct errmsg *msg)
{
	const char *other;

	for (*at = 0; *at < count; ++*at) {
		if (is_it(paths[*at], file, true))
			return 0;
	}
	for (*at = 0; *at < count && !is_it(paths[*at], file, false);)
		++*at;
	if (*at == count)
		return errmsg_set(msg, ERR_IO,
			"the file that was %s at the checkpoint is not among the files to read "
			"(inode %llu)",
			file->path, (unsigned long long)file->inode);
	other = *file->path ? doubtful(paths, count, *at, file) : NULL;
	if (other)
		return errmsg_set(msg, ERR_IO,
			"the file that was %s at the checkpoint is now %s, so that it is not "
			"known whether %s was read; give the files their names back",
			file->path, paths[*at], other);
	return 0;
}

static void warn_of_skipped(
	const glob_t *names, const char *path, const char *found, const struct stat *file)
{
	struct stat st;

	for (size_t i = 0; i < names->gl_pathc; i++) {
		const char *name = names->gl_pathv[i];

		if (strcmp(name, path) == 0 || strcmp(name, found) == 0 ||
			stat(name, &st) != 0 || !S_ISREG(st.st_mode))
			continue;
		if (st.st_mtim.tv_sec > file->st_mtim.tv_sec ||
			(st.st_mtim.tv_sec == file->st_mtim.tv_sec &&
				st.st_mtim.tv_nsec > file->st_mtim.tv_nsec))
			log_event(LOG_WARN, "rotated_file_is_not_read",
				LOG_F("file", LOG_STR(name)),
				LOG_F("reason", LOG_STR("it was rotated while nobody followed; "
							"read it with a run of its own")));
	}
}

char *input_place_rotated(const char *path, const struct input_file *file)
{
	char *pattern = mem_printf("%s*", path);
	char *found = NULL;
	struct stat st;
	glob_t names;

	if (glob(pattern, 0, NULL, &names) == 0) {
		for (size_t i = 0; i < names.gl_pathc && !found; i++) {
			if (stat(names.gl_pathv[i], &st) == 0 && st.st_ino == file->inode &&
				st.st_dev == file->device)
				found = mem_strdup(names.gl_pathv[i]);
		}
		if (found && strcmp(found, path) != 0)
			warn_of_skipped(&names, path, found, &st);
		globfree(&names);
	}
	free(pattern);
	return found;
}
