#include "producer/ingest/outfile.h"

#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_BACK_BYTES (8 << 20)

static int refuse(struct outfile *f, struct errmsg *msg)
{
	return errmsg_set(msg, ERR_IO, "%s: %s", f->part ? f->part : f->path, strerror(errno));
}

int outfile_create(struct outfile *f, const char *path, bool append, struct errmsg *msg)
{
	struct stat st;

	*f = (struct outfile){.path = mem_strdup(path), .fd = -1};
	if (strcmp(path, "-") == 0) {
		f->to_stdout = true;
		f->fd = STDOUT_FILENO;
		return 0;
	}
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return errmsg_set(msg, ERR_IO, "%s is a directory", path);
	/* a device or a pipe has no use for a temporary name */
	f->in_place = append || (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
	if (!f->in_place)
		f->part = mem_printf("%s.part", path);
	f->fd = open(f->in_place ? path : f->part,
		(append ? O_RDWR : O_WRONLY) | O_CREAT | O_CLOEXEC |
			(f->in_place ? O_APPEND : O_TRUNC),
		0644);
	if (f->fd < 0)
		return refuse(f, msg);
	f->append = append && fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode);
	f->found = f->append ? (uint64_t)st.st_size : 0;
	return 0;
}

/* What was there may have ended within a line. */
int outfile_end_line(struct outfile *f, struct errmsg *msg)
{
	char last = '\n';

	if (f->found > 0 && pread(f->fd, &last, 1, (off_t)f->found - 1) != 1)
		return refuse(f, msg);
	return last == '\n' ? 0 : outfile_write(f, "\n", 1, msg);
}

int outfile_resume(struct outfile *f, const char *path, uint64_t bytes, struct errmsg *msg)
{
	struct stat st;

	*f = (struct outfile){.path = mem_strdup(path), .fd = -1};
	f->part = mem_printf("%s.part", path);
	f->keep_part = true;
	f->fd = open(f->part, O_RDWR | O_CLOEXEC);
	if (f->fd < 0 && errno == ENOENT && stat(path, &st) == 0 &&
		(uint64_t)st.st_size == bytes) {
		/* killed between the rename and the checkpoint's last word: it is whole already */
		free(f->part);
		f->part = NULL;
		f->in_place = true;
		f->fd = open(path, O_WRONLY | O_CLOEXEC);
	}
	if (f->fd < 0 || fstat(f->fd, &st) != 0)
		return refuse(f, msg);
	if ((uint64_t)st.st_size < bytes)
		return errmsg_set(msg, ERR_IO,
			"%s has %lld bytes, the checkpoint says %llu: it is not the same file",
			f->part, (long long)st.st_size, (unsigned long long)bytes);
	if (ftruncate(f->fd, (off_t)bytes) != 0 || lseek(f->fd, 0, SEEK_END) < 0)
		return refuse(f, msg);
	f->written = bytes;
	return 0;
}

/* The disk begins now, so that the sync at the end finds little left. A hint: errors do not matter. */
static void start_writing_back(struct outfile *f)
{
	uint64_t bytes = f->written - f->started;

	if (bytes < WRITE_BACK_BYTES)
		return;
	sync_file_range(
		f->fd, (off_t)(f->found + f->started), (off_t)bytes, SYNC_FILE_RANGE_WRITE);
	f->started = f->written;
}

int outfile_write(struct outfile *f, const void *bytes, size_t count, struct errmsg *msg)
{
	const char *at = bytes;

	while (count > 0) {
		ssize_t n = write(f->fd, at, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse(f, msg);
		at += n;
		count -= (size_t)n;
		f->written += (uint64_t)n;
	}
	start_writing_back(f);
	return 0;
}

int outfile_sync(struct outfile *f, struct errmsg *msg)
{
	/* pipes and terminals cannot, and need not */
	if (fdatasync(f->fd) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
		return refuse(f, msg);
	return 0;
}

static void sync_folder(const char *path)
{
	char *copy = mem_strdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(copy);
}

int outfile_finish(struct outfile *f, struct errmsg *msg)
{
	if (f->to_stdout)
		return 0;
	if (close(f->fd) != 0) {
		f->fd = -1;
		return refuse(f, msg);
	}
	f->fd = -1;
	f->append = false;
	if (f->part) {
		if (rename(f->part, f->path) != 0)
			return refuse(f, msg);
		sync_folder(f->path);
		free(f->part);
		f->part = NULL;
	}
	return 0;
}

void outfile_close(struct outfile *f)
{
	if (f->append && ftruncate(f->fd, (off_t)f->found) != 0)
		log_event(LOG_ERROR, "not_cut_back", LOG_F("file", LOG_STR(f->path)),
			LOG_F("bytes", LOG_INT(f->found)));
	if (f->fd >= 0 && !f->to_stdout)
		close(f->fd);
	f->fd = -1;
	if (f->part && !f->keep_part)
		unlink(f->part);
	free(f->part);
	free(f->path);
	*f = (struct outfile){.fd = -1};
}
