#include "producer/ingest/blocks.h"

#define LEAST_BYTES 16
#define MOST_BYTES  (512 * 1024)

#define LANES 16
typedef signed char bytes_of_16 __attribute__((vector_size(LANES)));

/* Sixteen bytes at a time, in as many counters, which are summed before they can overflow. */
static uint64_t count_lines(const char *text, size_t len)
{
	uint64_t lines = 0;
	size_t i = 0;

	while (len - i >= LANES) {
		size_t rounds = (len - i) / LANES < 127 ? (len - i) / LANES : 127;
		bytes_of_16 found = {0};

		for (; rounds > 0; rounds--, i += LANES) {
			bytes_of_16 b;

			memcpy(&b, text + i, LANES);
			found -= b == '\n'; /* true is -1 */
		}
		for (int lane = 0; lane < LANES; lane++)
			lines += (uint64_t)found[lane];
	}
	for (; i < len; i++)
		lines += text[i] == '\n';
	return lines;
}

/* The chunk is raw[0..end); the rest is carried over. */
static int emit(struct blocks *b, struct chunk *chunk, size_t end, bool mid_line)
{
	uint64_t consumed = input_consumed(b->in);

	b->carry.used = 0;
	buf_put(&b->carry, chunk->raw.data + end, chunk->raw.used - end);
	chunk->raw.used = end;
	chunk->mid_line = b->mid_line;
	b->mid_line = mid_line;
	chunk->from = b->at;
	b->at.offset += end;
	b->at.line += count_lines(chunk->raw.data, end);
	b->at.mid_line = mid_line;
	b->at.skipping = b->skipping;
	chunk->after = b->at;
	chunk->bytes = consumed - b->consumed;
	b->consumed = consumed;
	return INPUT_DATA;
}

/* Drops the rest of a line that was cut. True when its end was found. */
static bool skip_line(struct blocks *b, struct buf *raw)
{
	const char *end = raw->used ? memchr(raw->data, '\n', raw->used) : NULL;
	size_t drop = end ? (size_t)(end - raw->data) + 1 : raw->used;

	memmove(raw->data, raw->data + drop, raw->used - drop);
	raw->used -= drop;
	b->at.offset += drop;
	b->at.line += end != NULL;
	b->skipping = b->at.skipping = end == NULL;
	return end != NULL;
}

/* The limit is reached and no record has ended. */
static int emit_overlong(struct blocks *b, struct chunk *chunk)
{
	size_t limit = b->max_record_bytes;
	const char *line_end;

	if (b->refuse_first_line) {
		line_end = memchr(chunk->raw.data, '\n', chunk->raw.used);
		chunk->broken = true;
		b->skipping = line_end == NULL;
		return emit(b, chunk,
			line_end ? (size_t)(line_end - chunk->raw.data) + 1 : chunk->raw.used,
			false);
	}
	if (b->overlong == OVERLONG_SPLIT)
		return emit(b, chunk, chunk->raw.used / limit * limit, true);
	chunk->broken = b->overlong != OVERLONG_TRUNCATE;
	b->skipping = true;
	return emit(b, chunk, limit, false);
}

/* The file has ended with `raw` unfinished. */
static int emit_rest(struct blocks *b, struct chunk *chunk)
{
	size_t end = b->boundary(b->arg, chunk->raw.data, chunk->raw.used, true);

	return end > 0 ? emit(b, chunk, end, false) : emit_overlong(b, chunk);
}

static int next_file(struct blocks *b, struct errmsg *msg)
{
	int state = input_next(b->in, msg);

	b->open = state == INPUT_DATA;
	b->mid_line = b->skipping = b->at.mid_line = b->at.skipping = false;
	b->at.file = input_index(b->in);
	b->at.offset = b->at.line = 0;
	return state;
}

size_t blocks_bytes(double rate)
{
	double bytes = rate * 4; /* of common lines less than a tenth of a second */

	if (rate <= 0 || bytes > MOST_BYTES)
		return MOST_BYTES;
	return bytes < LEAST_BYTES ? LEAST_BYTES : (size_t)bytes;
}

/* Twice as much each time while no record ends, so that a long one is not looked at for ever. */
static size_t next_bytes(const struct blocks *b, size_t used)
{
	if (used <= b->block_bytes)
		return b->block_bytes;
	return used < MOST_BYTES ? used : MOST_BYTES;
}

int blocks_read(struct blocks *b, struct chunk *chunk, struct errmsg *msg)
{
	struct buf *raw = &chunk->raw;
	size_t got, end, room;
	int state;

	buf_put(raw, b->carry.data, b->carry.used);
	b->carry.used = 0;
	for (;;) {
		if (b->skipping && raw->used > 0 && !skip_line(b, raw))
			return INPUT_WAIT; /* it may never end: the caller looks up */
		end = raw->used ? b->boundary(b->arg, raw->data, raw->used, false) : 0;
		if (end > 0)
			return emit(b, chunk, end, false);
		if (raw->used > 0 && raw->used >= b->max_record_bytes)
			return emit_overlong(b, chunk);
		state = b->open ? INPUT_DATA : next_file(b, msg);
		if (state != INPUT_DATA)
			return state;
		room = next_bytes(b, raw->used);
		state = input_read(b->in, buf_room(raw, room), room, &got, msg);
		raw->used += got;
		if (state == INPUT_DATA)
			continue;
		if (state == INPUT_END && raw->used > 0)
			return emit_rest(b, chunk);
		if (state == INPUT_END) {
			b->open = false;
			continue;
		}
		buf_put(&b->carry, raw->data, raw->used); /* INPUT_WAIT, or an error */
		raw->used = 0;
		return state;
	}
}

int blocks_seek(struct blocks *b, const struct position *at, const struct input_file *file,
	struct errmsg *msg)
{
	uint64_t offset = at->offset;
	int err = input_seek(b->in, file, &offset, msg);

	b->at = *at;
	b->at.file = input_index(b->in);
	if (offset != at->offset) { /* from the start again */
		b->at.offset = offset;
		b->at.line = 0;
		b->at.mid_line = b->at.skipping = false;
	}
	b->open = err == 0;
	b->mid_line = b->at.mid_line;
	b->skipping = b->at.skipping;
	return err;
}

void blocks_release(struct blocks *b)
{
	buf_release(&b->carry);
}
