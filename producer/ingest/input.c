#include "producer/ingest/input.h"

#include "common/log.h"
#include "producer/ingest/buf.h"
#include "producer/ingest/inflate.h"
#include "producer/ingest/input_paths.h"
#include "producer/ingest/input_place.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MS	  200 /* how long a read may wait before it looks up */
#define MAX_FILES 65536

struct input {
	/* set before start */
	char **paths;
	size_t path_count;
	bool follow;
	uint64_t total_bytes;
	/* reader thread only */
	size_t path_at; /* the next path to open */
	int fd; /* -1: none is open */
	bool regular;
	uint64_t raw_offset; /* in the open file, as stored */
	uint64_t open_size; /* when it was opened */
	struct inflate *inflate;
	struct buf unread;
	size_t unread_at;
	/* grows only; the array never moves, so older entries may be read by any thread */
	struct input_file *files;
	_Atomic uint32_t file_count;
	_Atomic uint64_t consumed;
};

static _Atomic bool stopped;

int input_open(
	struct input **out, const struct conf_list *paths, bool follow, struct errmsg *msg)
{
	struct input *in = mem_zero(1, sizeof(*in));
	struct input_paths found = {0};
	int err = input_paths_find(&found, paths, MAX_FILES / 2, msg);

	in->fd = -1;
	in->follow = follow;
	in->paths = found.names;
	in->path_count = found.count;
	in->total_bytes = found.bytes;
	if (err == 0 && follow && in->path_count != 1)
		err = errmsg_set(
			msg, ERR_CONFIG, "--follow follows one file, not %zu", in->path_count);
	in->files = mem_zero(MAX_FILES, sizeof(*in->files));
	if (err != 0) {
		input_close(in);
		return err;
	}
	*out = in;
	return 0;
}

static void close_file(struct input *in)
{
	if (in->fd > 0)
		close(in->fd);
	in->fd = -1;
	inflate_free(in->inflate);
	in->inflate = NULL;
}

void input_close(struct input *in)
{
	if (!in)
		return;
	close_file(in);
	for (size_t i = 0; i < in->path_count; i++)
		free(in->paths[i]);
	for (uint32_t i = 0; in->files && i < in->file_count; i++)
		free(in->files[i].path);
	free(in->paths);
	free(in->files);
	buf_release(&in->unread);
	free(in);
}

static int open_path(struct input *in, const char *path, struct errmsg *msg)
{
	struct stat st;
	struct input_file *file;

	if (in->file_count == MAX_FILES)
		return errmsg_set(msg, ERR_FULL, "more than %d files were opened", MAX_FILES);
	in->fd = strcmp(path, "-") == 0 ? STDIN_FILENO
					: open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (in->fd < 0 || fstat(in->fd, &st) != 0)
		return errmsg_set(msg, ERR_IO, "cannot read %s: %s", path, strerror(errno));
	/* a pipe without a writer yet is waited for in poll(), where a signal is seen */
	in->regular = S_ISREG(st.st_mode);
	if (in->regular)
		posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	in->raw_offset = 0;
	in->open_size = in->regular ? (uint64_t)st.st_size : 0;
	in->inflate = inflate_new();
	file = &in->files[in->file_count];
	*file = (struct input_file){
		.path = mem_strdup(path), .device = st.st_dev, .inode = st.st_ino};
	atomic_fetch_add(&in->file_count, 1);
	return INPUT_DATA;
}

int input_next(struct input *in, struct errmsg *msg)
{
	close_file(in);
	if (in->path_at == in->path_count)
		return INPUT_END;
	return open_path(in, in->paths[in->path_at++], msg);
}

/* The end of a followed file: INPUT_END when another one has its name or it was cut. */
static int at_followed_end(struct input *in)
{
	struct stat now, open_one;

	if (fstat(in->fd, &open_one) == 0 && (uint64_t)open_one.st_size < in->raw_offset) {
		in->path_at--; /* cut: from the start again */
		return INPUT_END;
	}
	if (stat(in->paths[in->path_at - 1], &now) == 0 &&
		(now.st_ino != open_one.st_ino || now.st_dev != open_one.st_dev) &&
		(uint64_t)open_one.st_size == in->raw_offset) {
		in->path_at--; /* rotated, and the old one is read to its end */
		return INPUT_END;
	}
	poll(NULL, 0, WAIT_MS);
	return INPUT_WAIT;
}

/* Bytes as stored. */
static int read_raw(struct input *in, char *to, size_t room, size_t *got, struct errmsg *msg)
{
	struct pollfd wait = {.fd = in->fd, .events = POLLIN};
	ssize_t n;

	*got = 0;
	if (!in->regular && poll(&wait, 1, WAIT_MS) <= 0)
		return INPUT_WAIT;
	n = read(in->fd, to, room);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return INPUT_WAIT;
	if (n < 0)
		return errmsg_set(msg, ERR_IO, "%s: %s", in->files[in->file_count - 1].path,
			strerror(errno));
	if (n == 0 && !in->follow && in->raw_offset < in->open_size)
		return errmsg_set(msg, ERR_IO,
			"%s became shorter while it was read: %llu of %llu bytes came",
			in->files[in->file_count - 1].path, (unsigned long long)in->raw_offset,
			(unsigned long long)in->open_size);
	if (n == 0)
		return INPUT_END;
	*got = (size_t)n;
	in->raw_offset += (uint64_t)n;
	atomic_fetch_add_explicit(&in->consumed, (uint64_t)n, memory_order_relaxed);
	return INPUT_DATA;
}

/* One step through the decoder: feed it when it has nothing left, then take. */
static int read_decoded(
	struct input *in, char *to, size_t room, size_t *got, struct errmsg *msg)
{
	int state = INPUT_DATA;

	*got = 0;
	while (*got == 0) {
		if (!inflate_pending(in->inflate)) {
			size_t in_room, fed;
			char *in_to = inflate_room(in->inflate, &in_room);

			state = read_raw(in, in_to, in_room, &fed, msg);
			if (state < 0 || state == INPUT_WAIT)
				return state;
			inflate_fed(in->inflate, fed);
		}
		if (inflate_take(in->inflate, to, room, got, msg) != 0) {
			errmsg_wrap(msg, "%s", in->files[in->file_count - 1].path);
			return ERR_IO;
		}
		if (state == INPUT_END && *got == 0)
			return INPUT_END;
	}
	return INPUT_DATA;
}

int input_read(struct input *in, char *to, size_t room, size_t *got, struct errmsg *msg)
{
	int state;

	if (in->unread_at < in->unread.used) {
		size_t left = in->unread.used - in->unread_at;

		*got = left < room ? left : room;
		memcpy(to, in->unread.data + in->unread_at, *got);
		in->unread_at += *got;
		return INPUT_DATA;
	}
	*got = 0;
	if (in->fd < 0)
		return INPUT_END;
	state = inflate_is_plain(in->inflate) ? read_raw(in, to, room, got, msg)
					      : read_decoded(in, to, room, got, msg);
	if (state == INPUT_END && in->follow && in->regular)
		return at_followed_end(in);
	return state;
}

void input_unread(struct input *in, const char *bytes, size_t count)
{
	struct buf whole = {0};

	buf_put(&whole, bytes, count);
	if (in->unread_at < in->unread.used)
		buf_put(&whole, in->unread.data + in->unread_at,
			in->unread.used - in->unread_at);
	buf_release(&in->unread);
	in->unread = whole;
	in->unread_at = 0;
}

/* Opens the wanted file, and says which come after it. */
static int open_for_seek(struct input *in, const struct input_file *file, struct errmsg *msg)
{
	size_t at;
	int err = input_place_find(in->paths, in->path_count, file, &at, msg);

	if (err != 0)
		return err;
	in->path_at = at + 1;
	err = open_path(in, in->paths[at], msg);
	return err < 0 ? err : 0;
}

/* The same file, whatever it is called now: rotation gives it a longer name. */
static int open_followed(struct input *in, const struct input_file *file, struct errmsg *msg)
{
	char *found = input_place_rotated(in->paths[0], file);
	int state;

	if (!found)
		return errmsg_set(msg, ERR_IO,
			"the file that was %s at the checkpoint is gone; remove the checkpoint "
			"to start with the one there is",
			in->paths[0]);
	in->path_at = 1;
	state = open_path(in, found, msg);
	free(found);
	if (state < 0)
		return state;
	/* positions go by the name that is followed, and the inode */
	free(in->files[in->file_count - 1].path);
	in->files[in->file_count - 1].path = mem_strdup(in->paths[0]);
	return 0;
}

static int skip_decoded(struct input *in, uint64_t offset, struct errmsg *msg)
{
	char *sink = mem_alloc(65536);
	int state = INPUT_DATA;
	size_t got;

	while ((state == INPUT_DATA || state == INPUT_WAIT) && offset > 0) {
		state = input_read(
			in, sink, offset < 65536 ? (size_t)offset : 65536, &got, msg);
		offset -= got;
		if (state == INPUT_WAIT && input_is_stopped())
			state = errmsg_set(msg, ERR_UNFINISHED, "stopped");
	}
	free(sink);
	if (state < 0)
		return state;
	if (offset > 0)
		return errmsg_set(msg, ERR_IO, "%s is shorter than when it was read",
			in->files[in->file_count - 1].path);
	return 0;
}

static bool is_plain_file(int fd)
{
	unsigned char b[4] = {0};

	return pread(fd, b, sizeof(b), 0) >= 0 && !inflate_is_compressed(b, sizeof(b));
}

static int seek_plain(
	struct input *in, const struct input_file *file, uint64_t *offset, struct errmsg *msg)
{
	struct stat st;

	if (fstat(in->fd, &st) != 0)
		return errmsg_set(msg, ERR_IO, "%s: %s", file->path, strerror(errno));
	if ((uint64_t)st.st_size < *offset && in->follow) {
		log_event(LOG_WARN, "followed_file_was_cut", LOG_F("file", LOG_STR(file->path)),
			LOG_F("was_read_to", LOG_INT(*offset)),
			LOG_F("bytes_now", LOG_INT(st.st_size)));
		*offset = 0;
	}
	if ((uint64_t)st.st_size < *offset || lseek(in->fd, (off_t)*offset, SEEK_SET) < 0)
		return errmsg_set(
			msg, ERR_IO, "%s is shorter than when it was read", file->path);
	inflate_set_plain(in->inflate);
	in->raw_offset = *offset;
	atomic_fetch_add(&in->consumed, *offset);
	return 0;
}

int input_seek(
	struct input *in, const struct input_file *file, uint64_t *offset, struct errmsg *msg)
{
	int err;

	if (in->fd >= 0 && !in->regular &&
		strcmp(input_file(in, input_index(in))->path, file->path) == 0)
		return skip_decoded(in, *offset, msg); /* a pipe gives its bytes only once */
	close_file(in);
	in->unread.used = in->unread_at = 0;
	err = in->follow ? open_followed(in, file, msg) : open_for_seek(in, file, msg);
	if (err != 0)
		return err;
	return in->regular && is_plain_file(in->fd) ? seek_plain(in, file, offset, msg)
						    : skip_decoded(in, *offset, msg);
}

uint32_t input_index(const struct input *in)
{
	uint32_t count = atomic_load(&in->file_count);

	return count ? count - 1 : 0;
}

const struct input_file *input_file(const struct input *in, uint32_t index)
{
	return &in->files[index];
}

uint64_t input_total_bytes(const struct input *in)
{
	return in->total_bytes;
}

uint64_t input_consumed(const struct input *in)
{
	return atomic_load_explicit(&in->consumed, memory_order_relaxed);
}

void input_stop(void)
{
	atomic_store(&stopped, true);
}

bool input_is_stopped(void)
{
	return atomic_load(&stopped);
}
