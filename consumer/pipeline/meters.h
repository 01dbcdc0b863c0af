/*
 * meters: what the pipeline counts. Any thread adds (relaxed atomics); the watchers read. All
 * label sets are bounded: a store's error classes and dead-letter reasons are constants.
 */
#ifndef CONSUMER_PIPELINE_METERS_H
#define CONSUMER_PIPELINE_METERS_H

#include "common/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum stage { STAGE_INTAKE, STAGE_DECODE, STAGE_MYSQL, STAGE_REDIS, STAGE_SETTLE, STAGE_COUNT };
extern const char *const stage_names[STAGE_COUNT];

#define METERS_NAMED_MAX 64

/* Counters that appear when first used; `label` and `detail` are constants (compared as text). */
struct named_counter {
	const char *label, *detail;
	uint64_t value;
};
struct named_counters {
	pthread_mutex_t mu;
	struct named_counter rows[METERS_NAMED_MAX]; /* under mu */
	int count; /* under mu */
};

#define LETTERS_SHOWN 20

/* One of the last dead letters, for people. */
struct letter_note {
	int64_t wall_ms;
	char topic[128];
	int32_t partition;
	int64_t offset;
	char reason[32];
	char text[256];
};

struct meters {
	struct metric_histogram batch_records;
	struct metric_histogram stage_seconds[STAGE_COUNT];
	struct metric_histogram end_to_end_seconds;
	struct named_counters store_errors; /* store, class */
	struct named_counters deadletters; /* reason, "" */
	struct named_counters moved; /* store, "" */
	_Atomic uint64_t taken_bytes; /* keys and values out of all partitions' queues */
	_Atomic uint64_t rebalances;
	_Atomic uint64_t
		key_mismatches; /* records applied although their key is not their row's */
	pthread_mutex_t letters_mu;
	struct letter_note letters[LETTERS_SHOWN]; /* under letters_mu, a ring */
	uint64_t letters_total; /* under letters_mu */
};

void meters_init(struct meters *meters);
void meters_release(struct meters *meters);
/* What one step of one batch took; *last_us: of the partition, by enum stage. */
void meters_stage(
	struct meters *meters, _Atomic uint32_t *last_us, enum stage stage, int64_t took_ns);
void meters_count(struct named_counters *counters, const char *label, const char *detail);
/* A copy of the rows; returns how many. `rows` has room for METERS_NAMED_MAX. */
int meters_read(struct named_counters *counters, struct named_counter *rows);
void meters_letter(struct meters *meters, const struct letter_note *note);
/* The newest first; returns how many (at most LETTERS_SHOWN). */
int meters_letters(struct meters *meters, struct letter_note *notes);

#endif
