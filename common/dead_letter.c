#include "common/dead_letter.h"

#include "common/mem.h"

char *dead_letter_topic(const char *chosen, const char *origin)
{
	return chosen ? mem_strdup(chosen) : mem_printf("%s.dlq", origin);
}

const char *dead_letter_header(const rd_kafka_message_t *message, const char *name)
{
	rd_kafka_headers_t *headers;
	const void *value;
	size_t size;

	if (rd_kafka_message_headers(message, &headers) ||
		rd_kafka_header_get_last(headers, name, &value, &size))
		return NULL;
	return value; /* librdkafka ends header values with a NUL */
}
