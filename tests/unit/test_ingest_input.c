/* inflate, blocks, positions: bytes come once, wherever a read ends and a run goes on. */
#include "producer/ingest/inflate.h"
#include "producer/ingest/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#define TEXT_BYTES 1000

static size_t as_gzip(const char *text, char *out, size_t room)
{
	z_stream z = {0};

	deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (unsigned char *)(uintptr_t)text;
	z.avail_in = TEXT_BYTES;
	z.next_out = (unsigned char *)out;
	z.avail_out = (unsigned)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

static size_t as_zstd(const char *text, char *out, size_t room)
{
	return ZSTD_compress(out, room, text, TEXT_BYTES, 3);
}

/* All that comes out of a whole file, taken `room` bytes at a time. */
static size_t take_all(const char *packed, size_t len, size_t room, bool *failed)
{
	struct inflate *f = inflate_new();
	size_t all = 0, got = 0, free_bytes;
	bool eof = false;
	struct errmsg msg;
	char out[TEXT_BYTES + 1];

	*failed = false;
	do {
		if (!inflate_pending(f)) {
			char *to = inflate_room(f, &free_bytes);

			eof = len == 0;
			memcpy(to, packed, len);
			inflate_fed(f, len);
			len = 0;
		}
		*failed = inflate_take(f, out, room, &got, &msg) != 0;
		all += got;
	} while (!*failed && (!eof || got > 0));
	inflate_free(f);
	return all;
}

static void compressed_data_that_ends_where_the_room_ends_is_whole(void **state)
{
	static const size_t rooms[] = {1, 7, TEXT_BYTES / 2, TEXT_BYTES, TEXT_BYTES + 1};
	static size_t (*const pack[])(const char *, char *, size_t) = {as_gzip, as_zstd};
	char text[TEXT_BYTES], packed[2 * TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < TEXT_BYTES; i++)
		text[i] = (char)('a' + i * i % 23);
	for (size_t p = 0; p < 2; p++) {
		size_t len = pack[p](text, packed, sizeof(packed));

		for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
			bool failed;

			assert_int_equal(take_all(packed, len, rooms[i], &failed), TEXT_BYTES);
			assert_false(failed);
			take_all(packed, len - 1, rooms[i], &failed);
			assert_true(failed); /* cut short */
		}
	}
}

/* All records of the file, with a | behind each; with `again`, another source reads each chunk's
   successor, as runs that stop and go on do. */
static void read_lines(struct ingest_options *options, bool again, char *out)
{
	struct chunk_pool *pool = chunk_pool_new(1, 1);
	struct source *source;
	struct errmsg msg;
	int state;

	assert_int_equal(source_lines_new(&source, options, &msg), 0);
	do {
		struct chunk *chunk = chunk_pool_get(pool);

		atomic_store(&chunk->refs, 1);
		do
			state = source->ops->read(source, chunk, &msg);
		while (state == INPUT_WAIT);
		if (state == INPUT_DATA)
			source->ops->parse(source, chunk);
		for (size_t i = 0; state == INPUT_DATA && i < chunk->count; i++) {
			memcpy(out, chunk->records[i].value, chunk->records[i].value_len);
			out += chunk->records[i].value_len;
			*out++ = '|';
		}
		if (state == INPUT_DATA && again) {
			struct input_file file = *input_file(source->input, chunk->after.file);
			struct source *next;

			assert_int_equal(source_lines_new(&next, options, &msg), 0);
			assert_int_equal(next->ops->seek(next, &chunk->after, &file, &msg), 0);
			source_free(source);
			source = next;
		}
		chunk_unref(chunk);
	} while (state == INPUT_DATA);
	assert_int_equal(state, INPUT_END);
	*out = 0;
	source_free(source);
	chunk_pool_free(pool);
}

static void a_run_goes_on_within_a_line_that_is_too_long(void **state)
{
	char name[] = "/tmp/wt-test-XXXXXX", *path = name;
	int fd = mkstemp(name);
	static const size_t lengths[] = {3, 16, 17, 32, 33, 700000, 0, 699984, 5};
	char *once = malloc(2 << 20), *pieces = malloc(2 << 20), *line = malloc(700000);

	(void)state;
	memset(line, 'x', 700000);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		assert_int_equal(write(fd, line, lengths[i]), lengths[i]);
		assert_int_equal(write(fd, "\n", 1), 1);
	}
	for (int overlong = 0; overlong < 3; overlong++) { /* split, truncate, reject */
		struct ingest_options options = {.paths = {.items = &path, .count = 1},
			.max_record_bytes = 16,
			.long_lines = overlong};

		read_lines(&options, false, once);
		read_lines(&options, true, pieces);
		assert_string_equal(once, pieces);
	}
	unlink(path);
	close(fd);
	free(line);
	free(pieces);
	free(once);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compressed_data_that_ends_where_the_room_ends_is_whole),
		cmocka_unit_test(a_run_goes_on_within_a_line_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
