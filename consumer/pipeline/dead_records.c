#include "consumer/pipeline/dead_records.h"

#include "common/mem.h"

#include <stdlib.h>

void dead_records_add(struct dead_records *dead, size_t record, const char *reason,
	const char *class, const char *text)
{
	if (dead->count == dead->room) {
		dead->room = dead->room ? dead->room * 2 : 16;
		dead->items = mem_resize(dead->items, dead->room, sizeof(*dead->items));
	}
	dead->items[dead->count++] = (struct dead_record){
		.record = record, .reason = reason, .class = class, .text = mem_strdup(text)};
}

void dead_records_clear(struct dead_records *dead)
{
	for (size_t i = 0; i < dead->count; i++)
		free(dead->items[i].text);
	dead->count = 0;
}

void dead_records_release(struct dead_records *dead)
{
	dead_records_clear(dead);
	free(dead->items);
	*dead = (struct dead_records){0};
}
