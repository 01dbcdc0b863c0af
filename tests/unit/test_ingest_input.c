/* inflate, blocks, positions: bytes come once, wherever a read ends and a run goes on. */
#include "producer/ingest/inflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compressed_data_that_ends_where_the_room_ends_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
