/*
 * bench_rows: the records of a run, made from their number, so that the backlog in Kafka and the
 * rows that a yardstick writes straight from memory are the same. Pure.
 */
#ifndef TESTS_BENCH_ROWS_H
#define TESTS_BENCH_ROWS_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_PARTITIONS 6

struct bench_row {
	char id[24];
	char name[48];
	int32_t age;
	const char *occupation; /* of the program; lives for ever */
	unsigned id_length, name_length, occupation_length;
};

/* What a run's records are like; bench_shape_of() (bench_stores.h) has the defaults. */
struct bench_shape {
	uint64_t keys; /* distinct ones */
	uint64_t hot; /* percent of the records that are of one key */
	size_t value_bytes; /* at least so long, by a long occupation; 0: what a row needs */
};

/* Record `number` of a run. */
void bench_row_make(struct bench_row *row, uint64_t number, const struct bench_shape *shape);
int32_t bench_row_partition(const struct bench_row *row);
#define BENCH_VALUE_BYTES_MAX (1 << 20)

/* {"id":"17","name":"Name 17 of 4","age":42,"occupation":"engineer"}; returns its length. */
size_t bench_row_json(const struct bench_row *row, char *out, size_t room);

#endif
