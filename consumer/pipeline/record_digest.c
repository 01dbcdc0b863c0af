/*
 * CRC-32C (Castagnoli), reflected, polynomial 0x82f63b78, as in RFC 3720 appendix B.4; the values
 * here are ours alone, so only its spread matters. Once a batch: a table is fast enough.
 */
#include "consumer/pipeline/batch.h"

#include <pthread.h>
#include <string.h>

static uint32_t table[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
		table[i] = crc;
	}
}

static uint32_t update(uint32_t crc, const void *data, size_t length)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < length; i++)
		crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
	return crc;
}

/* Lengths are mixed in so that bytes cannot move from key to value; a null differs from empty. */
static uint32_t update_part(uint32_t crc, const void *data, size_t length)
{
	int64_t size = data ? (int64_t)length : -1;

	crc = update(crc, &size, sizeof(size));
	return data ? update(crc, data, length) : crc;
}

uint32_t record_digest(const rd_kafka_message_t *message)
{
	int64_t timestamp = rd_kafka_message_timestamp(message, NULL);
	uint32_t crc = 0xffffffffu;

	pthread_once(&once, fill_table);
	crc = update_part(crc, message->key, message->key_len);
	crc = update_part(crc, message->payload, message->len);
	return ~update(crc, &timestamp, sizeof(timestamp));
}
