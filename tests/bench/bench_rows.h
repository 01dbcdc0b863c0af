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
	char occupation[48];
	unsigned id_length, name_length, occupation_length;
};

/* Record `number` of a run over `keys` distinct keys. */
void bench_row_make(struct bench_row *row, uint64_t number, uint64_t keys);
int32_t bench_row_partition(const struct bench_row *row);
/* {"id":"17","name":"Name 17 of 4","age":42,"occupation":"engineer"}; returns its length. */
size_t bench_row_json(const struct bench_row *row, char *out, size_t room);

#endif
