#include "tests/bench/bench_rows.h"

#include "common/murmur2.h"

#include <inttypes.h>
#include <stdio.h>

/* SplitMix64: one number in, one well mixed number out (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

void bench_row_make(struct bench_row *row, uint64_t number, uint64_t keys)
{
	static const char *const work[] = {
		"engineer", "teacher", "nurse", "farmer", "painter", "pilot", "cook", "writer"};
	uint64_t random = mix(number), key = random % keys;

	row->id_length = (unsigned)snprintf(row->id, sizeof(row->id), "%" PRIu64, key);
	row->name_length = (unsigned)snprintf(
		row->name, sizeof(row->name), "Name %" PRIu64 " of %" PRIu64, key, number);
	row->age = (int32_t)(random >> 32) & 127;
	row->occupation_length = (unsigned)snprintf(
		row->occupation, sizeof(row->occupation), "%s", work[random >> 61]);
}

int32_t bench_row_partition(const struct bench_row *row)
{
	return murmur2_partition(row->id, row->id_length, BENCH_PARTITIONS);
}

size_t bench_row_json(const struct bench_row *row, char *out, size_t room)
{
	return (size_t)snprintf(out, room,
		"{\"id\":\"%s\",\"name\":\"%s\",\"age\":%d,\"occupation\":\"%s\"}", row->id,
		row->name, (int)row->age, row->occupation);
}
