#include "consumer/watch/picture.h"

#include "common/clock.h"

#include <string.h>

void picture_take(
	struct picture *p, const struct watch_source *source, const struct latency *latency)
{
	*p = (struct picture){.wall_ms = clock_wall_ms(), .latency = *latency};
	source->snapshot(source->user, &p->pool);
	source->lag(source->user, &p->lag);
	p->letter_count = meters_letters(source->meters, p->letters);
	p->reason_count = meters_read(&source->meters->deadletters, p->letter_reasons);
	p->store_error_count = meters_read(&source->meters->store_errors, p->store_errors);
	for (int i = 0; i < p->reason_count; i++)
		p->deadlettered += p->letter_reasons[i].value;
	picture_headline(p);
}

void picture_release(struct picture *picture)
{
	snapshot_release(&picture->pool);
	lag_snapshot_release(&picture->lag);
}

const struct snapshot_partition *picture_own(
	const struct picture *picture, const char *topic, int32_t partition)
{
	for (int i = 0; i < picture->pool.partition_count; i++) {
		const struct snapshot_partition *own = &picture->pool.partitions[i];
		if (own->partition == partition && strcmp(own->topic, topic) == 0)
			return own;
	}
	return NULL;
}

const char *picture_cache(const struct snapshot_partition *own)
{
	if (!own || own->position < 0)
		return "unverified";
	if (strcmp(own->mode, "catching up") == 0 || strcmp(own->mode, "healing") == 0)
		return "catching up";
	if (own->rebuild_wanted)
		return own->cache_ratio < 0 ? "unverified" : "rebuilding";
	return strcmp(own->mode, "running") == 0 ? "ok" : "unverified";
}

const char *level_name(enum level level)
{
	static const char *const names[] = {"ok", "warn", "bad", "unknown"};
	return names[level];
}
