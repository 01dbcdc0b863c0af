#include "tests/bench/bench_rows.h"

#include "common/mix64.h"
#include "common/murmur2.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static uint64_t mix(uint64_t number)
{
	return mix64(number + MIX64_STEP);
}

/* Letters that do not repeat soon, made once. */
static const char *long_text(void)
{
	static char text[BENCH_VALUE_BYTES_MAX + 64];
	static bool made;

	for (size_t i = 0; !made && i < sizeof(text); i++)
		text[i] = (char)('a' + mix(i) % 26);
	made = true;
	return text;
}

void bench_row_make(struct bench_row *row, uint64_t number, const struct bench_shape *shape)
{
	static const char *const work[] = {
		"engineer", "teacher", "nurse", "farmer", "painter", "pilot", "cook", "writer"};
	uint64_t random = mix(number), key = random % shape->keys;
	size_t used;

	if (shape->hot && (random >> 20) % 100 < shape->hot)
		key = 0;
	row->id_length = (unsigned)snprintf(row->id, sizeof(row->id), "%" PRIu64, key);
	row->name_length = (unsigned)snprintf(
		row->name, sizeof(row->name), "Name %" PRIu64 " of %" PRIu64, key, number);
	row->age = (int32_t)(random >> 32) & 127;
	row->occupation = work[random >> 61];
	row->occupation_length = (unsigned)strlen(row->occupation);
	used = bench_row_json(row, NULL, 0);
	if (shape->value_bytes > used) {
		row->occupation_length += (unsigned)(shape->value_bytes - used);
		row->occupation = long_text() + number % 64;
	}
}

int32_t bench_row_partition(const struct bench_row *row)
{
	return murmur2_partition(row->id, row->id_length, BENCH_PARTITIONS);
}

size_t bench_row_json(const struct bench_row *row, char *out, size_t room)
{
	return (size_t)snprintf(out, room,
		"{\"id\":\"%s\",\"name\":\"%s\",\"age\":%d,\"occupation\":\"%.*s\"}", row->id,
		row->name, (int)row->age, (int)row->occupation_length, row->occupation);
}
