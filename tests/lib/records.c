#include "tests/lib/records.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

struct records *records_new(const struct route *route)
{
	struct records *records = mem_zero(1, sizeof(*records));

	batch_begin(&records->batch, route, 0, 0);
	return records;
}

void records_clear(struct records *records)
{
	const struct route *route = records->batch.route;
	int64_t to = records->batch.to;

	for (size_t i = 0; i < records->batch.record_count; i++) {
		if (records->messages[i].partition) /* copied by records_put */
			free(records->messages[i].payload);
		if (records->messages[i].partition)
			free(records->messages[i].key);
	}
	records->batch.record_count = 0;
	batch_begin(&records->batch, route, 0, to);
}

void records_free(struct records *records)
{
	records_clear(records);
	batch_release(&records->batch);
	free(records);
}

struct row *records_put_bytes(struct records *records, const void *key, size_t key_length,
	const void *value, size_t length)
{
	size_t i = records->batch.record_count;
	rd_kafka_message_t *message = &records->messages[i];

	if (i == RECORDS_MAX)
		abort();
	*message = (rd_kafka_message_t){.err = RD_KAFKA_RESP_ERR_UNKNOWN,
		.payload = (void *)(uintptr_t)value,
		.len = length,
		.key = (void *)(uintptr_t)key,
		.key_len = key_length,
		.offset = records->batch.to};
	batch_add(&records->batch, message);
	records->why.reason = NULL;
	if (decode_record(&records->batch, i, &records->why) == DECODE_DEAD)
		return NULL;
	return &records->batch.rows[records->batch.row_count - 1];
}

static void *exact(const char *text)
{
	size_t length = text ? strlen(text) : 0;

	return text ? memcpy(mem_alloc(length ? length : 1), text, length) : NULL;
}

struct row *records_put(struct records *records, const char *key, const char *value)
{
	rd_kafka_message_t *message = &records->messages[records->batch.record_count];
	struct row *row = records_put_bytes(records, exact(key), key ? strlen(key) : 0,
		exact(value), value ? strlen(value) : 0);

	message->partition = 1;
	return row;
}
