#include "consumer/pipeline/letters.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "consumer/failure/deadletter.h"

#include <stdio.h>
#include <stdlib.h>

static void note_letters(const struct pipeline *pipeline, struct partition *p)
{
	const struct dead_records *dead = &p->batch.dead;

	for (size_t i = 0; i < dead->count; i++) {
		const struct dead_record *item = &dead->items[i];
		struct letter_note note = {.wall_ms = clock_wall_ms(),
			.partition = p->id,
			.offset = p->batch.records[item->record]->offset};

		snprintf(note.topic, sizeof(note.topic), "%s", p->route->topic);
		snprintf(note.reason, sizeof(note.reason), "%s", item->reason);
		snprintf(note.text, sizeof(note.text), "%s", item->text);
		meters_letter(pipeline->meters, &note);
		meters_count(&pipeline->meters->deadletters, item->reason, "");
		atomic_fetch_add_explicit(&p->deadlettered, 1, memory_order_relaxed);
		log_limited(LOG_WARN, "dead_letter", LOG_F("topic", LOG_STR(note.topic)),
			LOG_F("partition", LOG_INT(p->id)),
			LOG_F("offset", LOG_INT(note.offset)),
			LOG_F("reason", LOG_STR(item->reason)),
			LOG_F("error", LOG_STR(item->text)));
	}
}

enum verdict letters_deliver(
	const struct pipeline *pipeline, struct partition *p, struct store_error *error)
{
	struct dead_records *dead = &p->batch.dead;
	struct letter *letters;
	int err;

	if (dead->count == 0)
		return VERDICT_DONE;
	letters = mem_zero(dead->count, sizeof(*letters));
	for (size_t i = 0; i < dead->count; i++)
		letters[i] = (struct letter){.record = p->batch.records[dead->items[i].record],
			.reason = dead->items[i].reason,
			.class = dead->items[i].class,
			.text = dead->items[i].text};
	err = deadletters_deliver(
		pipeline->deadletters, p->route->topic, letters, dead->count, &error->msg);
	free(letters);
	if (err != 0) {
		error->store = "kafka";
		error->class = "deadletter";
		return VERDICT_RETRY;
	}
	note_letters(pipeline, p);
	dead_records_clear(dead);
	if (p->told_until < p->batch.to)
		p->told_until = p->batch.to;
	return VERDICT_DONE;
}
