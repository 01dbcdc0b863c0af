#include "consumer/pipeline/meters.h"

#include <string.h>

const char *const stage_names[STAGE_COUNT] = {"intake", "decode", "mysql", "redis", "settle"};

void meters_init(struct meters *meters)
{
	memset(meters, 0, sizeof(*meters));
	metric_histogram_init_decades(&meters->batch_records, 1, 100000);
	for (int i = 0; i < STAGE_COUNT; i++)
		metric_histogram_init_decades(&meters->stage_seconds[i], 1e-5, 10);
	metric_histogram_init_decades(&meters->end_to_end_seconds, 1e-4, 1000);
	pthread_mutex_init(&meters->store_errors.mu, NULL);
	pthread_mutex_init(&meters->deadletters.mu, NULL);
	pthread_mutex_init(&meters->moved.mu, NULL);
	pthread_mutex_init(&meters->letters_mu, NULL);
	/* Both stores are known beforehand: a 0 that can be seen to rise. */
	meters->moved.rows[0] = (struct named_counter){.label = "mysql", .detail = ""};
	meters->moved.rows[1] = (struct named_counter){.label = "redis", .detail = ""};
	meters->moved.count = 2;
}

void meters_release(struct meters *meters)
{
	pthread_mutex_destroy(&meters->store_errors.mu);
	pthread_mutex_destroy(&meters->deadletters.mu);
	pthread_mutex_destroy(&meters->moved.mu);
	pthread_mutex_destroy(&meters->letters_mu);
}

void meters_stage(
	struct meters *meters, _Atomic uint32_t *last_us, enum stage stage, int64_t took_ns)
{
	metric_histogram_observe(&meters->stage_seconds[stage], (double)took_ns / 1e9);
	atomic_store_explicit(
		&last_us[stage], (uint32_t)(took_ns / 1000), memory_order_relaxed);
}

void meters_count(struct named_counters *counters, const char *label, const char *detail)
{
	int i;

	pthread_mutex_lock(&counters->mu);
	for (i = 0; i < counters->count; i++) {
		if (strcmp(counters->rows[i].label, label) == 0 &&
			strcmp(counters->rows[i].detail, detail) == 0)
			break;
	}
	if (i == counters->count && i < METERS_NAMED_MAX)
		counters->rows[counters->count++] =
			(struct named_counter){.label = label, .detail = detail};
	if (i < METERS_NAMED_MAX)
		counters->rows[i].value++;
	pthread_mutex_unlock(&counters->mu);
}

int meters_read(struct named_counters *counters, struct named_counter *rows)
{
	int count;

	pthread_mutex_lock(&counters->mu);
	count = counters->count;
	memcpy(rows, counters->rows, (size_t)count * sizeof(*rows));
	pthread_mutex_unlock(&counters->mu);
	return count;
}

void meters_letter(struct meters *meters, const struct letter_note *note)
{
	pthread_mutex_lock(&meters->letters_mu);
	meters->letters[meters->letters_total++ % LETTERS_SHOWN] = *note;
	pthread_mutex_unlock(&meters->letters_mu);
}

int meters_letters(struct meters *meters, struct letter_note *notes)
{
	int count = 0;

	pthread_mutex_lock(&meters->letters_mu);
	for (uint64_t i = meters->letters_total; i > 0 && count < LETTERS_SHOWN; i--)
		notes[count++] = meters->letters[(i - 1) % LETTERS_SHOWN];
	pthread_mutex_unlock(&meters->letters_mu);
	return count;
}
