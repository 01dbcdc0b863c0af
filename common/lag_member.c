#include "common/lag_member.h"

#include "common/mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static int32_t number(struct reader *r, int bytes)
{
	if (r->bad || r->end - r->at < bytes) {
		r->bad = true;
		return 0;
	}
	uint32_t value = 0;
	for (int i = 0; i < bytes; i++)
		value = value << 8 | *r->at++;
	return bytes == 2 ? (int16_t)value : (int32_t)value;
}

static void take_topic(
	struct reader *r, const char *owner, rd_kafka_topic_partition_list_t *list)
{
	int32_t length = number(r, 2);
	if (r->bad || length < 0 || length > r->end - r->at) {
		r->bad = true;
		return;
	}
	char *topic = mem_strndup((const char *)r->at, (size_t)length);
	r->at += length;
	int32_t count = number(r, 4);
	for (int32_t i = 0; i < count && !r->bad; i++) {
		int32_t partition = number(r, 4);
		if (r->bad || partition < 0)
			break;
		rd_kafka_topic_partition_t *p =
			rd_kafka_topic_partition_list_add(list, topic, partition);
		p->metadata = mem_strdup(owner);
		p->metadata_size = strlen(owner) + 1;
	}
	free(topic);
}

void lag_member_assignment(
	const void *bytes, int size, const char *owner, rd_kafka_topic_partition_list_t *list)
{
	if (!bytes || size <= 0)
		return;
	struct reader r = {.at = bytes, .end = (const uint8_t *)bytes + size};
	number(&r, 2);
	int32_t topics = number(&r, 4);
	for (int32_t i = 0; i < topics && !r.bad; i++)
		take_topic(&r, owner, list);
}
